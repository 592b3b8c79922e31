"""``torch.masked``: reductions and normalisations that see only the elements where a mask is true. Loaded at first use.

Elsewhere stands what changes nothing: 0 in a sum, 1 in a product, the smallest number in a maximum. ``mask=None`` hides
nothing; a mask broadcasts to its input.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch import dtypes
from pytreemod.torch.ops.registry import FUNCTIONS, axes
from pytreemod.torch.ops.registry import axis as one_axis
from pytreemod.torch.tensor import Tensor, as_tensor


def _dims(dim: Any, ndim: int) -> tuple[int, ...]:
    """The dimensions named, all for None. Raises: RuntimeError where one is named twice."""
    given = dim if isinstance(dim, (tuple, list)) else ()
    places = [one_axis(d, ndim) for d in given]
    for d in places:
        if places.count(d) > 1:
            raise RuntimeError(f"dim={d} appears multiple times in the list of dims")
    return axes(dim, ndim)


def _shown(input: Tensor, mask: Any) -> Any:
    """The mask in the shape of its input, or None.

    Raises:
        IndexError: it has more dimensions.
        RuntimeError: it does not broadcast.
    """
    if mask is None:
        return None
    if mask.ndim > input.ndim:
        raise IndexError("_input_mask expected broadcastable mask (got mask dimensionality higher than of the input)")
    return mask.bool().expand(tuple(input.shape))


def _filled(input: Tensor, mask: Any, value: Any) -> Tensor:
    """``input`` with ``value`` where the mask is false."""
    shown = _shown(input, mask)
    if shown is None:
        return input
    return FUNCTIONS["where"](shown, input, as_tensor(np.asarray(value).astype(input._aval.dtype)))


def _bounded(name: str, input: Tensor, mask: Any, largest: bool) -> Tensor:
    """``input`` with the largest or the smallest number where the mask is false."""
    return input if mask is None else _filled(input, mask, _bound(name, input.dtype, largest))


def _bound(name: str, dtype: Any, largest: bool) -> Any:
    """The largest or the smallest number of a dtype. Raises: NotImplementedError for booleans."""
    if dtype is dtypes.bool:
        raise NotImplementedError(f"identity of {name} on {dtype} input")
    if dtype.is_floating_point or dtype.is_complex:
        return math.inf if largest else -math.inf
    limits = np.iinfo(dtype.numpy)
    return limits.max if largest else limits.min


def _cast(input: Tensor, dtype: Any, whole: bool = False) -> Tensor:
    """``input`` in the dtype asked for; ``whole``: integers in 64 bits, where none is."""
    if dtype is None and whole and not (input.dtype.is_floating_point or input.dtype.is_complex):
        dtype = dtypes.int64
    return input if dtype is None else input.to(dtype)  # type: ignore[attr-defined]


def sum(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The sum over ``dim``; of nothing 0."""
    x = _filled(_cast(input, dtype, whole=True), mask, 0)
    return x.sum(_dims(dim, x.ndim), bool(keepdim), dtype=x.dtype)  # type: ignore[attr-defined]


def prod(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The product over ``dim``; of nothing 1."""
    x = _filled(_cast(input, dtype, whole=True), mask, 1)
    for d in sorted(_dims(dim, x.ndim), reverse=True):
        x = x.prod(d, bool(keepdim), dtype=x.dtype)  # type: ignore[attr-defined]
    return x


def _running(name: str, value: int) -> Callable:
    def scan(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
        if input.dtype is dtypes.bool and dtype is None:
            raise NotImplementedError(f"\"{name}_out_cpu\" not implemented for 'Bool'")
        x = _filled(_cast(input, dtype), mask, value)
        return getattr(x, name)(dim, dtype=x.dtype)

    scan.__name__ = scan.__qualname__ = name
    scan.__doc__ = f"``{name}`` along ``dim``, where what is hidden changes nothing."
    return scan


cumsum, cumprod = _running("cumsum", 0), _running("cumprod", 1)


def _extreme(name: str, largest: bool) -> Callable:
    def reduce(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Tensor:
        x = _bounded(name, _cast(input, dtype), mask, largest)
        if name.startswith("arg"):
            return getattr(x, name)(dim, bool(keepdim)).to(x.dtype)
        return getattr(x, name)(_dims(dim, x.ndim), bool(keepdim))

    reduce.__name__ = reduce.__qualname__ = name
    reduce.__doc__ = f"``{name}`` over ``dim``, in the dtype of the input."
    return reduce


amax, amin = _extreme("amax", False), _extreme("amin", True)
argmax, argmin = _extreme("argmax", False), _extreme("argmin", True)


def _count(input: Tensor, dim: tuple, keepdim: bool, mask: Any, dtype: Any) -> Tensor:
    """How many elements of ``dim`` the mask shows."""
    shown = _shown(input, mask)
    if shown is None:
        size = math.prod(input.shape[d] for d in dim)
        kept = tuple(1 if d in dim else n for d, n in enumerate(input.shape) if keepdim or d not in dim)
        return as_tensor(np.full(kept, size, dtype.numpy))
    return shown.sum(dim, keepdim).to(dtype)


def mean(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The mean over ``dim``; of nothing nan.

    Raises:
        ValueError: integers.
    """
    which, kind = ("Input", input.dtype) if dtype is None else ("Optional", dtype)
    if not (kind.is_floating_point or kind.is_complex):
        raise ValueError(
            f"mean(): Could not infer output dtype. {which} dtype must be either a floating point or complex dtype. "
            f"Got: {kind}"
        )
    x, over = _cast(input, dtype), _dims(dim, input.ndim)
    total = _filled(x, mask, 0).sum(over, bool(keepdim))  # type: ignore[attr-defined]
    return total / _count(x, over, bool(keepdim), mask, total.dtype)


def median(input: Tensor, dim: int = -1, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The lower median along ``dim``; of nothing nan. As in PyTorch ``dtype`` does not change that of the result.

    Raises:
        ValueError: all is hidden of a row that could not hold nan.
    """
    shown, floating = _shown(input, mask), input.dtype.is_floating_point
    if shown is not None and not floating and not bool(shown.any(dim).all()):
        raise ValueError("masked median expects no fully masked out rows if dtype is not floating point")
    x = input if floating else input.float()  # type: ignore[attr-defined]
    return _filled(x, mask, math.nan).nanmedian(dim, bool(keepdim))[0].to(input.dtype)  # type: ignore[attr-defined]


def logsumexp(input: Tensor, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None) -> Tensor:
    """The logarithm of the sum of the exponentials over ``dim``; of nothing minus infinity."""
    x = _bounded("logsumexp", _cast(input, dtype), mask, False)
    return FUNCTIONS["logsumexp"](x, _dims(dim, x.ndim), bool(keepdim)).to(x.dtype)


def logaddexp(
    input: Tensor, other: Tensor, *, dtype: Any = None, input_mask: Any = None, other_mask: Any = None
) -> Tensor:
    """``logaddexp`` of two tensors of one shape, each with its mask; what is hidden counts as minus infinity."""
    one, two = _cast(input, dtype), _cast(other, dtype)
    if not (one.dtype.is_floating_point or one.dtype.is_complex):
        raise NotImplementedError(f"\"logaddexp_cpu\" not implemented for '{one.dtype.scalar_name}'")
    return FUNCTIONS["logaddexp"](_filled(one, input_mask, -math.inf), _filled(two, other_mask, -math.inf))


def norm(
    input: Tensor, ord: float = 2.0, dim: Any = None, *, keepdim: Any = False, dtype: Any = None, mask: Any = None
) -> Tensor:
    """The vector norm over ``dim``; what is hidden counts as 0, of minus infinity's as infinity, as in PyTorch.

    Raises:
        RuntimeError: integers.
        TypeError: ``ord`` is no number.
    """
    if not isinstance(ord, (int, float)):
        raise TypeError(f"linalg_vector_norm(): argument 'ord' (position 2) must be Number, not {type(ord).__name__}")
    x = _cast(input, dtype)
    if not (x.dtype.is_floating_point or x.dtype.is_complex):
        raise RuntimeError(
            f"linalg.vector_norm: Expected a floating point or complex tensor as input. Got {x.dtype.scalar_name}"
        )
    x = _filled(x, mask, math.inf if ord == -math.inf else 0)
    return FUNCTIONS["norm"](x, float(ord), _dims(dim, x.ndim), bool(keepdim))


def _spread(input: Tensor, dim: Any, unbiased: Any, correction: Any, keepdim: bool, dtype: Any, mask: Any) -> Tensor:
    if unbiased is not None and correction is not None:
        raise AssertionError("Only one of unbiased and correction may be given")
    less = float(unbiased) if unbiased is not None else 1.0 if correction is None else float(correction)
    if input.dtype is dtypes.bool and dtype is None:
        raise RuntimeError(
            "Subtraction, the `-` operator, with a bool tensor is not supported. If you are trying to invert a mask, "
            "use the `~` or `logical_not()` operator instead."
        )
    if dtype is None and not (input.dtype.is_floating_point or input.dtype.is_complex):
        dtype = dtypes.get_default_dtype()
    x, over = _cast(input, dtype), _dims(dim, input.ndim)
    kind = x.dtype
    count = _count(x, over, True, mask, kind)
    away = x - _filled(x, mask, 0).sum(over, True) / count  # type: ignore[attr-defined]
    square = away * away.conj() if kind.is_complex else away * away
    total = _filled(square, mask, 0).sum(over, keepdim)  # type: ignore[attr-defined]
    free = count if keepdim else count.reshape(tuple(total.shape))  # type: ignore[attr-defined]
    real = free.real if kind.is_complex else free
    return total / (real - less).clamp(min=0)


def var(
    input: Tensor, dim: Any = None, unbiased: Any = None, *, correction: Any = None, keepdim: Any = False,
    dtype: Any = None, mask: Any = None,
) -> Tensor:  # fmt: skip
    """The variance over ``dim``, with one less than the number of elements as divisor unless told otherwise."""
    return _spread(input, dim, unbiased, correction, bool(keepdim), dtype, mask)


def std(
    input: Tensor, dim: Any = None, unbiased: Any = None, *, correction: Any = None, keepdim: Any = False,
    dtype: Any = None, mask: Any = None,
) -> Tensor:  # fmt: skip
    """The standard deviation: the root of ``var``."""
    return _spread(input, dim, unbiased, correction, bool(keepdim), dtype, mask).sqrt()  # type: ignore[attr-defined]


def _normal(name: str, largest: bool, function: Callable) -> Callable:
    def normalise(input: Tensor, dim: int, *, dtype: Any = None, mask: Any = None) -> Tensor:
        x = _bounded("amin" if largest else "amax", _cast(input, dtype), mask, largest)
        if not (x.dtype.is_floating_point or x.dtype.is_complex):
            kernel = ("log_" if name == "log_softmax" else "") + "softmax_lastdim_kernel_impl"
            raise NotImplementedError(f"\"{kernel}\" not implemented for '{x.dtype.scalar_name}'")
        return function(x, dim)

    normalise.__name__ = normalise.__qualname__ = name
    normalise.__doc__ = f"``{name}`` along ``dim``; where all is hidden nan."
    return normalise


softmax = _normal("softmax", False, FUNCTIONS["softmax"])
log_softmax = _normal("log_softmax", False, FUNCTIONS["log_softmax"])
softmin = _normal("softmin", True, lambda x, dim: FUNCTIONS["softmax"](-x, dim))


def normalize(
    input: Tensor, ord: float, dim: int, *, eps: float = 1e-12, dtype: Any = None, mask: Any = None
) -> Tensor:
    """``input`` divided by its norm along ``dim``, or by ``eps`` if that is larger; zero where it is hidden."""
    x = _cast(input, dtype)
    size = norm(x, ord, dim, keepdim=True, mask=mask)
    return _filled(x, mask, 0) / FUNCTIONS["clamp"](size, min=eps)


def is_masked_tensor(obj: Any) -> bool:
    """False: there are no tensors of that kind here."""
    return False


def masked_tensor(*_: Any, **__: Any) -> Any:
    raise NotImplementedError(
        "torch.masked: MaskedTensor is not implemented; keep the mask beside its tensor, and use the functions here"
    )


as_masked_tensor = MaskedTensor = masked_tensor
