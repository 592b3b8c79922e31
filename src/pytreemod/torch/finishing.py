"""Waiting until what a program asked for so far is there: what ``synchronize`` and timers need."""

from __future__ import annotations

from collections.abc import Sequence

import jax

from pytreemod.torch.tape.flush import flush, pending
from pytreemod.torch.tape.value import Value


def finish(values: Sequence[Value] = ()) -> None:
    """Compute ``values``, gradients that were asked for and what is written in place, and wait for them."""
    waiting = pending()
    flush([*values])
    fence = jax.device_put(0.0) + 0  # a device does one thing after the other
    jax.block_until_ready([fence, *[each.array for each in (*values, *waiting) if each.array is not None]])
