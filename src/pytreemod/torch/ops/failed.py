"""How an operation tells at the call that its values did not allow a result."""

from typing import Any

import jax
import numpy as np

from pytreemod.torch.tape.flush import force
from pytreemod.torch.tape.modes import modes


class LinAlgError(RuntimeError):
    """What is asked of a matrix does not exist: it is singular, not positive definite, or not finite."""


def codes(info: Any) -> Any:
    """The codes that an operation gave besides its result; None where nothing can be read: while a program is captured
    and inside ``vmap`` and ``grad`` of ``torch.func``.
    """
    if modes.capture is not None:
        return None
    array = force(info._read()[0])
    return None if isinstance(array, jax.core.Tracer) else np.asarray(array).reshape(-1)


def refuse(info: Any, who: str, words: str, kind: type = LinAlgError) -> None:
    """Read whether a factorization failed; ``words`` may name the place as ``{k}``.

    Where nothing can be read, a failed factorization shows as infinities or NaN.

    Raises:
        LinAlgError: an entry of ``info`` is not zero.
    """
    found = codes(info)
    if found is not None and found.any():
        at = int(np.flatnonzero(found)[0])
        batch = f"(Batch element {at}): " if info.ndim else ""
        raise kind(f"{who}: {batch}{words.format(k=int(found[at]))}")
