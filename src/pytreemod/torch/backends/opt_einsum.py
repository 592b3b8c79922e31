"""``torch.backends.opt_einsum``: ``jax.numpy.einsum`` finds the order of contraction with it."""

enabled = True
strategy = "auto"


def is_available() -> bool:
    """True."""
    return True
