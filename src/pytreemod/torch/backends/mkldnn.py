"""``torch.backends.mkldnn``: settings without effect."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

enabled = True
deterministic = False
allow_tf32 = False


def is_available() -> bool:
    """False: XLA has routines of its own."""
    return False


@contextmanager
def flags(enabled: bool = False, deterministic: bool = False, allow_tf32: bool = True, **_: Any) -> Iterator[None]:
    """A context with other settings, without effect."""
    yield
