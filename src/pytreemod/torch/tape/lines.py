"""The user's line: where in the caller's own code something happened."""

from __future__ import annotations

import sys

_LIBRARIES = ("pytreemod", "jax", "contextlib")


def user_frame() -> tuple[str, int] | None:
    """The file and line of the innermost frame outside this library."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").split(".")[0] in _LIBRARIES:
        frame = frame.f_back
    return None if frame is None else (frame.f_code.co_filename, frame.f_lineno)


def user_line() -> str:
    """The same as ``file:line``."""
    found = user_frame()
    return "an unknown line" if found is None else f"{found[0]}:{found[1]}"
