"""Classes and indices out of range are refused at the call, as in PyTorch, although nothing is computed there yet.

A recorded call sees shapes only, and in a program such an index reads NaN, which an optimizer would carry into every
parameter. So what is known of an integer argument when it is recorded is looked at: most often a batch from a loader.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import numpy as np

import pytreemod.functional as pure
from pytreemod.functional.ctc import check_lengths, ctc_loss_padded
from pytreemod.functional.embedding import check_indices
from pytreemod.functional.loss_classes import check_target
from pytreemod.torch.tensor import Tensor


def known(tensor: Any) -> np.ndarray | None:
    """The elements of a tensor, if it has some and they are there without waiting."""
    if type(tensor) is not Tensor:
        return None
    array = tensor._read()[0].array
    if type(array) is not np.ndarray:
        if not isinstance(array, jax.Array) or isinstance(array, jax.core.Tracer) or not array.is_ready():
            return None
        array = np.asarray(array)
    return array if array.size else None


def _beyond(tensor: Any, count: int) -> np.ndarray | None:
    """The integers of a tensor, if they are known and not all of them are from 0 to ``count`` - 1."""
    array = known(tensor)
    if array is None or array.dtype.kind not in "iu":
        return None
    # as numbers without sign, the negative ones are the largest
    return None if np.maximum.reduce(array.view(f"u{array.dtype.itemsize}"), None) < count else array


def _embedding(input: Any, weight: Any, *_: Any, **__: Any) -> None:
    wrong = _beyond(input, weight.shape[0])
    if wrong is not None:
        check_indices(wrong, weight.shape[0])  # type: ignore[arg-type]


def _classes(name: str) -> Callable:
    def check(
        input: Any,
        target: Any,
        weight: Any = None,
        size_average: Any = None,
        ignore_index: int = -100,
        *_: Any,
        **__: Any,
    ) -> None:
        count = input.shape[min(1, len(input.shape) - 1)]
        wrong = _beyond(target, count)
        if wrong is not None:
            check_target(name, wrong, count, ignore_index)

    return check


def _margin(input: Any, target: Any, *_: Any, **__: Any) -> None:
    count = input.shape[-1] if input.shape else 1
    wrong = _beyond(target, count)
    if wrong is not None:
        check_target("multi_margin_loss", wrong, count, None)


def _ctc(log_probs: Any, targets: Any, input_lengths: Any, target_lengths: Any, *_: Any) -> None:
    check_lengths(known(input_lengths), known(target_lengths), log_probs.shape[0], targets.shape)


def _plain(function: Any) -> Callable:
    return function.__wrapped__


_CHECKS = {
    _plain(pure.embedding): _embedding,
    _plain(pure.embedding_bag): _embedding,
    _plain(pure.cross_entropy): _classes("cross_entropy"),
    _plain(pure.nll_loss): _classes("nll_loss"),
    _plain(pure.multi_margin_loss): _margin,
    _plain(ctc_loss_padded): _ctc,
}
FIRST: dict[Callable, Callable] = {}  # what is done before one of these is recorded; the families say
_record = Tensor.__pytreemod_function__


def _record_checked(function: Callable, args: tuple, kwargs: dict) -> Any:
    check = _CHECKS.get(function)
    if check is None:
        return _record(function, args, kwargs)
    first = FIRST.get(function)
    if first is not None:
        args, kwargs = first(args, kwargs)
    out = _record(function, args, kwargs)  # which says first what it has against shapes and dtypes
    check(*args, **kwargs)
    return out


Tensor.__pytreemod_function__ = staticmethod(_record_checked)  # type: ignore[method-assign]
