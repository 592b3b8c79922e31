"""``torch.utils.benchmark``: how long a statement takes, its results included. Loaded at first use."""

from pytreemod.torch.utils.benchmark.measurement import Measurement, TaskSpec, select_unit
from pytreemod.torch.utils.benchmark.timer import Language, Timer, timer

__all__ = ["Language", "Measurement", "TaskSpec", "Timer", "select_unit", "timer"]
