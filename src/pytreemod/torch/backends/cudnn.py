"""``torch.backends.cudnn``: settings without effect, as XLA chooses algorithms itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

enabled = True
benchmark = False
benchmark_limit = None
deterministic = False
allow_tf32 = True
_SETTINGS = ("enabled", "benchmark", "benchmark_limit", "deterministic", "allow_tf32")


def is_available() -> bool:
    """False: what a program can do with it is done by XLA."""
    return False


def version() -> int | None:
    """None, as it is not there."""
    return None


def is_acceptable(tensor: Any) -> bool:
    """False, as it is not there."""
    return False


def set_flags(
    _enabled: Any = None, _benchmark: Any = None, _benchmark_limit: Any = None, _deterministic: Any = None,
    _allow_tf32: Any = None,
) -> tuple:  # fmt: skip
    """Set what is not None; returns what was set before."""
    before = tuple([globals()[name] for name in _SETTINGS])
    given = (_enabled, _benchmark, _benchmark_limit, _deterministic, _allow_tf32)
    globals().update({name: value for name, value in zip(_SETTINGS, given, strict=True) if value is not None})
    return before


@contextmanager
def flags(
    enabled: bool = False, benchmark: bool = False, benchmark_limit: int | None = 10, deterministic: bool = False,
    allow_tf32: bool = True,
) -> Iterator[None]:  # fmt: skip
    """A context with other settings."""
    before = set_flags(enabled, benchmark, benchmark_limit, deterministic, allow_tf32)
    try:
        yield
    finally:
        globals().update(zip(_SETTINGS, before, strict=True))
