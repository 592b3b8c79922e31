"""``torch.backends.cuda``: settings without effect, as XLA chooses algorithms itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from types import SimpleNamespace
from typing import Any

from pytreemod.torch.backend import accelerator_type

matmul = SimpleNamespace(
    allow_tf32=False,
    allow_fp16_reduced_precision_reduction=True,
    allow_bf16_reduced_precision_reduction=True,
    allow_fp16_accumulation=False,
    fp32_precision="none",
)
_attention = {"flash": True, "mem_efficient": True, "math": True, "cudnn": True}


def is_built() -> bool:
    """Does JAX compute on a GPU?"""
    return accelerator_type() == "cuda"


def _setting(kind: str) -> tuple[Callable, Callable]:
    def enabled() -> bool:
        return _attention[kind]

    def enable(enabled: bool) -> None:
        _attention[kind] = bool(enabled)

    enabled.__name__ = enabled.__qualname__ = f"{kind}_sdp_enabled"
    enable.__name__ = enable.__qualname__ = f"enable_{kind}_sdp"
    enabled.__doc__ = "What was set last."
    enable.__doc__ = f"Kept for ``{kind}_sdp_enabled``; XLA compiles attention in its own way."
    return enabled, enable


flash_sdp_enabled, enable_flash_sdp = _setting("flash")
mem_efficient_sdp_enabled, enable_mem_efficient_sdp = _setting("mem_efficient")
math_sdp_enabled, enable_math_sdp = _setting("math")
cudnn_sdp_enabled, enable_cudnn_sdp = _setting("cudnn")


@contextmanager
def sdp_kernel(
    enable_flash: bool = True, enable_math: bool = True, enable_mem_efficient: bool = True, enable_cudnn: bool = True
) -> Iterator[Any]:
    """A context with other settings of attention."""
    before = dict(_attention)
    _attention.update(flash=enable_flash, math=enable_math, mem_efficient=enable_mem_efficient, cudnn=enable_cudnn)
    try:
        yield {}
    finally:
        _attention.update(before)


class LinalgBackend(IntEnum):
    """PyTorch's libraries of linear algebra."""

    Default = 0
    Cusolver = 1
    Magma = 2


class BlasBackend(IntEnum):
    """PyTorch's libraries of matrix products."""

    Default = 0
    Cublas = 1
    Cublaslt = 2
    Ck = 3


_LINALG = {"default": LinalgBackend.Default, "cusolver": LinalgBackend.Cusolver, "magma": LinalgBackend.Magma}
_BLAS = {
    "default": BlasBackend.Cublas, "cublas": BlasBackend.Cublas, "hipblas": BlasBackend.Cublas,
    "cublaslt": BlasBackend.Cublaslt, "hipblaslt": BlasBackend.Cublaslt, "ck": BlasBackend.Ck,
}  # fmt: skip
_BUILT_WITH = {
    LinalgBackend: {LinalgBackend.Cusolver: "cuSOLVER", LinalgBackend.Magma: "MAGMA"},
    BlasBackend: {BlasBackend.Cublaslt: "cuBLASLt"},
}
_libraries: dict[type, Any] = {LinalgBackend: LinalgBackend.Default, BlasBackend: BlasBackend.Cublas}


def _prefer(kind: type, names: dict, backend: Any) -> Any:
    if isinstance(backend, str):
        if backend not in names:
            raise RuntimeError(f"Unknown input value. Choose from: {', '.join(names)}.")
        backend = names[backend]
    if backend is not None:
        if not isinstance(backend, kind):
            raise RuntimeError("Unknown input value type.")
        needed = _BUILT_WITH[kind].get(backend)
        if needed and not is_built():
            raise RuntimeError(
                f"Cannot set preferred backend to {needed} if PyTorch has not been compiled with {needed}."
            )
        _libraries[kind] = backend
    return _libraries[kind]


def preferred_linalg_library(backend: Any = None) -> LinalgBackend:
    """What was set last. XLA chooses libraries itself.

    Raises:
        RuntimeError: there is no such library, or JAX does not compute on a GPU.
    """
    return _prefer(LinalgBackend, _LINALG, backend)


def preferred_blas_library(backend: Any = None) -> BlasBackend:
    """What was set last. XLA chooses libraries itself.

    Raises: as ``preferred_linalg_library``.
    """
    return _prefer(BlasBackend, _BLAS, backend)


def is_flash_attention_available() -> bool:
    """False: XLA compiles attention in its own way."""
    return False


is_ck_sdpa_available = is_flash_attention_available


def can_use_flash_attention(params: Any, debug: bool = False) -> bool:
    """False: XLA compiles attention in its own way."""
    return False


can_use_efficient_attention = can_use_cudnn_attention = can_use_flash_attention

_half_sums = [False]


def fp16_bf16_reduction_math_sdp_allowed() -> bool:
    """What was set last."""
    return _half_sums[0]


def allow_fp16_bf16_reduction_math_sdp(enabled: bool) -> None:
    """Kept for ``fp16_bf16_reduction_math_sdp_allowed``; XLA compiles attention in its own way."""
    _half_sums[0] = bool(enabled)
