"""Randomness: what a source of random numbers is, where the ambient one comes from, and two kinds of source.

``KeySource`` is JAX's randomness, for the functional face. ``MT19937`` is PyTorch's CPU stream, in a host form
(numpy) and an in-program form (pure functions for ``jax.jit``).
"""

from pytreemod.rng.ambient import Source, scope, source, use
from pytreemod.rng.keys import KeySource

__all__ = ["KeySource", "Source", "scope", "source", "use"]
