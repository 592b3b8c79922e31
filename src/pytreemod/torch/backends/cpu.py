"""``torch.backends.cpu``."""


def get_cpu_capability() -> str:
    """ "DEFAULT": XLA compiles for the processor that is there, and does not say for which."""
    return "DEFAULT"
