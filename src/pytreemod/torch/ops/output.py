"""Results written where they belong: into tensors given as ``out=``, or back into the tensor that was changed."""

from __future__ import annotations

from typing import Any

import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import float8_e4m3fn, from_numpy_dtype
from pytreemod.torch.promotion import can_cast
from pytreemod.torch.record import OPS, call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op, Value
from pytreemod.torch.tensor import Tensor

_EXACT_OUT = frozenset(
    "gather sort cross quantile clamp logcumsumexp softmax log_softmax renorm histc tensordot sign count_nonzero "
    "nonzero sort mm bmm dot mv matmul addmm addmv addbmm baddbmm index_select stack take topk argmax argmin complex "
    "polar median nanmedian kthvalue mode amax amin aminmax where diag cummax cummin scatter scatter_add index_add "
    "index_copy tril triu max min msort searchsorted bucketize masked_select inner vdot isin".split()
)  # of these PyTorch takes no ``out`` of another dtype
_ANY_OUT = frozenset("sum prod nansum cumsum cumprod".split())  # and of these one that loses the category
_TRUTH_OUT = {
    **dict.fromkeys(("isposinf", "isneginf", "signbit"), "{name} does not support non-boolean outputs."),
    **dict.fromkeys(("all", "any"), "{name} only supports bool tensor for result, got: {kind}"),
}  # these take truth values alone
_APART = frozenset("gather take index_select".split())  # these may not be written over what they read


def rounded(x: Any, dtype: Any) -> Any:
    """``x`` in another dtype."""
    if dtype == _SATURATING and jnp.issubdtype(x.dtype, jnp.floating):
        largest = float(jnp.finfo(dtype).max)  # it has no infinity: PyTorch goes to its end, XLA to NaN
        x = jnp.where(jnp.abs(x) > largest, jnp.copysign(jnp.asarray(largest, x.dtype), x), x)
    return x.astype(dtype)


_SATURATING = float8_e4m3fn.numpy
CAST = Op(rounded, "ToCopyBackward0", saves="none")
OPS[rounded] = CAST


def deliver(name: str, result: Any, out: Any, args: tuple) -> Any:
    """Write the result of a function into the tensors given as ``out=``, once it is clear that they can take it.

    Raises:
        RuntimeError: with PyTorch's words.
    """
    pairs = zip(result, out, strict=False) if isinstance(out, (tuple, list)) else ((result, out),)
    for have, want in pairs:
        if not isinstance(want, Tensor):
            raise TypeError(f"{name}(): argument 'out' must be Tensor, not {type(want).__name__}")
        if (
            name in _TRUTH_OUT
            and want.dtype.name != "bool"
            and not (name in ("all", "any") and want.dtype.name == "uint8")
        ):
            raise RuntimeError(_TRUTH_OUT[name].format(name=name, kind=messages.scalar_name(want.dtype)))
        if name in _EXACT_OUT and have.dtype is not want.dtype:
            names = [messages.scalar_name(x.dtype) for x in (have, want)]
            raise RuntimeError(
                f"{name}: Expected out tensor to have dtype {names[0].lower()}, but got {names[1].lower()} instead: "
                f"Expected object of scalar type {names[0]} but got scalar type {names[1]} for argument 'out'"
            )
        if name not in _ANY_OUT and not can_cast(have.dtype, want.dtype):
            raise RuntimeError(
                f"result type {messages.scalar_name(have.dtype)} can't be cast to the desired output type "
                f"{messages.scalar_name(want.dtype)}"
            )
        if name in _APART and any(isinstance(a, Tensor) and a._cell is want._cell for a in args):
            raise RuntimeError(
                f"{name}: unsupported operation: some elements of the input tensor and the written-to tensor refer to "
                "a single memory location. Please clone() the tensor before performing the operation."
            )
    return write_out(result.to(out.dtype) if name in _ANY_OUT else result, out)


def write_out(result: Any, out: Any) -> Any:
    """Write a result into the tensors given as ``out=``."""
    if isinstance(out, (tuple, list)):
        for r, o in zip(result, out, strict=True):
            write_out(r, o)
        return out
    if out.requires_grad and modes.grad or result.requires_grad:
        raise RuntimeError("functions with out=... arguments don't support automatic differentiation")
    if out.shape != result.shape:
        out.data = result.to(out.dtype)
        return out
    out._write(fitted(result._read()[0], out))
    return out


def fitted(value: Value, tensor: Tensor) -> Value:
    """A new value for ``tensor``, cast to its dtype.

    Raises:
        RuntimeError: the shape differs, or the dtype's category would fall.
    """
    own = tensor._read()[0].aval
    if value.aval is own:
        return value
    if value.aval.shape != own.shape:
        raise RuntimeError(
            f"output with shape {list(own.shape)} doesn't match the broadcast shape {list(value.aval.shape)}"
        )
    have, want = from_numpy_dtype(value.aval.dtype), from_numpy_dtype(own.dtype)
    if not can_cast(have, want):
        raise RuntimeError(
            f"result type {messages.scalar_name(have)} can't be cast to the desired output type "
            f"{messages.scalar_name(want)}"
        )
    return call(CAST, (value, want))
