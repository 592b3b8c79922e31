"""``torch.backends.openmp``: not used."""


def is_available() -> bool:
    """False: XLA has threads of its own."""
    return False
