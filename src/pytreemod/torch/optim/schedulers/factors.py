"""Schedules given by the user's own functions: LambdaLR and MultiplicativeLR."""

import types
from collections.abc import Callable, Sequence
from typing import Any

from pytreemod.torch.optim.schedulers.base import LRScheduler

Factor = Callable[[int], float]


class _OfFunctions(LRScheduler):
    def __init__(self, optimizer: Any, lr_lambda: Factor | Sequence[Factor], last_epoch: int = -1):
        groups = len(optimizer.param_groups)
        several = isinstance(lr_lambda, (list, tuple))
        functions: list[Any] = list(lr_lambda) if several else [lr_lambda] * groups
        if len(functions) != groups:
            raise ValueError(f"Expected {groups} lr_lambdas, but got {len(functions)}")
        for function in functions:
            if not callable(function):
                raise TypeError(f"lr_lambda should be a function, but got {type(function).__name__}")
        self.lr_lambdas = functions
        super().__init__(optimizer, last_epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer; of ``lr_lambdas`` objects' attributes, None for functions."""
        state = super().state_dict()
        state["lr_lambdas"] = [
            None if isinstance(function, types.FunctionType) else function.__dict__.copy()
            for function in self.lr_lambdas
        ]
        return state

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take over what ``state_dict`` returned; functions stay the present ones."""
        self.__dict__.update({key: value for key, value in state_dict.items() if key != "lr_lambdas"})
        for function, saved in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if saved is not None:
                function.__dict__.update(saved)


class LambdaLR(_OfFunctions):
    """The initial rate times ``lr_lambda(epoch)``; one function, or one for each group.

    Raises:
        ValueError: as many functions as groups were expected.
    """

    def get_lr(self) -> list[float]:
        """The learning rates of this epoch."""
        self._warn_if_asked()
        return [base * function(self.last_epoch) for function, base in zip(self.lr_lambdas, self.base_lrs, strict=True)]


class MultiplicativeLR(_OfFunctions):
    """The rate so far times ``lr_lambda(epoch)``; one function, or one for each group.

    Raises:
        ValueError: as many functions as groups were expected.
        TypeError: ``lr_lambda`` is no function.
    """

    def get_lr(self) -> list[float]:
        """The learning rates of this epoch."""
        self._warn_if_asked()
        if self._is_initial:
            return self._rates()
        return [rate * function(self.last_epoch) for function, rate in zip(self.lr_lambdas, self._rates(), strict=True)]
