"""``torch.backends.mkl``: not used."""


def is_available() -> bool:
    """False: XLA has routines of its own."""
    return False
