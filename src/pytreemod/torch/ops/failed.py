"""How an operation tells at the call that its values did not allow a result."""

from typing import Any

import jax
import numpy as np

from pytreemod.torch.tape.flush import force
from pytreemod.torch.tape.modes import modes


class LinAlgError(RuntimeError):
    """What is asked of a matrix does not exist: it is singular, not positive definite, or not finite."""


def refuse(info: Any, who: str, words: str, kind: type = LinAlgError) -> None:
    """Read whether a factorization failed; ``words`` may name the place as ``{k}``.

    While a program is captured, and inside ``vmap`` and ``grad`` of ``torch.func``, nothing can be read: there a
    failed factorization shows as infinities or NaN.

    Raises:
        LinAlgError: an entry of ``info`` is not zero.
    """
    if modes.capture is not None:
        return
    array = force(info._read()[0])
    if isinstance(array, jax.core.Tracer):
        return
    codes = np.asarray(array).reshape(-1)
    if codes.any():
        at = int(np.flatnonzero(codes)[0])
        batch = f"(Batch element {at}): " if info.ndim else ""
        raise kind(f"{who}: {batch}{words.format(k=int(codes[at]))}")
