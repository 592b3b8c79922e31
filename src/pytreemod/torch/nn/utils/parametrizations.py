"""``torch.nn.utils.parametrizations``: weight normalization, spectral normalization, orthogonal matrices."""

from __future__ import annotations

from typing import Any

import pytreemod.functional as F
from pytreemod.nn import conv
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.nn.live import live_class, write_buffer
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.utils import maps
from pytreemod.torch.nn.utils.parametrize import register_parametrization
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.random import randn
from pytreemod.torch.tensor import Tensor


class _WeightNorm(Module):
    """Lengths and directions as one weight."""

    def __init__(self, dim: int | None = 0):
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Any, weight_v: Any) -> Any:
        return maps.weight_norm(weight_v, weight_g, self.dim)

    def right_inverse(self, weight: Any) -> tuple:
        return FUNCTIONS["norm_except_dim"](weight, 2, self.dim), weight


class _OldNames:
    """Takes ``weight_g`` and ``weight_v`` of a checkpoint for the originals."""

    def __init__(self, name: str):
        self.name = name

    def __call__(self, state_dict: Any, prefix: str, *_: Any) -> None:
        keys = f"{prefix}{self.name}_g", f"{prefix}{self.name}_v"
        if all(key in state_dict for key in keys):
            for k, key in enumerate(keys):
                state_dict[f"{prefix}parametrizations.{self.name}.original{k}"] = state_dict.pop(key)


def weight_norm(module: Any, name: str = "weight", dim: int | None = 0) -> Any:
    """Learn the lengths (``original0``) and directions (``original1``) of a weight apart.

    Args:
        dim: a length for each index of this dimension; one for the whole weight with None.

    Source: Salimans and Kingma 2016, arXiv:1602.07868.
    """
    register_parametrization(module, name, _WeightNorm(dim), unsafe=True)
    module._register_load_state_dict_pre_hook(_OldNames(name))
    return module


class _SpectralNorm(Module):
    """A weight divided by its largest singular value, which the power method estimates."""

    def __init__(self, weight: Any, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12):
        super().__init__()
        ndim = weight.ndim
        if not -ndim <= dim < ndim:
            raise IndexError(f"Dimension out of range (expected to be in range of [-{ndim}, {ndim - 1}] but got {dim})")
        if n_power_iterations <= 0:
            raise ValueError(
                f"Expected n_power_iterations to be positive, but got n_power_iterations={n_power_iterations}"
            )
        self.dim, self.eps = dim % ndim, eps
        if ndim > 1:
            self.n_power_iterations = n_power_iterations
            rows, columns = maps.matrix_size(weight.shape, self.dim)
            u, v = (weight.new_empty(n).normal_(0, 1) for n in (rows, columns))
            self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
            self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
            self._power_method(weight, 15)

    def _power_method(self, weight: Any, n_power_iterations: int) -> None:
        with no_grad():
            u, v = maps.power(weight, self._u, self._v, n_power_iterations, self.eps, self.dim, True)
        write_buffer(self._u, u)
        write_buffer(self._v, v)

    def forward(self, weight: Any) -> Any:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        if self.training:
            self._power_method(weight, self.n_power_iterations)
        return maps.spectral(weight, self._u, self._v, self.dim)

    def right_inverse(self, value: Any) -> Any:
        return value


def weight_of(module: Any, name: str) -> Tensor:
    """The tensor of a name.

    Raises:
        ValueError: there is none.
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'")
    return weight


def output_dim(module: Any) -> int:
    """The dimension of a layer's weight that numbers its outputs."""
    return int(
        isinstance(module, tuple(map(live_class, (conv.ConvTranspose1d, conv.ConvTranspose2d, conv.ConvTranspose3d))))
    )


def spectral_norm(
    module: Any, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12, dim: int | None = None
) -> Any:
    """Divide a weight by its largest singular value; in training every read improves the estimate.

    Args:
        dim: the dimension of outputs; 1 for transposed convolutions, else 0.

    Raises:
        ValueError: there is no such tensor, or no iterations are asked for.

    Source: Miyato et al. 2018, arXiv:1802.05957.
    """
    weight = weight_of(module, name)
    made = _SpectralNorm(weight, n_power_iterations, output_dim(module) if dim is None else dim, eps)
    return register_parametrization(module, name, made)


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows, where it is wide), times a fixed one that it began with."""

    base: Tensor | None

    def __init__(self, weight: Any, orthogonal_map: str, *, use_trivialization: bool = True):
        super().__init__()
        if weight.dtype.is_complex and orthogonal_map == "householder":
            raise ValueError("The householder parametrization does not support complex tensors.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        self.use_trivialization = use_trivialization
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, X: Any) -> Any:
        wide = X.shape[-2] < X.shape[-1]
        Q = maps.orthogonal(X.mT if wide else X, self.orthogonal_map)
        if self.use_trivialization:
            Q = self.base @ Q
        return Q.mT if wide else Q

    @no_grad()
    def right_inverse(self, Q: Any) -> Any:
        if Q.shape != self.shape:
            raise ValueError(
                f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of shape {Q.shape}."
            )
        start, wide = Q, Q.shape[-2] < Q.shape[-1]
        Q = Q.mT if wide else Q
        n, k = Q.shape[-2:]
        if not self.use_trivialization:
            if self.orthogonal_map != "householder":
                raise NotImplementedError(
                    "It is not possible to assign to the matrix exponential or the Cayley parametrizations when "
                    "use_trivialization=False."
                )
            A = maps.reflectors_of(Q)
            return A.mT if wide else A
        if n == k:
            Q = Q.clone() if maps.is_orthogonal(Q) else maps.orthogonal_of(Q)
        else:
            rest = randn(*Q.shape[:-1], n - k, dtype=Q.dtype)
            Q = maps.orthogonal_of(FUNCTIONS["cat"]([Q, rest], dim=-1))
        self.base = Q
        return _minus_eye(start)


def _minus_eye(like: Any) -> Any:
    out = like.new_zeros(like.shape)
    out.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
    return out


def orthogonal(
    module: Any, name: str = "weight", orthogonal_map: str | None = None, *, use_trivialization: bool = True
) -> Any:
    """Keep a matrix, or a batch of matrices, orthogonal (unitary) while it is trained.

    Args:
        orthogonal_map: "matrix_exp", "cayley" or "householder"; the first for square or complex ones, else the last.
        use_trivialization: multiply by the matrix that it began with.

    Raises:
        ValueError: there is no such tensor, it is no matrix, or the map is unknown.

    Source: Lezcano-Casado 2019, arXiv:1909.09501.
    """
    weight = weight_of(module, name)
    if weight.ndim < 2:
        raise ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.dtype.is_complex else "householder"
    if orthogonal_map not in ("matrix_exp", "cayley", "householder"):
        raise ValueError(
            f'orthogonal_map has to be one of "matrix_exp", "cayley", "householder". Got: {orthogonal_map}'
        )
    made = _Orthogonal(weight, orthogonal_map, use_trivialization=use_trivialization)
    return register_parametrization(module, name, made, unsafe=True)


__all__ = ["orthogonal", "spectral_norm", "weight_norm"]
