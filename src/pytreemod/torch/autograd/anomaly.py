"""Anomaly detection: which line made the first NaN of a backward pass."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from typing import Any

import numpy as np

from pytreemod.torch.tape.graph import node_name
from pytreemod.torch.tape.flush import force
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Projection, Value


def remember(value: Value) -> None:
    """Keep the lines that led to an operation."""
    value.line = traceback.extract_stack()


def user_lines(value: Value) -> str:
    """The stack of a recorded operation, without this library's frames."""
    frames = [f for f in getattr(value, "line", None) or () if "/pytreemod/" not in f.filename.replace("\\\\", "/")]
    return "".join(traceback.format_list(frames))


def inspect(order: Sequence[Value], gradient_of: Any) -> None:
    """Compute the gradient of every value of a recording and name the first that is NaN.

    Args:
        order: the recording, each value after what it was made from.
        gradient_of: gives the pending gradients of some of its values.

    Raises:
        RuntimeError: PyTorch's words, and the line of the operation whose backward returned NaN.
    """
    inner = [v for v in order if v.aval.__class__ is not tuple and v.aval.inexact]
    grads = gradient_of(inner)
    bad = {v for v, g in zip(inner, grads, strict=True) if g is not None and np.isnan(np.asarray(force(g))).any()}
    for value in reversed(order):
        if not value.mask or type(value.spec) is Projection:
            continue
        for k, v in enumerate(value.inputs):
            if v in bad and value not in bad:
                raise RuntimeError(
                    f"Function '{node_name(value)}' returned nan values in its {k}th output. The operation was "
                    f"recorded here:\n{user_lines(value)}"
                )


class detect_anomaly:  # noqa: N801 (PyTorch's name)
    """Context in which ``backward`` names the operation whose gradient is NaN; slow."""

    def __init__(self, check_nan: bool = True):
        self.check_nan = check_nan
        self.before = modes.anomaly

    def __enter__(self) -> None:
        self.before = modes.anomaly
        modes.anomaly = True

    def __exit__(self, *_: Any) -> None:
        modes.anomaly = self.before


class set_detect_anomaly(detect_anomaly):  # noqa: N801 (PyTorch's name)
    """Switch anomaly detection on or off, also as a context."""

    def __init__(self, mode: bool, check_nan: bool = True):
        super().__init__(check_nan)
        modes.anomaly = mode
        self.mode = mode

    def __enter__(self) -> None:
        modes.anomaly = self.mode


def is_anomaly_enabled() -> bool:
    return modes.anomaly
