"""One run of Python under capture, and whether a program can stand for the next one.

A program repeats what tensors became. It cannot repeat what else Python did: keep a tensor that it made, give a name
another value, decide how a gradient goes on. A run that did is *adopted*: what it recorded stays a recording, like that
of an undecorated call, and nothing is lost.
"""

from __future__ import annotations

import gc
import weakref
from collections.abc import Sequence
from typing import Any

from pytreemod.torch.compiled_names import Names
from pytreemod.torch.record import item
from pytreemod.torch.tape.capture import Capture
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.snapshot import same
from pytreemod.torch.tape.value import Value
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.trees import pack
from pytreemod.torch.walk import ancestors


class Run:
    """What one run made: its result, the values of the cells that it wrote, the gradients that it set.

    While it is looked at, everything has the value that it had before the run.

    Args:
        found: what was read and written.
        result: the result with places instead of tensors; ``outputs`` are these tensors, and are taken out of the list.
        given: the tensors among the arguments, as they were recorded; ``tensors``: as they came.
    """

    def __init__(self, found: Capture, names: Names, result: Any, outputs: list, given: list, tensors: list):
        self.found, self.names, self.result, self.given, self.tensors = found, names, result, given, tensors
        reads = [t._read() for t in outputs]
        self.values = [value for value, _ in reads]
        self.tracked = [tracked and not value.released for value, tracked in reads]
        self.outputs = [weakref.ref(t) for t in outputs]
        outputs.clear()
        self.hooked = _is_hooked([v for v, tracked in zip(self.values, self.tracked, strict=True) if tracked])
        self.written = {cell: (cell.value, cell.counter[0]) for cell in found.writes}
        self.gradients = [(t, *self._final(t)) for t in found.grads]
        found.undo()

    def _final(self, tensor: Tensor) -> tuple[Any, Any]:
        """(what the gradient of a tensor became, a reference to it if it is a tensor)."""
        now = tensor._gradient
        if now is self.found.grads[tensor] and now is not None:
            return self, None  # the same tensor: what it holds is a cell like any other
        if type(now) is tuple and any(self.tracked):  # all is recorded as one operation, whose results are tensors
            return item(*now), None
        return (now._read()[0], weakref.ref(now)) if isinstance(now, Tensor) else (now, None)

    def obstacle(self) -> str | None:
        """Why a program could not stand for the next run, in words; None if it can."""
        if self.hooked is not None:
            return f"{self.hooked}, and backward() comes after it; put backward() inside, or leave it undecorated"
        name = self.names.changed()
        if name is not None:
            return f"it gives the name '{name}' another value at every call; write in place, or return it"
        for module, was in self.found.modules.items():
            name = self.names.changed_member(module, {**was, "training": module.training})
            if name is not None:
                now = module.__dict__.get(name)
                where = f"{type(module).__name__}.{self._changed_part(now, was.get(name)) or name}"
                return f"it assigns to {where} at every call; write in place (copy_, add_), or return it"
        arguments = set(map(id, self.given))
        if any(where() is None for key, (where, _) in self.found.flags.items() if key not in arguments):
            return "a tensor that it read gives way to another one at every call; write in place, or return it"
        if self._leaves_behind():
            return "it keeps a tensor that it made; return the tensor, or write it into one that is there (copy_)"
        return None

    @staticmethod
    def _changed_part(now: Any, was: Any) -> str | None:
        """The name of a parameter, buffer or hook that is another one, where ``now`` is a dict of them."""
        if not isinstance(now, dict) or not isinstance(was, dict):
            return None
        return next((str(k) for k in now | was if not same(now.get(k), was.get(k))), None)

    def _leaves_behind(self) -> bool:
        """Does somebody hold a tensor that was made inside, besides those who get the result?"""
        hooked = [(value, [weakref.ref(h) for h in value.hooks or ()]) for value in self.found.hooked]
        for value, _ in hooked:
            value.hooks = None  # a tensor in them would hold itself

        def left() -> bool:
            return any(where() is not None for where in self.found.made.values())

        found = left()
        if found:
            gc.collect()  # what refers to itself is nobody's
            found = left()
        if found:
            for value, holders in hooked:
                value.hooks = [h for where in holders if (h := where()) is not None] or None
        return found

    def adopt(self) -> Any:
        """Let what was recorded stay a recording; the result of the call."""
        found = self.found
        for cell, (value, version) in self.written.items():
            cell.value, cell.counter[0] = value, version
            if value.array is None:
                modes.updated.append(weakref.ref(cell))
        for tensor, now, reference in self.gradients:
            if now is not self:
                tensor._gradient = (reference() or wrap(now)) if reference else wrap(now) if type(now) is Value else now
        for stand_in, tensor in zip(self.given, self.tensors, strict=True):
            if stand_in is not tensor:
                if tensor._leaf:
                    stand_in._cell.value.variable = tensor._reference
                tensor._gradient = stand_in._gradient
                if stand_in._cell in self.written:
                    tensor._write(stand_in._cell.value)
        modes.backwards += found.backwards
        modes.updated += found.updated
        for generator in found.generators:
            generator.from_program(found.seeds.get(generator))
        return pack(self.result, [self._output(k) for k in range(len(self.values))])

    def _output(self, k: int) -> Tensor:
        tensor = self.outputs[k]()
        if tensor is None:
            tensor = wrap(self.values[k])
            if self.values[k].mask and not self.tracked[k]:
                tensor._detached = True
                tensor._sort()
        return tensor


def _is_hooked(roots: Sequence[Value]) -> str | None:
    """What Python has to be asked about when gradients go back from ``roots``."""
    for value in ancestors(roots):
        for hook in value.hooks or ():
            if not isinstance(hook, Tensor):
                return "it calls an autograd.Function with a backward of its own"
            if hook._hooks:
                return "a hook on a gradient is registered inside (by a tensor, or by a module)"
        if value.array is None and not value.mask and value.variable is not None and value.variable() is not None:
            return "it reads a view, or another name, of a tensor that wants a gradient of its own"
    return None
