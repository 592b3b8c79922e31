"""Functions with a backward of their own."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.autograd.mode import set_grad_enabled
from pytreemod.torch.backward import flowing_to
from pytreemod.torch.record import OPS, call
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op, Value, aval_of, constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.walk import ancestors


class FunctionCtx:
    """What a function keeps between its forward and its backward."""

    def __init__(self) -> None:
        self.saved: tuple = ()
        self.versions: tuple = ()
        self.materialize = True
        self.fixed: set[int] = set()
        self.dirty: set[int] = set()
        self.needs_input_grad: tuple = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors for ``backward``, where they are ``ctx.saved_tensors``."""
        self.saved = tensors
        self.versions = tuple(t._version if isinstance(t, Tensor) else None for t in tensors)

    save_for_forward = save_for_backward

    @property
    def saved_tensors(self) -> tuple:
        for tensor, version in zip(self.saved, self.versions, strict=True):
            if isinstance(tensor, Tensor) and tensor._version != version:
                raise RuntimeError(messages.modified_in_place(tensor._aval, tensor._version, version))
        return self.saved

    def mark_dirty(self, *tensors: Tensor) -> None:
        """These inputs were changed in place."""
        self.dirty = {id(t) for t in tensors}

    def mark_non_differentiable(self, *tensors: Tensor) -> None:
        """These outputs have no gradient."""
        self.fixed |= {id(t) for t in tensors}

    def set_materialize_grads(self, value: bool) -> None:
        """Whether a missing gradient is given as zeros (True) or None."""
        self.materialize = bool(value)


def _given(y: Any, *xs: Any) -> Any:
    return y


class _Node:
    """One application of a function, as the values of its results know it."""

    def __init__(self, kind: type, ctx: Any, inputs: tuple):
        self.kind, self.ctx, self.inputs = kind, ctx, inputs
        self.outputs: list[Value | None] = []  # None: an output without a gradient
        self.zeros: list = []  # shape and dtype of each output
        self.left = 0
        self.hooks: dict | None = None

    def flow(self, value: Value, roots: list, cotangents: list, cuts: list, create_graph: bool) -> tuple[list, list]:
        """Send the gradients of the results through ``backward`` to the inputs, once all of them are there."""
        others = [o for o in self.outputs if o is not None and o is not value]
        self.left = (self.left or 1 + len(others)) - 1
        if self.left > 0:
            waiting = set(ancestors(roots))
            if any(o in waiting for o in others):
                return roots, cotangents
        self.left = 0
        grads: list = []
        for output, zeros in zip(self.outputs, self.zeros, strict=True):
            if output is None:
                grads.append(wrap(constant(np.zeros(zeros.shape, zeros.dtype))) if self.ctx.materialize else None)
                continue
            total, roots, cotangents = flowing_to(output, roots, cotangents, cuts, create_graph)
            if total is None and self.ctx.materialize:
                total = constant(np.zeros(output.aval.shape, output.aval.dtype))
            grads.append(None if total is None else wrap(total))
        cuts.extend([o for o in self.outputs if o is not None])
        with set_grad_enabled(create_graph):
            back = self.kind.backward(self.ctx, *grads)
        back = back if isinstance(back, tuple) else (back,)
        needed = [k for k, x in enumerate(self.inputs) if isinstance(x, Tensor)]
        if len(back) < len(self.inputs) or any(b is not None for b in back[len(self.inputs) :]):
            raise RuntimeError(
                f"function {self.kind.__name__}Backward returned an incorrect number of gradients (expected "
                f"{len(self.inputs)}, got {len(back)})"
            )
        for k in needed:
            source, tracked = self.reads[k]
            if tracked and back[k] is not None:
                if tuple(back[k].shape) != source.aval.shape:
                    raise RuntimeError(
                        f"Function {self.kind.__name__}Backward returned an invalid gradient at index {k} - got "
                        f"{list(back[k].shape)} but expected shape compatible with {list(source.aval.shape)}"
                    )
                roots, cotangents = [*roots, source], [*cotangents, back[k]._read()[0]]
        return roots, cotangents

    reads: dict[int, tuple[Value, bool]] = {}


class Function:
    """An operation with its own derivative: override ``forward`` and ``backward``, call ``apply`` (PyTorch 2.13)."""

    @staticmethod
    def forward(*args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("You must implement the forward function for custom autograd.Function.")

    @staticmethod
    def backward(ctx: Any, *grad_outputs: Any) -> Any:
        raise NotImplementedError(
            "You must implement either the backward or vjp method for your custom autograd.Function to use it with "
            "backward mode AD."
        )

    vjp = None
    setup_context: Callable | None = None

    @classmethod
    def apply(cls, *args: Any, **kwargs: Any) -> Any:
        """Run ``forward`` and record the function for ``backward``."""
        ctx = FunctionCtx()
        ctx.needs_input_grad = tuple(isinstance(a, Tensor) and a.requires_grad for a in args)
        with set_grad_enabled(False):
            if cls.setup_context is not None:
                out = cls.forward(*args, **kwargs)
                cls.setup_context(ctx, args, out)
            else:
                out = cls.forward(ctx, *args, **kwargs)
        if not modes.grad or not any(ctx.needs_input_grad):
            return out
        node = _Node(cls, ctx, args)
        node.reads = {k: a._read() for k, a in enumerate(args) if isinstance(a, Tensor)}
        sources = [a for a, needed in zip(args, ctx.needs_input_grad, strict=True) if needed]
        op = _ops.get(cls) or _ops.setdefault(cls, Op(_given, cls.__name__ + "Backward", saves="none"))
        results = []
        for y in out if isinstance(out, tuple) else (out,):
            node.zeros.append(y._aval if isinstance(y, Tensor) else _NOTHING)
            if not isinstance(y, Tensor) or id(y) in ctx.fixed or not y._aval.inexact:
                node.outputs.append(None)
                results.append(y)
                continue
            value = call(op, (y.detach(), *sources), grad=True)
            value.hooks = [node]
            modes.trail.stray()
            if modes.capture is not None:
                modes.capture.hooked.append(value)
            node.outputs.append(value)
            if id(y) in ctx.dirty:
                y._write(value)
                results.append(y)
            else:
                results.append(wrap(value))
        return tuple(results) if isinstance(out, tuple) else results[0]


_NOTHING = aval_of(np.zeros((), np.float32))
_ops: dict[type, Op] = {}
OPS[_given] = Op(_given, saves="none")


def once_differentiable(backward: Callable) -> Callable:
    """A backward whose result cannot be differentiated again."""

    @functools.wraps(backward)
    def wrapped(ctx: Any, *grads: Any) -> Any:
        with set_grad_enabled(False):
            return backward(ctx, *grads)

    return wrapped
