"""The last resort for arguments that an operation cannot take: what JAX found wrong, as PyTorch would raise it.

Operations check their arguments in PyTorch's words. What they leave to JAX becomes a RuntimeError, PyTorch's type,
that names the operation and what it was given.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


def refusal(name: str, avals: Iterable[Any], error: Exception) -> Exception:
    """The exception to raise for ``error``, which JAX raised while it evaluated the operation ``name`` abstractly.

    What was worded here, and what is no complaint of JAX or NumPy about arguments, stays as it is.
    """
    if type(error) is AttributeError:  # what was asked of an argument that is no tensor
        return TypeError(f"{name}() received an invalid combination of arguments: {error}")
    if type(error) not in (TypeError, ValueError) or not _foreign(error):
        return error
    given = ", ".join(f"{list(aval.shape)} of {aval.dtype}" for aval in avals)
    return RuntimeError(f"{name}: the arguments do not fit together: got {given}. {error}")


def _foreign(error: Exception) -> bool:
    """Was the error raised in code of JAX or NumPy, rather than here?"""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    module = trace.tb_frame.f_globals.get("__name__", "") if trace is not None else ""
    return module.partition(".")[0] in ("jax", "numpy", "jaxlib")
