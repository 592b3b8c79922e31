"""What JAX computes on, in PyTorch's words."""

from __future__ import annotations

import functools

import jax


@functools.cache
def accelerator_type() -> str | None:
    """ "cuda" if JAX computes on a GPU, "xla" on a TPU, None on the CPU. Asking starts JAX's backend."""
    kind = jax.default_backend()
    if kind == "cpu":
        return None
    return "cuda" if kind in ("gpu", "cuda", "rocm") else "xla"
