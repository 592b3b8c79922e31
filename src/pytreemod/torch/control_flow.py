"""``torch.cond`` and ``torch.while_loop`` as PyTorch runs them outside of a program: the condition is read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytreemod.torch.tensor import Tensor


def cond(pred: Any, true_fn: Callable, false_fn: Callable, operands: Any = ()) -> Any:
    """``true_fn(*operands)`` if ``pred`` holds, else ``false_fn(*operands)``. Reads ``pred``.

    Inside ``torch.compile`` the read is refused as any other is, and the function runs undecorated.

    Raises:
        RuntimeError: ``pred`` is no number and no tensor of one element.
    """
    if not isinstance(pred, (bool, int, float)):
        if not isinstance(pred, Tensor):
            raise RuntimeError(f"Expected pred to be bool or tensor, but got {pred}.")
        if pred.numel() != 1:  # type: ignore[attr-defined]
            raise RuntimeError(f"Expected pred to be bool or single-element tensor, but got {pred}.")
        if not callable(true_fn) or not callable(false_fn):
            raise RuntimeError("Expect both branches to be callable.")
        if not isinstance(operands, (tuple, list)):
            raise RuntimeError(
                "Expect operands to be a tuple of possibly nested dict/list/tuple that only consists of tensor leaves, "
                f"but got {operands}."
            )
    return true_fn(*operands) if pred else false_fn(*operands)


def while_loop(cond_fn: Callable, body_fn: Callable, carried_inputs: Any) -> tuple:
    """``body_fn`` on what it returned before, beginning with ``carried_inputs``, as long as ``cond_fn`` of it holds.

    Reads the condition each time.

    Raises:
        RuntimeError: the functions or what they return are not of the kinds that PyTorch takes.
    """
    if not callable(cond_fn) or not callable(body_fn):
        raise RuntimeError("Expect cond_fn and body_fn to be callable.")
    if not isinstance(carried_inputs, (tuple, list)):
        raise RuntimeError(
            "Expect carried_inputs to be a tuple of possibly nested dict/list/tuple that only consists of tensor or "
            f"int leaves, but got {carried_inputs}."
        )
    carried = tuple(carried_inputs)
    while True:
        pred = cond_fn(*carried)
        if isinstance(pred, Tensor):
            if pred.numel() != 1 or pred.dtype.is_floating_point:  # type: ignore[attr-defined]
                raise RuntimeError(f"cond_fn must return a boolean scalar tensor or a boolean but got {pred}")
        elif not isinstance(pred, bool):
            raise RuntimeError(f"cond_fn must return a boolean scalar tensor or a boolean but got {pred}")
        if not pred:
            return carried
        found = body_fn(*carried)
        if not isinstance(found, (tuple, list)):
            raise RuntimeError(f"body_fn should return a tuple but got {type(found)}")
        if len(found) != len(carried):
            raise RuntimeError(
                f"body_fn should return the same number of elements as carried_inputs: {len(carried)}, got {len(found)}"
            )
        carried = tuple(found)
