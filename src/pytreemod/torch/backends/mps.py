"""``torch.backends.mps``: not there."""

from typing import NoReturn


def is_available() -> bool:
    """False."""
    return False


def is_built() -> bool:
    """False."""
    return False


def _none(name: str) -> NoReturn:
    raise RuntimeError(f"Cannot execute {name}() without MPS backend.")


def is_macos_or_newer(major: int, minor: int) -> bool:
    """Not there.

    Raises:
        RuntimeError: always.
    """
    _none("isOnMacOSorNewer")


def is_macos13_or_newer(minor: int = 0) -> bool:
    """Not there.

    Raises:
        RuntimeError: always.
    """
    _none("isOnMacOSorNewer")


def get_core_count() -> int:
    """Not there.

    Raises:
        RuntimeError: always.
    """
    _none("get_core_count")


def get_name() -> str:
    """Not there.

    Raises:
        RuntimeError: always.
    """
    _none("get_name")
