"""What a tensor prints: PyTorch's text."""

from __future__ import annotations

from typing import Any

import jax
import numpy as np

from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.parameter import Parameter
from pytreemod.torch.printing import tensor_str
from pytreemod.torch.tape.graph import node_name
from pytreemod.torch.tensor import Tensor


def describe(tensor: Tensor, *, tensor_contents: Any = None) -> str:
    """The repr of a tensor; a tracer shows its shape and dtype."""
    array = tensor._array()
    value, tracked = tensor._read()
    leaf = tensor._leaf
    name = node_name(value) if tracked and not leaf else None
    prefix = "tensor(" if type(tensor) in (Tensor, Parameter) else type(tensor).__name__ + "("
    if isinstance(array, jax.core.Tracer):
        return f"{prefix}<{value.aval} traced by jax>)"
    return tensor_str(
        np.asarray(array), from_numpy_dtype(value.aval.dtype), grad_fn_name=name, requires_grad=leaf, prefix=prefix
    )


Tensor.__repr__ = describe
