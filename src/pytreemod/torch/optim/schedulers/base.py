"""What every scheduler is: it counts epochs and writes python floats into ``optimizer.param_groups``.

Nothing here knows arrays: an optimizer is anything with ``param_groups`` (a list of dicts) and ``step``.
A learning rate that is a tensor is read with ``float`` and filled in place.
"""

import functools
import warnings
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ORDER = (
    "Detected call of `lr_scheduler.step()` before `optimizer.step()`: call `optimizer.step()` first, "
    "then `lr_scheduler.step()`, or the first value of the learning rate schedule is skipped."
)
_OVERRIDDEN = (
    "Seems like `optimizer.step()` has been overridden after learning rate scheduler initialization. "
    "Call `optimizer.step()` before `lr_scheduler.step()`; whether you do can no longer be seen."
)
_EPOCH = (
    "The epoch parameter in `scheduler.step()` was not necessary and is being deprecated where possible. "
    "Use `scheduler.step()`. With an epoch the closed form of the schedule is used where there is one."
)
_ASKED = "To get the last learning rate computed by the scheduler, please use `get_last_lr()`."


def number(value: Any) -> Any:
    """A tensor's value as a float; python numbers as they are."""
    return value if isinstance(value, (int, float)) else float(value)


def write(group: dict, key: str, value: float) -> None:
    """Set ``group[key]``, in place where it is a tensor."""
    if hasattr(group[key], "fill_"):
        group[key].fill_(value)
    else:
        group[key] = value


def rates(optimizer: Any, key: str = "lr") -> list[float]:
    """``group[key]`` of every group."""
    return [number(group[key]) for group in optimizer.param_groups]


def for_each_group(name: str, optimizer: Any, value: Any) -> list:
    """One value for each group, from a list of them or one for all.

    Raises:
        ValueError: a list of another length.
    """
    groups = len(optimizer.param_groups)
    if not isinstance(value, (list, tuple)):
        return [number(value)] * groups
    if len(value) != groups:
        raise ValueError(
            f"{name} must have the same length as optimizer.param_groups. "
            f"{name} has {len(value)} values, param_groups has {groups}."
        )
    return [number(item) for item in value]


def check_optimizer(optimizer: Any) -> None:
    """Raises TypeError for what has no ``param_groups`` and ``step``."""
    if not (hasattr(optimizer, "param_groups") and callable(getattr(optimizer, "step", None))):
        raise TypeError(
            f"{type(optimizer).__name__} is not an Optimizer: expected an object with param_groups and step()"
        )


def warn_epoch(stacklevel: int = 3) -> None:
    """Warn about ``step(epoch)``."""
    warnings.warn(_EPOCH, UserWarning, stacklevel=stacklevel)


def _watch(optimizer: Any) -> None:
    """Let ``optimizer.step`` note that it was called, without keeping the optimizer alive."""
    step = optimizer.step
    if hasattr(step, "_wrapped_by_lr_sched"):
        return
    owner, function = weakref.ref(optimizer), getattr(step, "__func__", None)

    @functools.wraps(step)
    def noted(*args, **kwargs):
        alive = owner()
        alive._opt_called = True
        bound = step if function is None else function.__get__(alive, type(alive))
        return bound(*args, **kwargs)

    if function is not None:
        del step, noted.__wrapped__  # both hold the optimizer
    noted._wrapped_by_lr_sched = True
    optimizer.step = noted


class LRScheduler:
    """Base of all schedulers: a subclass gives ``get_lr``, and perhaps ``_get_closed_form_lr``.

    Args:
        optimizer: anything with ``param_groups`` and ``step``.
        last_epoch: -1 for a new schedule; otherwise the epoch to resume after (groups have ``initial_lr``).

    Raises:
        TypeError: ``optimizer`` is none.
        KeyError: a group lacks ``initial_lr`` on resuming.
    """

    _get_lr_called_within_step = False
    _is_initial = False

    def __init__(self, optimizer: Any, last_epoch: int = -1):
        check_optimizer(optimizer)
        self.optimizer = optimizer
        for index, group in enumerate(optimizer.param_groups):
            if last_epoch == -1:
                group.setdefault("initial_lr", number(group["lr"]))
            elif "initial_lr" not in group:
                raise KeyError(
                    f"param 'initial_lr' is not specified in param_groups[{index}] when resuming scheduler "
                    "with last_epoch >= 0. Load the optimizer's state first, or use last_epoch=-1"
                )
        self.base_lrs = rates(optimizer, "initial_lr")
        self.last_epoch = last_epoch
        _watch(optimizer)
        self._initial_step()

    def get_lr(self) -> list[float]:
        """The learning rates of ``self.last_epoch``, group by group."""
        raise NotImplementedError(f"{type(self).__name__} does not define get_lr")

    def get_last_lr(self) -> list[float]:
        """The learning rates written last, group by group."""
        return self._last_lr

    def step(self, epoch: int | None = None) -> None:
        """Go to the next epoch (or, deprecated, to ``epoch``) and write its learning rates."""
        if self._step_count == 1:
            if not hasattr(self.optimizer.step, "_wrapped_by_lr_sched"):
                warnings.warn(_OVERRIDDEN, UserWarning, stacklevel=2)
            elif not getattr(self.optimizer, "_opt_called", False):
                warnings.warn(_ORDER, UserWarning, stacklevel=2)
        self._step_count += 1
        if epoch is not None:
            warn_epoch()
        self._update_lr(epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, under PyTorch's names."""
        return {key: value for key, value in self.__dict__.items() if key != "optimizer"}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned, here or in PyTorch."""
        self.__dict__.update(state_dict)

    def _initial_step(self) -> None:
        self._step_count = 0
        self._is_initial = True
        try:
            self.step()
        finally:
            self._is_initial = False

    def _update_lr(self, epoch: int | None = None) -> None:
        with self._stepping():
            self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
            closed = None if epoch is None else getattr(self, "_get_closed_form_lr", None)
            values = self.get_lr() if closed is None else closed()
        self._write(values)

    def _write(self, values: list[float]) -> None:
        for group, value in zip(self.optimizer.param_groups, values, strict=True):
            write(group, "lr", value)
        self._last_lr = rates(self.optimizer)

    @contextmanager
    def _stepping(self) -> Iterator[None]:
        self._get_lr_called_within_step = True
        try:
            yield
        finally:
            self._get_lr_called_within_step = False

    def _warn_if_asked(self) -> None:
        if not self._get_lr_called_within_step:
            warnings.warn(_ASKED, UserWarning, stacklevel=3)

    def _rates(self) -> list[float]:
        return rates(self.optimizer)

    def _scaled(self, factor: float) -> list[float]:
        return [rate * factor for rate in self._rates()]


class _LRScheduler(LRScheduler):
    """The base's former name, which older programs subclass."""
