"""Anomaly detection: which line made the first NaN of a backward pass."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.tape.modes import modes


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
