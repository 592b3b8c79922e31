"""``torch.optim.swa_utils``: averages of a model's weights over a training run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from copy import deepcopy
from itertools import chain
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.nn.norm_batch import _BatchNorm
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.nn.live import live_class
from pytreemod.torch.nn.module import Module
from pytreemod.torch.ops.registry import cast
from pytreemod.torch.optim.schedulers.base import LRScheduler, for_each_group
from pytreemod.torch.record import OPS, call, item
from pytreemod.torch.tape.value import Op, constant
from pytreemod.torch.tensor import Tensor, wrap


def _mix(weight: Any, *tensors: Any) -> tuple:
    """Each average moved towards its present value by ``weight``, a number or (): the averages come first."""
    half = len(tensors) // 2
    return tuple(_moved(a, x, weight) for a, x in zip(tensors[:half], tensors[half:], strict=True))


def _moved(average: Any, x: Any, weight: Any) -> Any:
    if jnp.issubdtype(average.dtype, jnp.inexact):
        return average + cast(weight, average.dtype) * (x - average)
    wide = cast(weight, jnp.float32)
    return (average.astype(jnp.float32) * (1 - wide) + x.astype(jnp.float32) * wide).astype(average.dtype)


def _equal_weight(count: Any) -> Any:
    return 1 / (count.astype(jnp.float32) + 1)


MIX, EQUAL = Op(_mix, numbers=True, saves="none"), Op(_equal_weight, saves="none")
OPS.update({_mix: MIX, _equal_weight: EQUAL})


def _write(averages: Sequence[Tensor], current: Sequence[Tensor], weight: Any) -> None:
    """Move all averages at once."""
    with no_grad():
        moved = call(MIX, (weight, *(a.detach() for a in averages), *(x.detach() for x in current)))
        for k, average in enumerate(averages):
            average.detach()._write(item(moved, k))


def _check_decay(decay: float) -> None:
    if not 0.0 <= decay <= 1.0:
        raise ValueError(f"Invalid decay value {decay} provided. Please provide a value in [0,1] range.")


def get_ema_multi_avg_fn(decay: float = 0.999) -> Callable:
    """The function that moves a list of averages by an exponential moving average.

    Raises:
        ValueError: ``decay`` is not between 0 and 1.
    """
    _check_decay(decay)

    def ema_update(ema_param_list: Sequence[Tensor], current_param_list: Sequence[Tensor], _: Any) -> None:
        _write(ema_param_list, current_param_list, float(1 - decay))

    return ema_update


def get_swa_multi_avg_fn() -> Callable:
    """The function that moves a list of averages towards the mean of all models."""

    def swa_update(averaged: Sequence[Tensor], current: Sequence[Tensor], num_averaged: Any) -> None:
        weight = wrap(call(EQUAL, (num_averaged,))) if isinstance(num_averaged, Tensor) else 1.0 / (num_averaged + 1)
        _write(averaged, current, weight)

    return swa_update


def get_ema_avg_fn(decay: float = 0.999) -> Callable:
    """The function that gives the exponential moving average of one parameter.

    Raises:
        ValueError: ``decay`` is not between 0 and 1.
    """
    _check_decay(decay)

    @no_grad()
    def ema_update(ema_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return decay * ema_param + (1 - decay) * current_param

    return ema_update


def get_swa_avg_fn() -> Callable:
    """The function that gives the mean of one parameter over all models."""

    @no_grad()
    def swa_update(averaged_param: Any, current_param: Any, num_averaged: Any) -> Any:
        return averaged_param + (current_param - averaged_param) / (num_averaged + 1)

    return swa_update


class AveragedModel(Module):
    """A copy of a model whose parameters are averages of those that it is shown (PyTorch 2.13).

    Args:
        model: the model; its copy is ``module``.
        avg_fn: ``avg_fn(average, parameter, count)`` gives the new average of one parameter.
        multi_avg_fn: ``multi_avg_fn(averages, parameters, count)`` writes all averages of one dtype.
        use_buffers: average the buffers too, instead of copying them.

    Raises:
        AssertionError: both functions are given.

    Source: Izmailov et al. 2018, arXiv:1803.05407.
    """

    n_averaged: Tensor

    def __init__(
        self,
        model: Module,
        device: Any = None,
        avg_fn: Callable | None = None,
        multi_avg_fn: Callable | None = None,
        use_buffers: bool = False,
    ):
        super().__init__()
        if avg_fn is not None and multi_avg_fn is not None:
            raise AssertionError("Only one of avg_fn and multi_avg_fn should be provided")
        self.module = deepcopy(model)
        if device is not None:
            self.module = self.module.to(device)
        self.register_buffer("n_averaged", wrap(constant(np.zeros((), np.int64))))
        self.avg_fn, self.multi_avg_fn, self.use_buffers = avg_fn, multi_avg_fn, use_buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the averaged model computes."""
        return self.module(*args, **kwargs)

    @no_grad()
    def update_parameters(self, model: Module) -> None:
        """Take the present parameters of ``model`` into the averages; the first time they are copied."""
        own = list(chain(self.module.parameters(), self.module.buffers() if self.use_buffers else ()))
        theirs = list(chain(model.parameters(), model.buffers() if self.use_buffers else ()))
        averages, current = [a.detach() for a in own], [x.detach() for x in theirs]
        if self.n_averaged.item() == 0:
            for average, x in zip(averages, current, strict=False):
                average.copy_(x)
        elif self.avg_fn is not None:
            for average, x in zip(averages, current, strict=True):
                average.copy_(self.avg_fn(average, x, self.n_averaged))
        else:
            together: dict[Any, tuple[list, list]] = {}
            for average, x in zip(averages, current, strict=True):
                part = together.setdefault(average.dtype, ([], []))
                part[0].append(average)
                part[1].append(x)
            function = self.multi_avg_fn or get_swa_multi_avg_fn()
            for part in together.values():
                function(*part, self.n_averaged)
        if not self.use_buffers:
            for average, x in zip(self.module.buffers(), model.buffers(), strict=True):
                average.detach().copy_(x.detach())
        self.n_averaged += 1


@no_grad()
def update_bn(loader: Iterable, model: Module, device: Any = None) -> None:
    """Compute the running statistics of all BatchNorm layers anew, as means over one pass through ``loader``.

    A batch is a tensor, or a list or tuple whose first item is the input.
    """
    kind = live_class(_BatchNorm)
    momenta = {m: m.momentum for m in model.modules() if isinstance(m, kind)}
    if not momenta:
        return
    was_training = model.training
    model.train()
    for layer in momenta:
        if layer.running_mean is not None:
            layer.running_mean.zero_()
            layer.running_var.fill_(1)
            layer.num_batches_tracked.zero_()
        layer.momentum = None
    for batch in loader:
        first = batch[0] if isinstance(batch, (list, tuple)) else batch
        model(first if device is None else first.to(device))
    for layer, momentum in momenta.items():
        layer.momentum = momentum
    model.train(was_training)


class SWALR(LRScheduler):
    """From the present rates to ``swa_lr`` in ``anneal_epochs``, along half a cosine or a line; then constant.

    Raises:
        ValueError: an unknown ``anneal_strategy``, or ``anneal_epochs`` is no number of epochs.
    """

    def __init__(
        self,
        optimizer: Any,
        swa_lr: Any,
        anneal_epochs: int = 10,
        anneal_strategy: str = "cos",
        last_epoch: int = -1,
    ):
        rates = for_each_group("swa_lr", optimizer, swa_lr)
        for rate, group in zip(rates, optimizer.param_groups, strict=True):
            group["swa_lr"] = rate
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"anneal_strategy must be one of 'cos' or 'linear', instead got {anneal_strategy}")
        if not isinstance(anneal_epochs, int) or anneal_epochs < 0:
            raise ValueError(f"anneal_epochs must be equal or greater than 0, got {anneal_epochs}")
        self._anneal_strategy = anneal_strategy
        self.anneal_epochs = anneal_epochs
        super().__init__(optimizer, last_epoch)

    def anneal_func(self, t: float) -> float:
        """How much of the way is gone at a share ``t`` of the time."""
        return (1 - math.cos(math.pi * t)) / 2 if self._anneal_strategy == "cos" else t

    def get_lr(self) -> list[float]:
        """The learning rates of this epoch."""
        self._warn_if_asked()
        step = self._step_count - 1
        if self.anneal_epochs == 0:
            step = max(1, step)
        before, now = (self.anneal_func(max(0.0, min(1.0, s / max(1, self.anneal_epochs)))) for s in (step - 1, step))
        out = []
        for group, rate in zip(self.optimizer.param_groups, self._rates(), strict=True):
            goal = group["swa_lr"]
            start = goal if before == 1 else (rate - before * goal) / (1 - before)
            out.append(goal * now + start * (1 - now))
        return out


__all__ = [
    "SWALR", "AveragedModel", "get_ema_avg_fn", "get_ema_multi_avg_fn", "get_swa_avg_fn", "get_swa_multi_avg_fn",
    "update_bn",
]  # fmt: skip
