"""The Wishart distribution of positive-definite matrices."""

from __future__ import annotations

import math
import warnings
from typing import Any, ClassVar

from pytreemod.torch.distributions import constraints
from pytreemod.torch.distributions.chi2 import Chi2
from pytreemod.torch.distributions.exp_family import ExponentialFamily
from pytreemod.torch.distributions.factored import NAMES, Factored
from pytreemod.torch.distributions.names import (
    all_true,
    arange,
    diagonal_logs,
    eps,
    is_number,
    randn,
    solve_lower,
    tensor,
    where,
)
from pytreemod.torch.distributions.utils import vec_to_tril_matrix
from pytreemod.torch.linalg import slogdet
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.size import Size


class Wishart(Factored, ExponentialFamily):
    """Matrices (..., p, p): the scatter of ``df`` normal vectors of that covariance.

    Exactly one of ``covariance_matrix``, ``precision_matrix`` and ``scale_tril`` is given, (..., p, p).

    Raises:
        AssertionError: none or several of them.
        ValueError: ``df`` is not above p - 1, or too few dimensions; else as ``Distribution``.
    """

    support = constraints.positive_definite
    has_rsample = True
    _mean_carrier_measure = 0
    _expands: ClassVar[Any] = {"df": 0, **dict.fromkeys(NAMES, 2)}

    @property
    def arg_constraints(self) -> Any:
        return {
            "covariance_matrix": constraints.positive_definite,
            "precision_matrix": constraints.positive_definite,
            "scale_tril": constraints.lower_cholesky,
            "df": constraints.greater_than(self._event_shape[-1] - 1),
        }

    def __init__(
        self,
        df: Any,
        covariance_matrix: Any = None,
        precision_matrix: Any = None,
        scale_tril: Any = None,
        validate_args: bool | None = None,
    ):
        matrices = zip(NAMES, (covariance_matrix, precision_matrix, scale_tril), strict=True)
        given = [(name, matrix) for name, matrix in matrices if matrix is not None]
        if len(given) != 1:
            raise AssertionError("Exactly one of covariance_matrix or precision_matrix or scale_tril may be specified.")
        ((name, matrix),) = given
        if matrix.dim() < 2:
            raise ValueError("scale_tril must be at least two-dimensional, with optional leading batch dimensions")
        p = matrix.shape[-1]
        if is_number(df):
            batch_shape, self.df = matrix.shape[:-2], tensor(df, dtype=matrix.dtype)
        else:
            batch_shape = FUNCTIONS["broadcast_shapes"](matrix.shape[:-2], df.shape)
            self.df = df.expand(batch_shape)
        if not all_true(self.df > p - 1):  # type: ignore[operator]
            raise ValueError(f"Value of df={df} expected to be greater than ndim - 1 = {p - 1}.")
        if not all_true(self.df >= p):  # type: ignore[operator]
            warnings.warn(
                "Low df values detected. Singular samples are highly likely to occur for ndim - 1 < df < ndim.",
                stacklevel=2,
            )
        self.__dict__[name] = matrix.expand((*batch_shape, -1, -1))
        super().__init__(batch_shape, matrix.shape[-2:], validate_args=validate_args)
        self._factorize(name, matrix)
        self._dist_chi2 = self._chi2(self.df)

    def _chi2(self, df: Any) -> Chi2:
        return Chi2(df.unsqueeze(-1) - arange(self._event_shape[-1], dtype=df.dtype))

    def _expanded(self, new: Any, batch_shape: Size) -> None:
        super()._expanded(new, batch_shape)
        new._dist_chi2 = self._chi2(new.df) if batch_shape else self._dist_chi2

    def _per_matrix(self, x: Any) -> Any:
        return x.expand(self._batch_shape).reshape((*self._batch_shape, 1, 1))

    @property
    def mean(self) -> Any:
        return self._per_matrix(self.df) * self.covariance_matrix

    @property
    def mode(self) -> Any:
        factor = self.df - self._event_shape[-1] - 1
        return self._per_matrix(where(factor > 0, factor, math.nan)) * self.covariance_matrix

    @property
    def variance(self) -> Any:
        V = self.covariance_matrix
        diagonal = V.diagonal(dim1=-2, dim2=-1)
        return self._per_matrix(self.df) * (V.pow(2) + diagonal.unsqueeze(-1) * diagonal.unsqueeze(-2))

    def _bartlett_sampling(self, sample_shape: Any = ()) -> Any:
        """A sample by its Cholesky factor: chi numbers on the diagonal, normal ones below it."""
        p = self._event_shape[-1]
        chi = self._dist_chi2.rsample(sample_shape).sqrt()
        chi = chi.clamp(min=eps(chi))
        below = randn(Size(sample_shape) + self._batch_shape + (p * (p - 1) // 2,), chi)
        noise = chi.diag_embed()
        if p > 1:
            noise = noise + vec_to_tril_matrix(below, diag=-1)
        factor = self._unbroadcasted_scale_tril @ noise
        return factor @ factor.mT

    def rsample(self, sample_shape: Any = (), max_try_correction: int | None = None) -> Any:
        """A sample; singular ones are drawn again, ``max_try_correction`` times (10) at most."""
        tries = 10 if max_try_correction is None else max_try_correction
        sample = self._bartlett_sampling(sample_shape)
        if tries:
            # PyTorch 2.13 takes the samples that are regular for singular and draws them anew, once: so do we, as
            # the same seed is to give the same matrices
            sample = self._bartlett_sampling(sample_shape)
        for _ in range(tries - 1):
            regular = self.support.check(sample)
            if all_true(regular):
                break
            sample = where(regular.unsqueeze(-1).unsqueeze(-1), sample, self._bartlett_sampling(sample_shape))
        return sample

    def _scale(self) -> Any:
        """log of the scale that the factor of the density has per degree of freedom."""
        return self._event_shape[-1] * math.log(2) / 2 + diagonal_logs(self._unbroadcasted_scale_tril)

    def log_prob(self, value: Any) -> Any:
        if self._validate_args:
            self._validate_sample(value)
        df, p = self.df, self._event_shape[-1]
        half = solve_lower(self._unbroadcasted_scale_tril, value)
        # the trace of L^-T L^-1 V
        trace = solve_lower(self._unbroadcasted_scale_tril, half.mT).diagonal(dim1=-2, dim2=-1).sum(-1)
        log_det = slogdet(value)[1]
        return -df * self._scale() - (df / 2).mvlgamma(p) + (df - p - 1) / 2 * log_det - trace / 2

    def entropy(self) -> Any:
        df, p = self.df, self._event_shape[-1]
        half = df / 2
        slope = (half.unsqueeze(-1) - arange(p, dtype=half.dtype) / 2).digamma().sum(-1)  # type: ignore
        return (p + 1) * self._scale() + half.mvlgamma(p) - (df - p - 1) / 2 * slope + df * p / 2

    @property
    def _natural_params(self) -> tuple:
        return -self.precision_matrix / 2, (self.df - self._event_shape[-1] - 1) / 2

    def _log_normalizer(self, x: Any, y: Any) -> Any:  # type: ignore[override]
        p = self._event_shape[-1]
        df = y + (p + 1) / 2
        return df * (-slogdet(-2 * x)[1] + p * math.log(2)) + df.mvlgamma(p)
