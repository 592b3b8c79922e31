"""Maps of vectors to points of the simplex and to factors of matrices."""

from __future__ import annotations

import math
from typing import Any

from pytreemod.functional import pad, softmax, softplus
from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.names import cholesky, eps, eye, ones, tiny
from pytreemod.torch.distributions.transforms_base import Transform
from pytreemod.torch.distributions.utils import tril_matrix_to_vec, vec_to_tril_matrix


class SoftmaxTransform(Transform):
    """y = softmax(x) over the last dimension; not one to one, so it has no Jacobian."""

    domain, codomain = constraints.real_vector, constraints.simplex

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SoftmaxTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        return softmax(x, dim=-1)

    def _inverse(self, y: Any) -> Any:
        return y.log()

    def forward_shape(self, shape: Any) -> Any:
        return _at_least(shape, 1)

    def inverse_shape(self, shape: Any) -> Any:
        return _at_least(shape, 1)


def _at_least(shape: Any, dims: int) -> Any:
    if len(shape) < dims:
        raise ValueError("Too few dimensions on input")
    return shape


class StickBreakingTransform(Transform):
    """(..., k) -> (..., k + 1), points of the simplex: each number says what part of the rest is broken off."""

    domain, codomain = constraints.real_vector, constraints.simplex
    bijective = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StickBreakingTransform)

    __hash__ = object.__hash__

    def _left(self, x: Any) -> Any:
        """The number of parts that are still to come, counted down to 1, as logarithms."""
        k = x.shape[-1]
        return (k + 1 - ones(k, dtype=x.dtype).cumsum(-1)).log()  # type: ignore[attr-defined]

    def _call(self, x: Any) -> Any:
        z = _inside(x - self._left(x))
        return pad(z, [0, 1], value=1.0) * pad((1 - z).cumprod(-1), [1, 0], value=1.0)

    def _inverse(self, y: Any) -> Any:
        head = y[..., :-1]
        # what is left of the stick; rounding may not use it up
        rest = (1 - head.cumsum(-1)).clamp(min=tiny(y))
        return head.log() - rest.log() + self._left(head)

    def log_abs_det_jacobian(self, x: Any, y: Any) -> Any:
        away = x - self._left(x)
        return (-away - softplus(-away) + y[..., :-1].log()).sum(-1)

    def forward_shape(self, shape: Any) -> Any:
        _at_least(shape, 1)
        return shape[:-1] + (shape[-1] + 1,)

    def inverse_shape(self, shape: Any) -> Any:
        _at_least(shape, 1)
        return shape[:-1] + (shape[-1] - 1,)


def _inside(x: Any) -> Any:
    p = x.sigmoid()
    return p.clamp(min=tiny(p), max=1.0 - eps(p))


class LowerCholeskyTransform(Transform):
    """(..., n, n) -> lower triangular with positive diagonal: its exponential."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.lower_cholesky

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LowerCholeskyTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        return x.tril(-1) + x.diagonal(dim1=-2, dim2=-1).exp().diag_embed()

    def _inverse(self, y: Any) -> Any:
        return y.tril(-1) + y.diagonal(dim1=-2, dim2=-1).log().diag_embed()


class PositiveDefiniteTransform(Transform):
    """(..., n, n) -> positive-definite: L L^T of the lower triangular L of ``LowerCholeskyTransform``."""

    domain, codomain = constraints.independent(constraints.real, 2), constraints.positive_definite

    def __eq__(self, other: object) -> bool:
        return isinstance(other, PositiveDefiniteTransform)

    __hash__ = object.__hash__

    def _call(self, x: Any) -> Any:
        factor = LowerCholeskyTransform()(x)
        return factor @ factor.mT

    def _inverse(self, y: Any) -> Any:
        return LowerCholeskyTransform().inv(cholesky(y))


class CorrCholeskyTransform(Transform):
    """(..., n (n - 1) / 2) -> (..., n, n), the Cholesky factor of a correlation matrix.

    Each number becomes, by tanh, a partial correlation, and each row a point of the sphere.

    Source: Stan reference manual, Cholesky factors of correlation matrices.
    """

    domain, codomain = constraints.real_vector, constraints.corr_cholesky
    bijective = True

    def _call(self, x: Any) -> Any:
        x = x.tanh()
        x = x.clamp(min=-1 + eps(x), max=1 - eps(x))
        r = vec_to_tril_matrix(x, diag=-1)
        # of the square of a row's length 1 - r^2 is left after each entry
        left = (1 - r**2).sqrt().cumprod(-1)
        r = r + eye(r.shape[-1], dtype=r.dtype)
        return r * pad(left[..., :-1], [1, 0], value=1.0)

    def _inverse(self, y: Any) -> Any:
        left = (1 - (y * y).cumsum(-1)).clamp(min=tiny(y))
        before = pad(left[..., :-1], [1, 0], value=1.0)
        t = tril_matrix_to_vec(y, diag=-1) / tril_matrix_to_vec(before, diag=-1).sqrt()
        return (t.log1p() - t.neg().log1p()) / 2

    def log_abs_det_jacobian(self, x: Any, y: Any = None, intermediates: Any = None) -> Any:
        left = (1 - (y * y).cumsum(-1)).clamp(min=tiny(y))
        within = 0.5 * tril_matrix_to_vec(left, diag=-2).log().sum(-1)
        slopes = -2 * (x + softplus(-2 * x) - math.log(2.0)).sum(dim=-1)
        return within + slopes

    def forward_shape(self, shape: Any) -> Any:
        _at_least(shape, 1)
        size = shape[-1]
        n = round((0.25 + 2 * size) ** 0.5 + 0.5)
        if n * (n - 1) // 2 != size:
            raise ValueError("Input is not a flattened lower-diagonal number")
        return shape[:-1] + (n, n)

    def inverse_shape(self, shape: Any) -> Any:
        _at_least(shape, 2)
        if shape[-2] != shape[-1]:
            raise ValueError("Input is not square")
        n = shape[-1]
        return shape[:-2] + (n * (n - 1) // 2,)
