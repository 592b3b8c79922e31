"""Full backward hooks: the gradients at the two ends of one call of a module.

Several tensors at one end are joined into one flat value and split again, so that their gradients arrive
together and a hook can replace them all.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterable
from typing import Any

import jax.numpy as jnp

from pytreemod.torch.record import call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op
from pytreemod.torch.tensor import Tensor, wrap


def _same(x: Any) -> Any:
    return x


def _join(*parts: Any) -> Any:
    kind = jnp.result_type(*(p.dtype for p in parts))
    return jnp.concatenate([p.astype(kind).reshape(-1) for p in parts])


def _split(flat: Any, shapes: tuple, dtypes: tuple) -> tuple:
    out, start = [], 0
    for shape, dtype in zip(shapes, dtypes, strict=True):
        size = math.prod(shape)
        out.append(flat[start : start + size].reshape(shape).astype(dtype))
        start += size
    return tuple(out)


SAME = Op(_same, "BackwardHookFunctionBackward", saves="none")
JOIN = Op(_join, "BackwardHookFunctionBackward", saves="none")
SPLIT = Op(_split, "BackwardHookFunctionBackward", saves="none")


class BackwardHooks:
    """The backward hooks of one call: gathers both gradients and runs the user's functions."""

    def __init__(self, module: Any, hooks: Iterable[Callable], pre_hooks: Iterable[Callable]):
        self.module, self.hooks, self.pre_hooks = module, list(hooks), list(pre_hooks)
        self.grad_output: tuple | None = None
        self.inputs = 0
        self.watched: list[int] = []

    def watch_inputs(self, args: tuple) -> tuple:
        self.inputs = len(args)
        if not (self.hooks and modes.grad):
            return args
        self.watched = [k for k, a in enumerate(args) if isinstance(a, Tensor) and a.requires_grad]
        new = list(args)
        for k, tensor in zip(self.watched, _watch([args[k] for k in self.watched], self._at_inputs), strict=True):
            new[k] = tensor
        return tuple(new)

    def watch_outputs(self, result: Any) -> Any:
        outputs = result if isinstance(result, (tuple, list)) else (result,)
        watched = [k for k, o in enumerate(outputs) if isinstance(o, Tensor) and o.requires_grad]
        if not (modes.grad and watched):
            return result

        def arrived(grads: tuple) -> tuple:
            whole: list = [None] * len(outputs)
            for k, grad in zip(watched, grads, strict=True):
                whole[k] = grad
            whole = list(self._at_outputs(tuple(whole)))
            return tuple(whole[k] for k in watched)

        new = list(outputs)
        for k, tensor in zip(watched, _watch([outputs[k] for k in watched], arrived), strict=True):
            new[k] = tensor
        if not isinstance(result, (tuple, list)):
            return new[0]
        return type(result)(*new) if hasattr(type(result), "_fields") else type(result)(new)

    def _at_outputs(self, grads: tuple) -> tuple:
        for hook in self.pre_hooks:
            grads = _replaced(hook(self.module, grads), grads, "grad_output")
        self.grad_output = grads
        if self.hooks and not self.watched:
            warnings.warn(
                "Full backward hook is firing when gradients are computed with respect to module outputs since "
                "no inputs require gradients.",
                stacklevel=2,
            )
            for hook in self.hooks:
                if hook(self.module, (None,) * self.inputs, grads) is not None:
                    raise RuntimeError(
                        "Backward hook for Modules where no input requires gradient should always return "
                        "None or None "
                        "for all gradients."
                    )
        return grads

    def _at_inputs(self, grads: tuple) -> tuple:
        whole: list = [None] * self.inputs
        for k, grad in zip(self.watched, grads, strict=True):
            whole[k] = grad
        now = tuple(whole)
        for hook in self.hooks:
            now = _replaced(hook(self.module, now, self.grad_output), now, "grad_input")
        return tuple(now[k] for k in self.watched)


def _replaced(out: Any, grads: tuple, what: str) -> tuple:
    if out is None:
        return grads
    out = tuple(out) if isinstance(out, (tuple, list)) else (out,)
    if len(out) != len(grads):
        raise RuntimeError(
            f"Backward hook returned an invalid number of {what}, got {len(out)}, but expected {len(grads)}"
        )
    return out


def _watch(tensors: list[Tensor], arrived: Callable[[tuple], tuple]) -> list[Tensor]:
    """The same values as new tensors; ``arrived`` gets all their gradients at once and may replace them."""
    if len(tensors) < 2:
        made = [wrap(call(SAME, (t,))) for t in tensors]
        for tensor in made:
            tensor.register_hook(lambda grad: arrived((grad,))[0])
        return made
    shapes = tuple(tuple(t.shape) for t in tensors)
    dtypes = tuple(t.dtype.numpy.name for t in tensors)
    flat = wrap(call(JOIN, tuple(tensors)))

    def hook(grad: Tensor) -> Tensor:
        grads = wrap(call(SPLIT, (grad, shapes, dtypes)))
        return wrap(call(JOIN, arrived(tuple(grads))))

    flat.register_hook(hook)
    return list(wrap(call(SPLIT, (flat, shapes, dtypes))))
