"""GradScaler: losses scaled so that small gradients do not vanish in float16, and steps without inf and NaN."""

from __future__ import annotations

import warnings
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.dtypes import float16
from pytreemod.torch.record import OPS, call, item
from pytreemod.torch.tape.value import Op, constant
from pytreemod.torch.tensor import Tensor, wrap

READY, UNSCALED, STEPPED = range(3)


def _unscaled(scale: Any, *grads: Any) -> tuple:
    """(whether a gradient has inf or NaN, as 0 or 1; the gradients divided by the scale)."""
    inverse = (1 / scale.astype(jnp.float64)).astype(jnp.float32)
    bad = jnp.stack([~jnp.all(jnp.isfinite(g)) for g in grads]).any()
    return bad.astype(jnp.float32), *[(g * inverse.astype(jnp.real(g).dtype)).astype(g.dtype) for g in grads]


UNSCALE = Op(_unscaled, saves="none")
OPS[_unscaled] = UNSCALE


class GradScaler:
    """Scales losses, and their gradients back before a step (PyTorch 2.13).

    Args:
        device: "cpu"; the scaler of "cuda" is disabled with a warning, as in PyTorch without it.
        growth_factor, growth_interval: how the scale grows after so many steps without inf and NaN.
        backoff_factor: how it shrinks after a step that was left out.

    Raises:
        AssertionError: factors on the wrong side of 1.
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ):
        self._device, self._enabled = device, enabled
        if device == "cuda" and enabled:
            warnings.warn("torch.cuda.amp.GradScaler is enabled, but CUDA is not available.  Disabling.", stacklevel=2)
            self._enabled = False
        if self._enabled:
            if growth_factor <= 1.0:
                raise AssertionError("The growth factor must be > 1.0.")
            if backoff_factor >= 1.0:
                raise AssertionError("The backoff factor must be < 1.0.")
            self._init_scale, self._init_growth_tracker = init_scale, 0
            self._scale: Tensor | None = None
            self._growth_tracker = 0
            self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
            self._growth_interval = growth_interval
            self._stages: dict[int, tuple[int, list]] = {}

    def _begun(self, what: str) -> Tensor:
        if self._scale is None:
            raise AssertionError(
                f"Attempted {what} but _scale is None.  This may indicate your script did not use scaler.scale(loss "
                "or outputs) earlier in the iteration."
            )
        return self._scale

    def scale(self, outputs: Any) -> Any:
        """A tensor, or all in an iterable, times the scale.

        Raises:
            ValueError: something else is in there.
        """
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._scale = wrap(constant(jnp.asarray(self._init_scale, jnp.float32)))
                self._growth_tracker = self._init_growth_tracker
            return outputs * self._scale  # type: ignore[operator]
        if isinstance(outputs, (list, tuple)):
            return type(outputs)([self.scale(o) for o in outputs])
        if hasattr(outputs, "__iter__"):
            return map(self.scale, outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def unscale_(self, optimizer: Any) -> None:
        """Divide the gradients of an optimizer by the scale, and note whether they have inf or NaN.

        Raises:
            RuntimeError: it is done already, or too late.
            ValueError: gradients of float16.
        """
        if not self._enabled:
            return
        scale = self._begun("unscale_")
        stage, _ = self._stages.get(id(optimizer), (READY, []))
        if stage == UNSCALED:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        if stage == STEPPED:
            raise RuntimeError("unscale_() is being called after step().")
        grads = [p.grad for group in optimizer.param_groups for p in group["params"] if p.grad is not None]
        if any(g.dtype is float16 for g in grads):
            raise ValueError("Attempting to unscale FP16 gradients.")
        found = []
        if grads:
            with no_grad():
                new = call(UNSCALE, (scale, *(g.detach() for g in grads)))
                for k, grad in enumerate(grads):
                    grad.detach()._write(item(new, k + 1))
            found = [wrap(item(new, 0))]
        self._stages[id(optimizer)] = (UNSCALED, found)

    def step(self, optimizer: Any, *args: Any, **kwargs: Any) -> Any:
        """Step with unscaled gradients; nothing, if they have inf or NaN.

        Raises:
            RuntimeError: with a closure, or a second time before ``update``.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._begun("step")
        stage, _ = self._stages.get(id(optimizer), (READY, []))
        if stage == STEPPED:
            raise RuntimeError("step() has already been called since the last update().")
        if stage == READY:
            self.unscale_(optimizer)
        _, found = self._stages[id(optimizer)]
        if not found:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        out = None
        if not any(f.item() for f in found):
            out = optimizer.step(*args, **kwargs)
        self._stages[id(optimizer)] = (STEPPED, found)
        return out

    def update(self, new_scale: Any = None) -> None:
        """Let the scale grow or shrink, or set it."""
        if not self._enabled:
            return
        scale = self._begun("update")
        if new_scale is not None:
            if isinstance(new_scale, Tensor) and (new_scale.numel() != 1 or new_scale.requires_grad):  # type: ignore
                raise AssertionError(
                    "new_scale should be a float or a 1-element torch.cuda.FloatTensor or torch.FloatTensor with "
                    "requires_grad=False."
                )
            self._set(float(new_scale))
        else:
            found = [f for _, each in self._stages.values() for f in each]
            if not found:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(f.item() for f in found):
                self._set(float(np.float32(scale.item() * self._backoff_factor)))  # type: ignore[attr-defined]
                self._growth_tracker = 0
            else:
                self._growth_tracker += 1
                if self._growth_tracker == self._growth_interval:
                    grown = np.float32(scale.item() * self._growth_factor)  # type: ignore[attr-defined]
                    if np.isfinite(grown):
                        self._set(float(grown))
                    self._growth_tracker = 0
        self._stages = {}

    def _set(self, value: float) -> None:
        self._scale = wrap(constant(jnp.asarray(value, jnp.float32)))

    def is_enabled(self) -> bool:
        """Whether it does anything."""
        return self._enabled

    def get_scale(self) -> float:
        """The scale, 1.0 if disabled."""
        if not self._enabled:
            return 1.0
        return self._init_scale if self._scale is None else self._scale.item()  # type: ignore[attr-defined]

    def get_growth_factor(self) -> float:
        """What the scale grows by."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Set what the scale grows by."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the scale shrinks by."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Set what the scale shrinks by."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many steps the scale grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Set after how many steps the scale grows."""
        self._growth_interval = new_interval

    def _get_growth_tracker(self) -> int:
        return (self._init_growth_tracker if self._scale is None else self._growth_tracker) if self._enabled else 0

    def state_dict(self) -> dict:
        """The state under PyTorch's names; {} if disabled."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(),
            "growth_factor": self._growth_factor,
            "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval,
            "_growth_tracker": self._get_growth_tracker(),
        }

    def load_state_dict(self, state_dict: dict) -> None:
        """Take a state over.

        Raises:
            RuntimeError: it is that of a disabled scaler.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError(
                "The source state dict is empty, possibly because it was saved from a disabled instance of GradScaler."
            )
        self._init_scale, self._growth_factor = state_dict["scale"], state_dict["growth_factor"]
        self._backoff_factor, self._growth_interval = state_dict["backoff_factor"], state_dict["growth_interval"]
        self._init_growth_tracker = self._growth_tracker = state_dict["_growth_tracker"]
        if self._scale is not None:
            self._set(state_dict["scale"])

    def __getstate__(self) -> dict:
        if self._enabled and self._stages:
            raise AssertionError(
                "A GradScaler instance may only be pickled at the beginning of an iteration, or at the end after "
                "scaler.update()."
            )
        if not self._enabled:
            return dict(self.__dict__)
        tracker = self._get_growth_tracker()
        return {**self.__dict__, "_init_scale": self.get_scale(), "_init_growth_tracker": tracker, "_scale": None}

    def __setstate__(self, state: dict) -> None:
        self.__dict__.update(state)
