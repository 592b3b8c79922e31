"""Clipping gradients by norm or value, as instructions of the tape: nothing runs before the step."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.torch.ops.registry import cast
from pytreemod.torch.record import OPS, call, item
from pytreemod.torch.tape.value import Op, Value, constant
from pytreemod.torch.tensor import Tensor, wrap


def _norm(values: Any, order: float) -> Any:
    """The norm of all values, ()."""
    sizes = jnp.abs(values)
    if order == np.inf:
        return jnp.max(sizes, initial=0)
    if order == -np.inf:
        return jnp.min(sizes)
    if order == 0:
        return jnp.sum(sizes != 0, dtype=sizes.dtype)
    if order == 1:
        return jnp.sum(sizes)
    if order == 2:
        return jnp.sqrt(jnp.sum(sizes * sizes))
    return jnp.sum(sizes**order) ** (1 / order)


def _total_norm(*tensors: Any, order: float) -> Any:
    norms = [_norm(t, order) for t in tensors]
    kind = jnp.result_type(*(n.dtype for n in norms))
    return _norm(jnp.stack([n.astype(kind) for n in norms]), order)


def _scaled(max_norm: Any, total: Any, *tensors: Any) -> tuple:
    factor = jnp.minimum(cast(max_norm, total.dtype) / (total + 1e-6), 1)
    return tuple(t * factor.astype(t.dtype) for t in tensors)


def _clamped(limit: Any, *tensors: Any) -> tuple:
    return tuple(jnp.clip(t, -cast(limit, t.dtype), cast(limit, t.dtype)) for t in tensors)


TOTAL, SCALE, CLAMP = Op(_total_norm), Op(_scaled, numbers=True), Op(_clamped, numbers=True)
OPS.update({_total_norm: TOTAL, _scaled: SCALE, _clamped: CLAMP})


def get_total_norm(
    tensors: Any, norm_type: float = 2.0, error_if_nonfinite: bool = False, foreach: bool | None = None
) -> Tensor:
    """The norm of all values of all tensors together, (). Only ``error_if_nonfinite`` computes it now.

    Raises:
        RuntimeError: the norm is not finite, with ``error_if_nonfinite``.
    """
    tensors = [tensors] if isinstance(tensors, Tensor) else list(tensors)
    if not tensors:
        return wrap(constant(np.zeros((), np.float32)))
    norm_type = float(norm_type)
    total = wrap(call(TOTAL, tuple(t.detach() for t in tensors), {"order": norm_type}))
    if error_if_nonfinite and not np.isfinite(np.asarray(total._array(), np.float64)):
        raise RuntimeError(
            f"The total norm of order {norm_type} for gradients from `parameters` is non-finite, so it "
            "cannot be "
            "clipped. To disable this error and scale the gradients by the non-finite norm anyway, set "
            "`error_if_nonfinite=False`"
        )
    return total


def _gradients(parameters: Any, who: str) -> list[Tensor]:
    if isinstance(parameters, Tensor):
        parameters = [parameters]
    elif not isinstance(parameters, Iterable):
        raise TypeError(f"{who}: expected a Tensor or an iterable of Tensors, got {type(parameters).__name__}")
    parameters = list(parameters)
    if not parameters:
        warnings.warn(f"`parameters` is an empty generator, no gradient clipping will occur in {who}.", stacklevel=3)
    return [p._grad for p in parameters if p._grad is not None]


def _write(grads: list[Tensor], new: Value) -> None:
    for k, grad in enumerate(grads):
        grad.detach()._write(item(new, k))


def clip_grads_with_norm_(parameters: Any, max_norm: float, total_norm: Tensor, foreach: bool | None = None) -> None:
    """Scale gradients in place by ``max_norm / total_norm``, if that is below 1."""
    grads = _gradients(parameters, "clip_grads_with_norm_")
    if grads:
        limit = float(max_norm) if isinstance(max_norm, (int, np.generic)) else max_norm
        _write(grads, call(SCALE, (limit, total_norm.detach(), *(g.detach() for g in grads))))


def clip_grad_norm_(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """Scale gradients in place to a common norm of at most ``max_norm``; returns the norm before, ().

    Raises:
        RuntimeError: the norm is not finite, with ``error_if_nonfinite``; nothing has changed.
    """
    parameters = [parameters] if isinstance(parameters, Tensor) else parameters
    parameters = list(parameters)
    grads = _gradients(parameters, "clip_grad_norm_")
    total = get_total_norm(grads, norm_type, error_if_nonfinite)
    if grads:
        clip_grads_with_norm_(parameters, max_norm, total)
    return total


def clip_grad_value_(parameters: Any, clip_value: float, foreach: bool | None = None) -> None:
    """Clamp gradients in place to [-clip_value, clip_value]."""
    grads = _gradients(parameters, "clip_grad_value_")
    if grads:
        _write(grads, call(CLAMP, (float(clip_value), *(g.detach() for g in grads))))


def clip_grad_norm(
    parameters: Any,
    max_norm: float,
    norm_type: float = 2.0,
    error_if_nonfinite: bool = False,
    foreach: bool | None = None,
) -> Tensor:
    """The former name of ``clip_grad_norm_``."""
    warnings.warn(
        "`torch.nn.utils.clip_grad_norm` is now deprecated in favor of `torch.nn.utils.clip_grad_norm_`.",
        FutureWarning,
        stacklevel=2,
    )
    return clip_grad_norm_(parameters, max_norm, norm_type, error_if_nonfinite, foreach)
