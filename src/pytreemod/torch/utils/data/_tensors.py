"""All that data loading knows of tensors and generators. Batches are made by NumPy: no JAX runs here."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.random import Generator, default_generator
from pytreemod.torch.tensor import Tensor, as_tensor


def is_tensor(x: Any) -> bool:
    """Whether ``x`` is a tensor of the stateful face."""
    return isinstance(x, Tensor)


def from_host(array: np.ndarray) -> Tensor:
    """A tensor on a NumPy array, which it keeps: nobody else may write to it.

    Raises:
        TypeError: no tensor has the array's dtype.
    """
    from_numpy_dtype(array.dtype)
    return as_tensor(array)


def host(tensor: Any) -> np.ndarray | None:
    """A tensor's values, to be read only; None where only the tape can say them: a gradient or a trace."""
    if not is_tensor(tensor) or tensor.requires_grad:
        return None
    array = tensor._array()
    return None if isinstance(array, jax.core.Tracer) else np.asarray(array)


def stack(tensors: list) -> Tensor:
    """The tensors along a new first axis, as ``torch.stack``: promoted, checked, with their gradients."""
    return FUNCTIONS["stack"](tensors)


def _stream(generator: Any) -> Any:
    return (default_generator if generator is None else generator).stream


def seed_draw(generator: Any = None) -> int:
    """A seed below 2**63 from two words of the generator, as ``random_()`` of an int64 scalar draws it."""
    return int(_stream(generator).randint(0, 2**63, (), dtype="int64"))


def make_generator(seed: int) -> Any:
    """A generator of its own."""
    generator = Generator()
    generator.manual_seed(seed)
    return generator


def manual_seed(seed: int) -> None:
    """Seed the default generator."""
    default_generator.manual_seed(seed)


def permutation(n: int, generator: Any = None) -> list[int]:
    """The numbers below ``n`` in random order: ``torch.randperm(n).tolist()``."""
    return np.asarray(_stream(generator).permutation(n)).tolist()


def randint_list(n: int, count: int, generator: Any = None) -> list[int]:
    """``count`` numbers below ``n``: ``torch.randint(n, (count,)).tolist()``."""
    return np.asarray(_stream(generator).randint(0, n, (count,), dtype="int64")).tolist()


def uniform(count: int, generator: Any = None) -> np.ndarray:
    """``count`` float64 numbers in [0, 1), 53 bits from two words each."""
    return np.asarray(_stream(generator).uniform((count,), dtype="float64"))
