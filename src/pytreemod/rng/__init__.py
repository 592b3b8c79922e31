"""Randomness: what a source of random numbers is, where the ambient one comes from, and the sources there are.

``KeySource`` is JAX's randomness, for the functional face. MT19937 is PyTorch's CPU stream, in two forms:
``HostStream`` (numpy, fast outside programs) and ``ProgramStream`` (pure functions of a state array, for ``jax.jit``).
"""

from pytreemod.rng.ambient import Source, memory_order, scope, source, use
from pytreemod.rng.host import HostStream
from pytreemod.rng.keys import KeySource
from pytreemod.rng.program import ProgramStream

__all__ = ["HostStream", "KeySource", "ProgramStream", "Source", "memory_order", "scope", "source", "use"]
