"""``torch.compile``: a step, or a module's forward, as one program of its state and its arguments."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable
from typing import Any

from pytreemod.torch.compiled_entry import Entry
from pytreemod.torch.compiled_names import Names
from pytreemod.torch.compiled_run import Run
from pytreemod.torch.nn.hooks import registered
from pytreemod.torch.nn.module import Module
from pytreemod.torch.tape.capture import Capture, capture
from pytreemod.torch.tape.flush import flush, force
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.trees import Place, pack, unpack

_ROOM = 8  # programs for one kind of arguments
stance = ["default"]  # what calls of compiled functions do: see torch.compiler.set_stance
_TRIES = 2  # runs in a row that no program could stand for, and the function stays undecorated


class CompiledFunction:
    """A function that runs its Python once for each kind of arguments, and its program ever after."""

    def __init__(self, function: Callable):
        functools.update_wrapper(self, function)
        self.function = function
        owner = getattr(function, "__self__", None)
        self.name = getattr(function if not isinstance(owner, Module) else type(owner), "__name__", "the function")
        self.entries: dict[Any, list[Entry] | None] = {}  # None: Python runs at every call
        self.tries: dict[Any, int] = {}
        self.called = False

    def __reduce__(self) -> tuple:
        return CompiledFunction, (self.function,)  # a copy compiles anew: the programs belong to these tensors

    def __get__(self, instance: Any, owner: Any = None) -> Any:
        return self if instance is None else functools.partial(self, instance)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if modes.capture is not None or stance[0] == "force_eager":  # inside another compiled function: part of it
            return self.function(*args, **kwargs)
        tensors: list[Tensor] = []
        if kwargs or [1 for arg in args if type(arg) is not Tensor]:
            tree, key = unpack((args, kwargs), tensors)
        else:  # the common case, without a look inside
            tensors += args
            tree, key = (tuple(map(Place, range(len(args)))), {}), len(args)
        reads = [t._read() for t in tensors]
        whole = (key, modes.grad, tuple([(value.aval, tracked) for value, tracked in reads]), _same(tensors))
        del reads
        entries = self.entries.setdefault(whole, [])
        if entries is None:
            return self.function(*args, **kwargs)
        for entry in entries:
            if entry.fits(tensors):
                return entry.run(tensors)
        if stance[0] != "default" and self._stays_eager():
            return self.function(*args, **kwargs)
        entries[:] = [entry for entry in entries if not entry.guards.stale]
        why = self._reasons(whole, entries, tensors)
        made, run = self._record(tree, tensors)
        if made is None:
            return self._adopt(whole, run)
        self.tries.pop(whole, None)
        made.why = why
        entries.insert(0, made)
        del entries[_ROOM:]
        return made.run(tensors)

    def _stays_eager(self) -> bool:
        """Under a stance, does a call that no program fits run undecorated?

        Raises:
            RuntimeError: the stance is "fail_on_recompile".
        """
        if stance[0] == "fail_on_recompile":
            raise RuntimeError(
                f"Detected recompile when torch.compile stance is 'fail_on_recompile': no program of {self.name} fits "
                "the arguments and the state of this call"
            )
        first, self.called = not self.called, True
        return first or stance[0] == "eager_on_recompile"

    def _record(self, tree: Any, tensors: list[Tensor]) -> tuple[Entry | None, Any]:
        """(the program of a run, None), or (None, the run) if no program can stand for it."""
        flush([])
        for tensor in tensors:
            force(tensor._read()[0])
        given = _stand_ins(tensors)
        names = Names(self.function)
        with capture(Capture(self.name, names.module)) as found:
            if isinstance(module := getattr(self.function, "__self__", None), Module):
                found.see_mode(module)
            arguments = {tensor._read()[0]: k for k, tensor in reversed(list(enumerate(given)))}
            outputs: list[Tensor] = []
            result = self._run(tree, given, outputs)
            run = Run(found, names, result, outputs, given, tensors)
            obstacle = run.obstacle()
            if obstacle is None:
                return Entry(run, arguments), None
        return None, (run, obstacle)

    def _reasons(self, whole: tuple, entries: list[Entry], tensors: list[Tensor]) -> list[str]:
        """Why Python has to run, in words: what is not as it was."""
        if entries:
            return list(entries[0].differences(tensors))
        others = [key for key, known in self.entries.items() if key != whole and (known is None or known)]
        if not others:
            return []
        (key, grad, kinds, same), (old, had, were, were_same) = whole, others[-1]
        found = [
            f"argument {k}: {_kind(b)} became {_kind(a)}"
            for k, (a, b) in enumerate(zip(kinds, were, strict=False))
            if a != b
        ]
        if grad is not had:
            found.append(f"grad mode: {had} became {grad}")
        if key != old or same != were_same:
            found.append("the arguments: their number, structure or values")
        return found

    def _run(self, tree: Any, given: list[Tensor], outputs: list[Tensor]) -> Any:
        args, kwargs = pack(tree, given)
        return unpack(self.function(*args, **kwargs), outputs)[0]

    def _adopt(self, whole: Any, found: tuple[Run, str]) -> Any:
        """Keep a run as it is. Once may be by chance, as what is made lazily; from the second on it is a habit."""
        run, obstacle = found
        tries = self.tries[whole] = self.tries.get(whole, 0) + 1
        if tries == _TRIES:
            self.entries[whole] = None
            warnings.warn(
                f"torch.compile: {self.name} runs as if undecorated, since no program can stand for it: {obstacle}",
                UserWarning,
                stacklevel=3,
            )
        return run.adopt()


def _kind(argument: tuple) -> str:
    aval, tracked = argument
    return f"{aval}, requires grad" if tracked else repr(aval)


def _stand_ins(tensors: list[Tensor]) -> list[Tensor]:
    """The arguments to record with. A view stands alone here: what it is a view of is another thing at every call."""
    made: dict[int, Tensor] = {}
    for tensor in tensors:
        if id(tensor) not in made:
            made[id(tensor)] = tensor
            if tensor._base is not None:
                value, tracked = tensor._read()
                alone = wrap(value if value.mask and tracked else constant(value.array))
                made[id(tensor)] = alone.requires_grad_(tensor._leaf) if tensor._leaf else alone
                alone._gradient = tensor._gradient
    return [made[id(tensor)] for tensor in tensors]


def _same(tensors: list[Tensor]) -> tuple:
    """Which of the arguments are one and the same."""
    first: dict[int, int] = {}
    return tuple([first.setdefault(id(t), k) for k, t in enumerate(tensors)])


def compile(model: Any = None, *, fullgraph: bool = True, dynamic: Any = None, backend: Any = None, mode: Any = None,
            options: Any = None, disable: bool = False) -> Any:  # fmt: skip
    """Make a function, or a module's forward, one XLA program (PyTorch 2.13's ``torch.compile``).

    Python runs once for each kind of arguments; every tensor it reads becomes an argument, every tensor it writes (by
    ``backward``, ``step``, in place) a result whose old value is donated. The other arguments are accepted without
    effect.

    Raises:
        RuntimeError: at the first call, when a value is read inside, naming the line.
    """
    if model is None:
        return lambda function: compile(function, disable=disable)
    if disable:
        return model
    if isinstance(model, Module):
        model.__dict__["_compiled_call"] = CompiledFunction(model._call_impl)
        registered[0] += 1
        return model
    return CompiledFunction(model)
