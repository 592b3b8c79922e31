"""Covariance and correlation."""

from typing import Any

import jax.numpy as jnp

from pytreemod.torch import messages
from pytreemod.torch.dtypes import from_numpy_dtype
from pytreemod.torch.ops.failed import codes
from pytreemod.torch.ops.registry import composite, floating, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap


def _check(name: str, input: Any) -> None:
    if input.ndim > 2:
        raise RuntimeError(
            f"{name}(): expected input to have two or fewer dimensions but got an input with {input.ndim} dimensions"
        )
    if input.dtype == bool:
        raise RuntimeError(f"{name}(): bool dtype is not supported for input")


def _check_weights(name: str, weights: Any, kind: Any, words: str, count: int) -> None:
    if weights.ndim > 1:
        raise RuntimeError(
            f"cov(): expected {name} to have one or fewer dimensions but got {name} with {weights.ndim} dimensions"
        )
    if not jnp.issubdtype(weights.dtype, kind):
        have = messages.scalar_name(from_numpy_dtype(weights.dtype))
        raise RuntimeError(f"cov(): expected {name} to have {words} dtype but got {name} with {have} dtype")
    if weights.size != count:
        raise RuntimeError(
            f"cov(): expected {name} to have the same numel as there are observations in the input but got "
            f"{weights.size} != {count}"
        )


def _cov(input: Any, correction: int, fweights: Any, aweights: Any) -> tuple:
    """The covariance of the rows, and a code of what is wrong with the weights."""
    _check("cov", input)
    x = floating(jnp.atleast_1d(input))
    x = x if x.ndim == 2 else x[None]
    count = x.shape[1]
    weights, code = None, jnp.zeros((), jnp.int32)
    if fweights is not None:
        _check_weights("fweights", fweights, jnp.integer, "integral", count)
        code = jnp.where((fweights < 0).any(), 1, code)
        weights = fweights.reshape(-1).astype(x.real.dtype)
    if aweights is not None:
        _check_weights("aweights", aweights, jnp.floating, "floating point", count)
        code = jnp.where((code == 0) & (aweights < 0).any(), 2, code)
        alone = aweights.reshape(-1).astype(x.real.dtype)
        weights = alone if weights is None else weights * alone
    if weights is None:
        total = jnp.asarray(count, x.real.dtype)
        mean = jnp.sum(x, 1, keepdims=True) / total
        norm = total - correction
        weighted = away = x - mean
    else:
        total = jnp.sum(weights)
        code = jnp.where((code == 0) & (total == 0), 3, code)
        mean = jnp.sum(x * weights, 1, keepdims=True) / total
        norm = total - correction
        if aweights is not None and correction:
            norm = total - correction * jnp.sum(weights * alone) / total
        away = x - mean
        weighted = away * weights
    out = jnp.matmul(away, jnp.conj(weighted).T) / jnp.maximum(norm, 0).astype(x.real.dtype)
    return jnp.squeeze(out), code.astype(jnp.int32)


_cov.__name__ = "cov"
_COV = operation("SqueezeBackward0", method=False, function=False)(_cov)
_WRONG = {
    1: "cov(): fweights cannot be negative",
    2: "cov(): aweights cannot be negative",
    3: "cov(): weights sum to zero, can't be normalized",
}


@composite()
def cov(input: Tensor, *, correction: int = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """The covariance of the rows: (variables, observations) -> (variables, variables).

    Raises:
        RuntimeError: more than two dimensions, truth values, weights that do not fit or are negative.
    """
    found, code = wrap(call(_COV, (input, correction, fweights, aweights)))
    if fweights is not None or aweights is not None:
        wrong = codes(code)
        if wrong is not None and wrong.any():
            raise RuntimeError(_WRONG[int(wrong[0])])
    return found


@operation("CorrcoefBackward0")
def corrcoef(input: Any) -> Any:
    _check("corrcoef", input)
    found = _cov(input, 1, None, None)[0]
    if not found.ndim:
        return found / found
    spread = jnp.sqrt(jnp.diagonal(found).real)
    found = found / spread[:, None] / spread[None, :]
    if jnp.iscomplexobj(found):
        return jnp.clip(found.real, -1, 1) + 1j * jnp.clip(found.imag, -1, 1)
    return jnp.clip(found, -1, 1)
