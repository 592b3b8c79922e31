"""What all pipes are: ``IterDataPipe`` passes samples on, ``MapDataPipe`` has them by key.

Both find their steps by name: ``pipe.map(f).batch(4)`` is ``Batcher(Mapper(pipe, f), 4)``.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from typing import Any, ClassVar, TypeVar

from pytreemod.torch.utils.data.datapipes.iterating import guarded
from pytreemod.torch.utils.data.dataset import Dataset, IterableDataset

T = TypeVar("T", covariant=True)
Item = TypeVar("Item")

_NOT_FRAMES = frozenset({"batch", "groupby", "_dataframes_as_tuples", "trace_as_dataframe"})


class DataChunk(list[Item]):
    """A batch of samples that a pipe put together: a list."""

    def __init__(self, items: Iterable[Item] = ()):
        items = list(items)
        super().__init__(items)
        self.items = items

    def as_str(self, indent: str = "") -> str:
        """The items' texts in brackets."""
        return f"{indent}[{', '.join(str(item) for item in self)}]"

    def raw_iterator(self) -> Iterator[Item]:
        """The items as they were given."""
        yield from self.items


class Steps:
    """The functional face of pipes: steps registered under a name are methods, made when they are asked for."""

    functions: ClassVar[dict[str, Callable]]
    reduce_ex_hook: ClassVar[Callable | None] = None
    getstate_hook: ClassVar[Callable | None] = None
    str_hook: ClassVar[Callable | None] = None
    repr_hook: ClassVar[Callable | None] = None

    def __getattr__(self, name: str) -> Any:
        functions = type(self).functions
        if name not in functions and not name.startswith("_"):
            for steps in ("iter", "map"):  # the standard ones, should nobody have asked for them yet
                import_module(f"{__package__}.{steps}")
        function = functions.get(name)
        if function is None:
            raise AttributeError(f"'{type(self).__name__}' object has no attribute '{name}'")
        return functools.update_wrapper(functools.partial(function, self), function, assigned=("__doc__",))

    @classmethod
    def register_function(cls, function_name: str, function: Callable) -> None:
        """Make ``function(pipe, ...)`` a method of every pipe of this kind."""
        cls.functions[function_name] = function

    @classmethod
    def register_datapipe_as_function(
        cls, function_name: str, cls_to_register: Any, enable_df_api_tracing: bool = False
    ) -> None:
        """Make ``cls_to_register(pipe, ...)`` a method of every pipe of this kind.

        Raises:
            Exception: the name is taken.
        """
        if function_name in cls.functions:
            raise Exception(f"Unable to add DataPipe function name {function_name} as it is already taken")

        def step(source_dp: Any, *args: Any, **kwargs: Any) -> Any:
            made = cls_to_register(source_dp, *args, **kwargs)
            frames = enable_df_api_tracing or isinstance(source_dp, DFIterDataPipe)
            if frames and isinstance(made, IterDataPipe) and function_name not in _NOT_FRAMES:
                return made.trace_as_dataframe()
            return made

        cls.functions[function_name] = functools.update_wrapper(step, cls_to_register, assigned=("__doc__",))

    @classmethod
    def set_getstate_hook(cls, hook_fn: Callable | None) -> None:
        """A function that every pipe's state goes through when it is pickled; None removes it."""
        if hook_fn is not None and cls.getstate_hook is not None:
            raise RuntimeError("Attempt to override existing getstate_hook")
        cls.getstate_hook = hook_fn

    @classmethod
    def set_reduce_ex_hook(cls, hook_fn: Callable | None) -> None:
        """A function that says how a pipe is pickled, or raises NotImplementedError; None removes it."""
        if hook_fn is not None and cls.reduce_ex_hook is not None:
            raise RuntimeError("Attempt to override existing reduce_ex_hook")
        cls.reduce_ex_hook = hook_fn

    def _state(self) -> Any:
        """What pickling keeps."""
        return self.__dict__

    def __getstate__(self) -> Any:
        hook = type(self).getstate_hook
        return self._state() if hook is None else hook(self._state())

    def __reduce_ex__(self, protocol: Any) -> Any:
        hook = type(self).reduce_ex_hook
        if hook is not None:
            try:
                return hook(self)
            except NotImplementedError:
                pass
        return super().__reduce_ex__(protocol)

    def __repr__(self) -> str:
        hook = type(self).repr_hook
        return type(self).__qualname__ if hook is None else hook(self)

    def __str__(self) -> str:
        hook = type(self).str_hook
        return type(self).__qualname__ if hook is None else hook(self)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *type(self).functions]


class IterDataPipe(Steps, IterableDataset[T]):
    """Samples one after the other, made when they are asked for; a subclass has ``__iter__``.

    Each new iterator calls ``reset()``, which a subclass with a buffer overrides, and invalidates the last one. In a
    DataLoader with workers, each process has a copy: ``sharding_filter()`` shares the samples between them.

    Raises:
        RuntimeError: on iteration, when another iterator of the same pipe has been created since.
    """

    functions: ClassVar[dict[str, Callable]] = {}
    _valid_iterator_id: int | None = None
    _number_of_samples_yielded: int = 0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "__iter__" in vars(cls):
            cls.__iter__ = guarded(vars(cls)["__iter__"])  # type: ignore[method-assign]

    @guarded
    def __iter__(self) -> Iterator[T]:
        return self  # type: ignore[return-value]

    def reset(self) -> None:
        """Forget what the last pass left. Called when a new iterator begins."""

    def _take_ticket(self) -> int:
        last = self._valid_iterator_id
        self._valid_iterator_id = 0 if last is None else last + 1
        self._number_of_samples_yielded = 0
        self.reset()
        return self._valid_iterator_id

    def _holds(self, ticket: int) -> bool:
        return ticket == self._valid_iterator_id


class DFIterDataPipe(IterDataPipe):
    """Base of pipes of data frames."""

    def _is_dfpipe(self) -> bool:
        return True


class MapDataPipe(Steps, Dataset[T]):
    """Samples by key; a subclass has ``__getitem__``, and ``__len__`` where the number is known."""

    functions: ClassVar[dict[str, Callable]] = {}
