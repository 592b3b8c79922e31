"""``torch.fft``: discrete Fourier transforms, each one JAX's own."""

import functools
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.creation import made
from pytreemod.torch.dtypes import as_dtype, default, from_numpy_dtype
from pytreemod.torch.ops.registry import axis, floating, operation, spelled
from pytreemod.torch.tensor import Tensor

_NODES = {"complex": "FftC2CBackward0", "half": "FftR2CBackward0", "real": "FftC2RBackward0"}


def _transform(gives: str) -> Callable:
    """Offer a pure function as a function on tensors; it ``gives`` complex numbers, half of them, or real ones."""

    def offer(pure: Callable) -> Callable:
        name = pure.__name__
        op = operation(_NODES[gives], "none", method=False, function=False, name="fft_" + name)(pure)
        plain = spelled(op, False, None)

        @functools.wraps(pure)
        def public(*args: Any, out: Any = None, **kwargs: Any) -> Tensor:
            if out is not None and (out.dtype.is_complex is (gives == "real")):
                kind = "floating point" if gives == "real" else "complex"
                raise RuntimeError(f"{name} expects a {kind} output tensor, but got {messages.scalar_name(out.dtype)}")
            return plain(*args, out=out, **kwargs)

        return public

    return offer


def _values(x: Any) -> Any:
    """The input as floating point or complex numbers. Raises: RuntimeError where PyTorch has no such transform."""
    x = floating(x)
    if x.dtype.itemsize < 4:
        raise RuntimeError(f"Unsupported dtype {messages.scalar_name(from_numpy_dtype(x.dtype))}")
    return x


def _real(name: str, x: Any, words: str = "expects a real input tensor") -> Any:
    if jnp.iscomplexobj(x):
        raise RuntimeError(f"{name} {words}, but got {messages.scalar_name(from_numpy_dtype(x.dtype))}")
    return _values(x)


def _mode(norm: Any) -> Any:
    if norm not in (None, "forward", "backward", "ortho"):
        raise RuntimeError(f'Invalid normalization mode: "{norm}"')
    return norm


def _length(n: int) -> int:
    if n < 1:
        raise RuntimeError(f"Invalid number of data points ({n}) specified")
    return n


def _along(x: Any, n: Any, dim: int, half: bool = False) -> tuple[int, int]:
    """The length of a transform and its dimension; of half a spectrum, the length of what it is the half of."""
    if not x.ndim:
        raise IndexError(f"Dimension specified as {dim} but tensor has no dimensions")
    dim = axis(dim, x.ndim)
    return _length((2 * (x.shape[dim] - 1) if half else x.shape[dim]) if n is None else n), dim


def _over(x: Any, s: Any, dim: Any, half: bool = False) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The lengths and dimensions of a transform over several dimensions."""
    s = (s,) if isinstance(s, int) else s
    dim = (dim,) if isinstance(dim, int) else dim
    if dim is not None:
        dims = tuple(axis(d, x.ndim) for d in dim)
        if len(set(dims)) < len(dims):
            raise RuntimeError("FFT dims must be unique")
        if s is not None and len(s) != len(dims):
            raise RuntimeError("When given, dim and shape arguments must have the same length")
    elif s is not None:
        if len(s) > x.ndim:
            raise RuntimeError(f"Got shape with {len(s)} values but input tensor only has {x.ndim} dimensions.")
        dims = tuple(range(x.ndim - len(s), x.ndim))
    else:
        dims = tuple(range(x.ndim))
    sizes = [x.shape[d] if s is None or s[k] == -1 else s[k] for k, d in enumerate(dims)]
    if half and dims and (s is None or s[-1] == -1):
        sizes[-1] = 2 * (x.shape[dims[-1]] - 1)
    return tuple(_length(n) for n in sizes), dims


def _several(name: str, dims: tuple) -> None:
    if not dims:
        raise RuntimeError(f"{name} must transform at least one axis")


def _complex(x: Any, sizes: tuple, dims: tuple, norm: Any, inverse: bool = False) -> Any:
    """Transforms over complex dimensions; XLA takes at most three at a time."""
    x = x.astype(jnp.result_type(x.dtype, jnp.complex64))
    for k in range(0, len(dims), 3):
        x = (jnp.fft.ifftn if inverse else jnp.fft.fftn)(x, sizes[k : k + 3], dims[k : k + 3], norm)
    return x


# ---- one dimension


@_transform("complex")
def fft(input: Any, n: Any = None, dim: int = -1, norm: Any = None) -> Any:
    """The transform along ``dim``, cut or filled up to length n; complex."""
    x = _values(input)
    return jnp.fft.fft(x, *_along(x, n, dim), _mode(norm))


@_transform("complex")
def ifft(input: Any, n: Any = None, dim: int = -1, norm: Any = None) -> Any:
    """The inverse of ``fft``."""
    x = _values(input)
    return jnp.fft.ifft(x, *_along(x, n, dim), _mode(norm))


@_transform("half")
def rfft(input: Any, n: Any = None, dim: int = -1, norm: Any = None) -> Any:
    """The first half of the transform of real numbers: n // 2 + 1 complex ones."""
    x = _real("rfft", input)
    return jnp.fft.rfft(x, *_along(x, n, dim), _mode(norm))


@_transform("real")
def irfft(input: Any, n: Any = None, dim: int = -1, norm: Any = None) -> Any:
    """The inverse of ``rfft``: n real numbers."""
    x = _values(input)
    return jnp.fft.irfft(x, *_along(x, n, dim, True), _mode(norm))


@_transform("real")
def hfft(input: Any, n: Any = None, dim: int = -1, norm: Any = None) -> Any:
    """The transform of a signal that is Hermitian, of which the first half is given: n real numbers."""
    x = _values(input)
    return jnp.fft.hfft(x, *_along(x, n, dim, True), _mode(norm))


@_transform("half")
def ihfft(input: Any, n: Any = None, dim: int = -1, norm: Any = None) -> Any:
    """The inverse of ``hfft``: n // 2 + 1 complex numbers."""
    x = _real("ihfft", input)
    return jnp.fft.ihfft(x, *_along(x, n, dim), _mode(norm))


# ---- several dimensions


@_transform("complex")
def fftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
    """The transform over the dimensions ``dim``, each cut or filled up to its length in ``s``; complex."""
    x = _values(input)
    return _complex(x, *_over(x, s, dim), _mode(norm))


@_transform("complex")
def ifftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
    """The inverse of ``fftn``."""
    x = _values(input)
    return _complex(x, *_over(x, s, dim), _mode(norm), inverse=True)


@_transform("half")
def rfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
    """As ``fftn`` of real numbers, with the first half of the last dimension alone."""
    x = _real("rfftn", input, "expects a real-valued input tensor")
    sizes, dims = _over(x, s, dim)
    _several("rfftn", dims)
    return _complex(jnp.fft.rfft(x, sizes[-1], dims[-1], _mode(norm)), sizes[:-1], dims[:-1], norm)


@_transform("real")
def irfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
    """The inverse of ``rfftn``; real."""
    x = _values(input)
    sizes, dims = _over(x, s, dim, True)
    _several("irfftn", dims)
    return jnp.fft.irfft(_complex(x, sizes[:-1], dims[:-1], _mode(norm), inverse=True), sizes[-1], dims[-1], norm)


@_transform("real")
def hfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
    """The transform of a Hermitian signal, of which the first half of the last dimension is given; real."""
    x = _values(input)
    sizes, dims = _over(x, s, dim, True)
    _several("hfftn", dims)
    return jnp.fft.hfft(_complex(x, sizes[:-1], dims[:-1], _mode(norm)), sizes[-1], dims[-1], norm)


@_transform("half")
def ihfftn(input: Any, s: Any = None, dim: Any = None, norm: Any = None) -> Any:
    """The inverse of ``hfftn``; complex."""
    if jnp.iscomplexobj(input):
        name = messages.scalar_name(from_numpy_dtype(input.dtype))
        raise RuntimeError(f"Only supports floating-point dtypes, but found: {name}")
    x = _values(input)
    sizes, dims = _over(x, s, dim)
    _several("ihfftn", dims)
    return _complex(jnp.fft.ihfft(x, sizes[-1], dims[-1], _mode(norm)), sizes[:-1], dims[:-1], norm, inverse=True)


def _planar(name: str, several: Callable) -> Callable:
    @functools.wraps(several)
    def public(input: Tensor, s: Any = None, dim: Any = (-2, -1), norm: Any = None, *, out: Any = None) -> Tensor:
        return several(input, s, dim, norm, out=out)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = f"As ``{several.__name__}``, over the last two dimensions by default."
    return public


fft2, ifft2 = _planar("fft2", fftn), _planar("ifft2", ifftn)
rfft2, irfft2 = _planar("rfft2", rfftn), _planar("irfft2", irfftn)
hfft2, ihfft2 = _planar("hfft2", hfftn), _planar("ihfft2", ihfftn)


# ---- what goes with them


def _frequencies(name: str, find: Callable) -> Callable:
    def public(n: int, d: float = 1.0, *, out: Any = None, dtype: Any = None, layout: Any = None, device: Any = None,
               requires_grad: bool = False) -> Tensor:  # fmt: skip
        kind = default.dtype if dtype is None else as_dtype(dtype, name)
        if not (kind.is_floating_point or kind.is_complex):
            raise RuntimeError(f"{name} requires a floating point or complex dtype")
        found = made((find(n, d) if n else np.zeros(0)).astype(kind.numpy), requires_grad)
        if out is None:
            return found
        out.data = found.to(out.dtype)  # type: ignore[attr-defined]
        return out

    public.__name__ = public.__qualname__ = name
    return public


fftfreq, rfftfreq = _frequencies("fftfreq", np.fft.fftfreq), _frequencies("rfftfreq", np.fft.rfftfreq)
fftfreq.__doc__ = "The frequencies that ``fft`` gives of n samples at distance d."
rfftfreq.__doc__ = "The frequencies that ``rfft`` gives of n samples at distance d."


def _rolled(input: Tensor, dim: Any, back: bool) -> Tensor:
    given = range(input.ndim) if dim is None else (dim,) if isinstance(dim, int) else dim
    dims = [axis(d, input.ndim) for d in given]
    steps = [(input.shape[d] + 1) // 2 if back else input.shape[d] // 2 for d in dims]
    return input.roll(steps, dims) if dims else input.clone()  # type: ignore[attr-defined]


def fftshift(input: Tensor, dim: Any = None) -> Tensor:
    """Frequency zero moved to the middle of the dimensions ``dim``, of all by default."""
    return _rolled(input, dim, False)


def ifftshift(input: Tensor, dim: Any = None) -> Tensor:
    """The inverse of ``fftshift``."""
    return _rolled(input, dim, True)
