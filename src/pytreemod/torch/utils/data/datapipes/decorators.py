"""Decorators of pipes: a step's name, and which steps are not deterministic."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe, MapDataPipe


class functional_datapipe:  # noqa: N801  (PyTorch's name)
    """Gives a class of pipes a name, under which other pipes have it as a method.

    Args:
        name: of the method.
        enable_df_api_tracing: for pipes of data frames.

    Raises:
        TypeError: what is decorated is no pipe.
    """

    def __init__(self, name: str, enable_df_api_tracing: bool = False):
        self.name = name
        self.enable_df_api_tracing = enable_df_api_tracing

    def __call__(self, cls: Any) -> Any:
        rule = cls if isinstance(cls, non_deterministic) else getattr(cls, "__self__", None)
        pipe = rule.cls if isinstance(rule, non_deterministic) else cls
        if not isinstance(pipe, type):
            raise TypeError(f"`functional_datapipe` can only decorate IterDataPipe, got {cls!r}")
        if issubclass(pipe, IterDataPipe):
            IterDataPipe.register_datapipe_as_function(self.name, cls, self.enable_df_api_tracing)
        elif issubclass(pipe, MapDataPipe):
            MapDataPipe.register_datapipe_as_function(self.name, cls)
        return cls


class _Switch:
    """A setting that holds from the call on, and inside ``with`` only until its end."""

    on: bool
    to: bool

    def __init__(self) -> None:
        self.prev = type(self).on
        type(self).on = self.to

    def __enter__(self) -> None:
        pass

    def __exit__(self, *error: Any) -> None:
        type(self).on = self.prev


class guaranteed_datapipes_determinism(_Switch):  # noqa: N801  (PyTorch's name)
    """While it holds, a pipe marked ``non_deterministic`` cannot be made."""

    on, to = False, True


class runtime_validation_disabled(_Switch):  # noqa: N801  (PyTorch's name)
    """While it holds, ``runtime_validation`` lets every sample pass."""

    on, to = False, True


class non_deterministic:  # noqa: N801  (PyTorch's name)
    """Marks a class of pipes whose order is not fixed; with a function, those instances for whose arguments it is True.

    Raises:
        TypeError: it is no IterDataPipe, or one is made while ``guaranteed_datapipes_determinism`` holds.
    """

    def __init__(self, arg: Any):
        self.cls: Any = None
        self.deterministic_fn: Callable[..., bool] | None = None
        if isinstance(arg, type):
            self._set(
                arg, f"Only `IterDataPipe` can be decorated with `non_deterministic`, but {arg.__name__} is found"
            )
        elif callable(arg):
            self.deterministic_fn = arg
        else:
            raise TypeError(f"{arg} can not be decorated by non_deterministic")

    def _set(self, cls: Any, message: str) -> None:
        if not (isinstance(cls, type) and issubclass(cls, IterDataPipe)):
            raise TypeError(message)
        self.cls = cls

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if self.cls is None:
            found = getattr(args[0], "__name__", args[0])
            self._set(args[0], f"Only `IterDataPipe` can be decorated, but {found} is found")
            return self.deterministic_wrapper_fn
        self._refuse("")
        return self.cls(*args, **kwargs)

    def deterministic_wrapper_fn(self, *args: Any, **kwargs: Any) -> Any:
        """Make the pipe, unless it is not deterministic and has to be."""
        varies = self.deterministic_fn(*args, **kwargs)  # type: ignore[misc]
        if not isinstance(varies, bool):
            raise TypeError(
                "deterministic_fn of `non_deterministic` decorator is required to return a boolean value, "
                f"but {type(varies)} is found"
            )
        if varies:
            self._refuse(" with the inputs")
        return self.cls(*args, **kwargs)

    def _refuse(self, how: str) -> None:
        if guaranteed_datapipes_determinism.on:
            raise TypeError(
                f"{self.cls.__name__} is non-deterministic{how}, but you set 'guaranteed_datapipes_determinism'. "
                "You can turn off determinism for this DataPipe if that is acceptable for your application"
            )
