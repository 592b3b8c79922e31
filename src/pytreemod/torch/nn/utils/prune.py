"""``torch.nn.utils.prune``: weights that a mask holds at zero, in PyTorch's numbers.

A pruned parameter is kept under ``name_orig``, its mask is the buffer ``name_mask``, and before each forward their
product becomes the attribute ``name``.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Iterable, Iterator
from typing import Any

from pytreemod.torch.creation import ones_like, zeros_like
from pytreemod.torch.nn.module import Module
from pytreemod.torch.nn.utils.convert_parameters import parameters_to_vector
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.random import rand, rand_like


class BasePruningMethod:
    """What is pruned: a subclass says so in ``compute_mask(t, default_mask)`` and in ``PRUNING_TYPE``.

    ``apply(module, name, *args)`` makes a method of the class prune a parameter; where it is pruned already, the
    methods follow each other in a ``PruningContainer``.
    """

    PRUNING_TYPE = "unstructured"
    _tensor_name: Any = None

    def __call__(self, module: Module, inputs: Any) -> None:
        setattr(module, self._tensor_name, self.apply_mask(module))

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask for scores ``t``, of which ``default_mask`` tells what is left so far."""
        raise NotImplementedError(f"{type(self).__name__}: define compute_mask(self, t, default_mask)")

    def apply_mask(self, module: Module) -> Any:
        """The parameter times its mask.

        Raises:
            AssertionError: the method was not applied.
        """
        if self._tensor_name is None:
            raise AssertionError(f"Module {module} has to be pruned")
        original = getattr(module, self._tensor_name + "_orig")
        return getattr(module, self._tensor_name + "_mask").to(dtype=original.dtype) * original

    @classmethod
    def apply(cls, module: Module, name: str, *args: Any, importance_scores: Any = None, **kwargs: Any) -> Any:
        """Prune the parameter ``name`` of a module by this method; returns what prunes it now.

        Raises:
            AssertionError: ``importance_scores`` have another shape than the parameter.
        """
        method, before = cls(*args, **kwargs), _hooks_of(module, name)
        method._tensor_name = name
        present = getattr(module, name)
        scores = _scores(importance_scores, present, f"parameter {name} of {module}")
        if not before:
            mask = method.compute_mask(scores, default_mask=ones_like(present))
            del module._parameters[name]
            module.register_parameter(name + "_orig", present)
        else:
            [(key, old)] = before
            if not isinstance(old, PruningContainer):
                old = PruningContainer(old)
            old.add_pruning_method(method)
            method = old
            mask = old.compute_mask(scores, default_mask=getattr(module, name + "_mask").detach().clone())
            del module._forward_pre_hooks[key]
        module.register_buffer(name + "_mask", mask)
        setattr(module, name, method.apply_mask(module))
        module.register_forward_pre_hook(method)
        return method

    def prune(self, t: Any, default_mask: Any = None, importance_scores: Any = None) -> Any:
        """``t`` times its mask, without a module.

        Raises:
            AssertionError: ``importance_scores`` have another shape.
        """
        scores = _scores(importance_scores, t, "tensor t")
        return t * self.compute_mask(scores, default_mask=ones_like(t) if default_mask is None else default_mask)

    def remove(self, module: Module) -> None:
        """Make the pruned values the parameter, for good.

        Raises:
            AssertionError: the method was not applied.
        """
        name = self._tensor_name
        pruned = self.apply_mask(module)
        original = module._parameters.pop(name + "_orig")
        del module._buffers[name + "_mask"]
        if hasattr(module, name):
            delattr(module, name)
        original.data = pruned.data
        setattr(module, name, original)


def _hooks_of(module: Module, name: str) -> list[tuple]:
    """The pruning of a parameter, and its key among the hooks."""
    hooks = module._forward_pre_hooks.items()
    return [(k, hook) for k, hook in hooks if isinstance(hook, BasePruningMethod) and hook._tensor_name == name]


def _scores(given: Any, of: Any, what: str) -> Any:
    if given is not None and given.shape != of.shape:
        raise AssertionError(f"importance_scores should have the same shape as {what}, got {given.shape} vs {of.shape}")
    return of if given is None else given


class PruningContainer(BasePruningMethod):
    """Methods that prune one parameter, each what those before it left."""

    def __init__(self, *args: Any):
        self._pruning_methods: tuple = ()
        if len(args) == 1:
            self._tensor_name = args[0]._tensor_name
        for method in args:
            self.add_pruning_method(method)

    def add_pruning_method(self, method: Any) -> None:
        """Let another method follow.

        Raises:
            TypeError: it is none.
            ValueError: it is for another parameter.
        """
        if method is not None and not isinstance(method, BasePruningMethod):
            raise TypeError(f"{type(method)} is not a BasePruningMethod subclass")
        if method is not None and self._tensor_name != method._tensor_name:
            raise ValueError(
                f"Can only add pruning methods acting on the parameter named '{self._tensor_name}' to PruningContainer "
                f"{self}. Found '{method._tensor_name}'"
            )
        self._pruning_methods = (*self._pruning_methods, method)

    def __len__(self) -> int:
        return len(self._pruning_methods)

    def __iter__(self) -> Iterator:
        return iter(self._pruning_methods)

    def __getitem__(self, index: Any) -> Any:
        return self._pruning_methods[index]

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        """The mask of the last method, which looks at nothing but what is left.

        Raises:
            ValueError: its ``PRUNING_TYPE`` is not one of the three.
        """
        last = self._pruning_methods[-1]
        if last.PRUNING_TYPE == "global":
            return last.compute_mask(t, default_mask=default_mask).to(dtype=t.dtype)
        if last.PRUNING_TYPE == "unstructured":
            left: Any = default_mask == 1
        elif last.PRUNING_TYPE == "structured":
            dim = range(t.ndim)[last.dim]
            others = [d for d in range(t.ndim) if d != dim]
            left = (*[slice(None)] * dim, default_mask.sum(dim=others) != 0)
        else:
            raise ValueError(f"Unrecognized PRUNING_TYPE {last.PRUNING_TYPE}")
        mask = default_mask.to(dtype=t.dtype).clone()
        mask[left] = last.compute_mask(t[left], default_mask=default_mask[left]).to(dtype=t.dtype)
        return mask


class Identity(BasePruningMethod):
    """Prunes nothing: a mask of ones."""

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        return default_mask


class _Amount(BasePruningMethod):
    """Prunes a number of units, or a share of them.

    Raises:
        TypeError, ValueError: ``amount`` is no number, negative, or a share above 1.
    """

    def __init__(self, amount: Any):
        if not isinstance(amount, numbers.Real):
            raise TypeError(f"Invalid type for amount: {amount}. Must be int or float.")
        if amount < 0 or (not isinstance(amount, numbers.Integral) and amount > 1):
            raise ValueError(f"amount={amount} should either be a float in the range [0, 1] or a non-negative integer")
        self.amount = amount

    def _count(self, of: int) -> int:
        count = int(self.amount) if isinstance(self.amount, numbers.Integral) else round(self.amount * of)
        if count > of:
            raise ValueError(f"amount={count} should be smaller than the number of parameters to prune={of}")
        return count


class _Elements(_Amount):
    """Prunes single elements."""

    def _chosen(self, t: Any, count: int) -> Any:
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        count = self._count(t.numel())
        mask = default_mask.clone().reshape(-1)
        if count:
            mask[self._chosen(t, count)] = 0
        return mask.reshape(default_mask.shape)


class RandomUnstructured(_Elements):
    """Prunes elements by chance."""

    def _chosen(self, t: Any, count: int) -> Any:
        return FUNCTIONS["topk"](rand_like(t).reshape(-1), count)[1]


class L1Unstructured(_Elements):
    """Prunes the elements that are smallest."""

    def _chosen(self, t: Any, count: int) -> Any:
        return FUNCTIONS["topk"](t.detach().abs().reshape(-1), count, largest=False)[1]


class _Channels(_Amount):
    """Prunes all that has one index along ``dim``."""

    PRUNING_TYPE = "structured"

    def __init__(self, amount: Any, dim: int = -1):
        super().__init__(amount)
        self.dim = dim

    def _kept(self, t: Any, dim: int, size: int, count: int) -> Any:
        raise NotImplementedError

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        if t.ndim <= 1:
            raise ValueError(
                "Structured pruning can only be applied to multidimensional tensors. Found tensor of shape "
                f"{t.shape} with {t.ndim} dims"
            )
        if self.dim >= t.ndim:
            raise IndexError(f"Invalid index {self.dim} for tensor of size {t.shape}")
        dim = range(t.ndim)[self.dim]
        count = self._count(t.shape[dim])
        if not count:
            return default_mask
        mask = zeros_like(t.detach())
        mask[(*[slice(None)] * dim, self._kept(t, dim, t.shape[dim], count))] = 1
        return mask * default_mask.to(dtype=mask.dtype)


class RandomStructured(_Channels):
    """Prunes channels by chance."""

    def _kept(self, t: Any, dim: int, size: int, count: int) -> Any:
        draws = rand(size)
        return draws > draws.kthvalue(count).values


class LnStructured(_Channels):
    """Prunes the channels with the smallest norm."""

    def __init__(self, amount: Any, n: Any, dim: int = -1):
        super().__init__(amount, dim)
        self.n = n

    def _kept(self, t: Any, dim: int, size: int, count: int) -> Any:
        others = [d for d in range(t.ndim) if d != dim]
        return FUNCTIONS["topk"](FUNCTIONS["norm"](t.detach(), p=self.n, dim=others), size - count)[1]


class CustomFromMask(BasePruningMethod):
    """Prunes what a mask names."""

    PRUNING_TYPE = "global"

    def __init__(self, mask: Any):
        self.mask = mask

    def compute_mask(self, t: Any, default_mask: Any) -> Any:
        if default_mask.shape != self.mask.shape:
            raise AssertionError(
                f"default_mask shape {default_mask.shape} must match self.mask shape {self.mask.shape}"
            )
        return default_mask * self.mask.to(dtype=default_mask.dtype)


# ---- the same as functions that return the module


def identity(module: Module, name: str) -> Module:
    """Prune nothing, but as if. Raises: as ``BasePruningMethod.apply``, all of these."""
    Identity.apply(module, name)
    return module


def random_unstructured(module: Module, name: str, amount: Any) -> Module:
    """Prune ``amount`` elements (a number, or a share) by chance."""
    RandomUnstructured.apply(module, name, amount=amount)
    return module


def l1_unstructured(module: Module, name: str, amount: Any, importance_scores: Any = None) -> Module:
    """Prune the ``amount`` elements of smallest magnitude, of the parameter or of its scores."""
    L1Unstructured.apply(module, name, amount=amount, importance_scores=importance_scores)
    return module


def random_structured(module: Module, name: str, amount: Any, dim: int) -> Module:
    """Prune ``amount`` channels along ``dim`` by chance."""
    RandomStructured.apply(module, name, amount=amount, dim=dim)
    return module


def ln_structured(module: Module, name: str, amount: Any, n: Any, dim: int, importance_scores: Any = None) -> Module:
    """Prune the ``amount`` channels along ``dim`` of smallest ``n``-norm."""
    LnStructured.apply(module, name, amount=amount, n=n, dim=dim, importance_scores=importance_scores)
    return module


def custom_from_mask(module: Module, name: str, mask: Any) -> Module:
    """Prune what is zero in ``mask``."""
    CustomFromMask.apply(module, name, mask=mask)
    return module


def global_unstructured(parameters: Any, pruning_method: Any, importance_scores: Any = None, **kwargs: Any) -> None:
    """Prune several parameters, given as (module, name), as if they were one.

    Raises:
        TypeError: ``parameters`` cannot be iterated over, ``importance_scores`` is no dict, or the method is not for
            single elements.
    """
    if not isinstance(parameters, Iterable):
        raise TypeError("global_unstructured(): parameters is not an Iterable")
    scores = {} if importance_scores is None else importance_scores
    if not isinstance(scores, dict):
        raise TypeError("global_unstructured(): importance_scores must be of type dict")
    places = list(parameters)
    tensors = [getattr(module, name) for module, name in places]
    method = pruning_method(**kwargs)
    if method.PRUNING_TYPE != "unstructured":
        raise TypeError(
            'Only "unstructured" PRUNING_TYPE supported for the `pruning_method`. Found method '
            f"{pruning_method} of type {method.PRUNING_TYPE}"
        )
    masks = [getattr(m, name + "_mask", None) for m, name in places]
    before = [ones_like(t) if mask is None else mask for t, mask in zip(tensors, masks, strict=True)]
    whole = parameters_to_vector([scores.get(place, t) for place, t in zip(places, tensors, strict=True)])
    mask = PruningContainer(method).compute_mask(whole, parameters_to_vector(before))
    start = 0
    for (module, name), t in zip(places, tensors, strict=True):
        end = start + math.prod(t.shape)
        custom_from_mask(module, name, mask[start:end].reshape(t.shape))
        start = end


def remove(module: Module, name: str) -> Module:
    """Make the pruned values of a parameter the parameter, for good.

    Raises:
        ValueError: it is not pruned.
    """
    for key, hook in _hooks_of(module, name):
        hook.remove(module)
        del module._forward_pre_hooks[key]
        return module
    raise ValueError(f"Parameter '{name}' of module {module} has to be pruned before pruning can be removed")


def is_pruned(module: Module) -> bool:
    """Is a parameter of the module, or of one in it, pruned?"""
    return any(isinstance(hook, BasePruningMethod) for m in module.modules() for hook in m._forward_pre_hooks.values())
