"""``torch.nn.attention``: which kernel attention may use. XLA makes its own, so the choice changes no value here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum
from typing import Any

from pytreemod.torch.missing import refusing

WARN_FOR_UNFUSED_KERNELS = False


class SDPBackend(IntEnum):
    """PyTorch's kernels of ``scaled_dot_product_attention``."""

    ERROR = -1
    MATH = 0
    FLASH_ATTENTION = 1
    EFFICIENT_ATTENTION = 2
    CUDNN_ATTENTION = 3
    OVERRIDEABLE = 4

    def __repr__(self) -> str:
        return f"<SDPBackend.{self.name}: {self.value}>"


@contextmanager
def sdpa_kernel(backends: Any, set_priority: bool = False) -> Iterator[dict]:
    """Allow only these kernels within the context; all of them compute the same here.

    Raises:
        AssertionError: ``backends`` is no ``SDPBackend`` and no list of them.
    """
    if not isinstance(backends, (list, SDPBackend)):
        raise AssertionError(
            "Backend must be an instance of SDPBackend or a list of SDPBackend instances, got "
            + type(backends).__name__
        )
    for each in backends if isinstance(backends, list) else [backends]:
        if not isinstance(each, SDPBackend):
            raise AssertionError(f"Backend must be an instance of SDPBackend, got {type(each).__name__}")
    yield {}


def list_flash_attention_impls() -> list[str]:
    """None: XLA compiles attention in its own way."""
    return []


def current_flash_attention_impl() -> str | None:
    """None: no other implementation is active."""
    return None


def restore_flash_attention_impl(_raise_warn: bool = True) -> None:
    """Without effect: no other implementation is active."""


_WHY = (
    "XLA compiles attention in its own way; jax.nn.dot_product_attention(implementation='cudnn') has a kernel for GPUs"
)
activate_flash_attention_impl = refusing("torch.nn.attention.activate_flash_attention_impl", _WHY)
register_flash_attention_impl = refusing("torch.nn.attention.register_flash_attention_impl", _WHY)

__all__ = [
    "WARN_FOR_UNFUSED_KERNELS", "SDPBackend", "current_flash_attention_impl", "list_flash_attention_impls",
    "restore_flash_attention_impl", "sdpa_kernel",
]  # fmt: skip
