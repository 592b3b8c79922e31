"""``torch.autograd.functional``: Jacobians, Hessians and their products with vectors.

Products use the tape's gradients. Whole matrices are those of ``torch.func``; where a graph or strict checks are asked
for they are made row by row on the tape.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from pytreemod.torch import backward
from pytreemod.torch.autograd.mode import enable_grad, no_grad
from pytreemod.torch.cell import ALIAS
from pytreemod.torch.func_jacobian import jacfwd, jacrev
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.record import call
from pytreemod.torch.tape.value import constant
from pytreemod.torch.tensor import Tensor, wrap

_BACK = "The output of the user-provided function is independent of input {}. This is not allowed in strict mode."


def _tuple(given: Any, what: str, who: str) -> tuple[bool, tuple]:
    """(whether it is a tuple, the tensors in it).

    Raises:
        TypeError: something else is in it.
    """
    several = isinstance(given, tuple)
    parts = given if several else (given,)
    for k, part in enumerate(parts):
        if not isinstance(part, Tensor):
            where = f"value at index {k} has type" if several else f"given {what} has type"
            raise TypeError(
                f"The {what} given to {who} must be either a Tensor or a tuple of Tensors but the {where} {type(part)}."
            )
    return several, parts


def _leaves(inputs: Sequence[Tensor], create_graph: bool) -> tuple:
    """The inputs as tensors of their own: other names with their history, or leaves."""
    return tuple(
        wrap(call(ALIAS, (x,))) if create_graph and x.requires_grad else x.detach().clone().requires_grad_()  # type: ignore
        for x in inputs
    )


def _zeros(like: Tensor) -> Tensor:
    return wrap(constant(np.zeros(like.shape, like._aval.dtype)))


def _ones(like: Tensor) -> Tensor:
    return wrap(constant(np.ones(like.shape, like._aval.dtype)))


def _finished(tree: Any, create_graph: bool) -> Any:
    if isinstance(tree, Tensor):
        return tree if create_graph else tree.detach()
    return tuple(_finished(part, create_graph) for part in tree)


def _check_outputs(outputs: Sequence[Tensor], strict: bool) -> None:
    for k, out in enumerate(outputs):
        if strict and not out.requires_grad:
            raise RuntimeError(
                f"Output {k} of the user-provided function does not require gradients. The outputs must be computed in "
                "a differentiable manner from the input when running in strict mode."
            )


def _vectors(v: Any, who: str, like: Sequence[Tensor], several: bool, otherwise: str) -> tuple:
    """The vector of a product, of the shapes of ``like``; one for a scalar without it.

    Raises:
        RuntimeError: it is missing, or of other shapes.
    """
    if v is None:
        if len(like) != 1 or like[0].numel() != 1:  # type: ignore[attr-defined]
            raise RuntimeError(f"The vector v can only be None if {otherwise}.")
        return (_ones(like[0]),)
    vs = _tuple(v, "v", who)[1]
    if len(vs) != len(like):
        raise RuntimeError(
            f"v is a tuple of invalid length: should be {len(like)} but got {len(vs)}."
            if several
            else "The given v should contain a single Tensor."
        )
    for k, (one, other) in enumerate(zip(vs, like, strict=True)):
        if one.shape != other.shape:
            entry = f"Entry {k} in " if several else ""
            raise RuntimeError(f"{entry}v has invalid size: should be {other.shape} but got {one.shape}.")
    return vs


def _grads(outputs: Sequence[Any], inputs: Sequence[Tensor], vectors: Sequence[Any], create_graph: bool) -> tuple:
    """The gradients of the outputs along vectors; None for an input without."""
    pairs = [(o, v) for o, v in zip(outputs, vectors, strict=True) if o is not None and o.requires_grad]
    if not pairs:
        return (None,) * len(inputs)
    return tuple(
        backward.grad(
            tuple(o for o, _ in pairs),
            tuple(inputs),
            tuple(v for _, v in pairs),
            retain_graph=True,
            create_graph=create_graph,
            allow_unused=True,
        )
    )


def _filled(grads: Sequence[Any], like: Sequence[Tensor], strict: bool, create_graph: bool, words: str) -> tuple:
    """Zeros for what is missing; with ``strict`` an error."""
    for k, grad in enumerate(grads):
        if strict and grad is None:
            raise RuntimeError(words.format(k))
        if strict and create_graph and not grad.requires_grad:
            raise RuntimeError(
                f"The jacobian of the user-provided function is independent of input {k}. This is not allowed in "
                "strict mode when create_graph=True."
            )
    return tuple(_zeros(x) if g is None else g for g, x in zip(grads, like, strict=True))


def _back(result: Sequence[Any], several: bool) -> Any:
    return tuple(result) if several else result[0]


@enable_grad()
def vjp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(``func(*inputs)``, the product of ``v`` and its Jacobian).

    Raises:
        RuntimeError: ``v`` does not fit the output; with ``strict``, an input has no influence.
    """
    several, given = _tuple(inputs, "inputs", "vjp")
    own = _leaves(given, create_graph)
    many, outputs = _tuple(func(*own), "outputs of the user-provided function", "vjp")
    _check_outputs(outputs, strict)
    v = _vectors(v, "vjp", outputs, many, "the user-provided function returns a single Tensor with a single element")
    grads = _filled(_grads(outputs, own, v, create_graph), own, strict, create_graph, _BACK)
    return _back(_finished(outputs, create_graph), many), _back(_finished(grads, create_graph), several)


@enable_grad()
def jvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(``func(*inputs)``, the product of its Jacobian and ``v``).

    Raises:
        RuntimeError: ``v`` does not fit the input; with ``strict``, the result does not depend on it.
    """
    several, given = _tuple(inputs, "inputs", "jvp")
    own = _leaves(given, create_graph)
    v = _vectors(
        v, "jvp", own, several, "the input to the user-provided function is a single Tensor with a single element"
    )
    many, outputs = _tuple(func(*own), "outputs of the user-provided function", "jvp")
    _check_outputs(outputs, strict)
    # a gradient is linear in what is given for the outputs: its derivative by that is the product
    along = tuple(_zeros(out).requires_grad_() for out in outputs)
    grads = _filled(_grads(outputs, own, along, True), own, strict, False, _BACK)
    products = _filled(_grads(grads, along, v, create_graph), outputs, strict, create_graph, (
        "The gradient with respect to the input is independent of entry {} in the grad_outputs when using the double "
        "backward trick to compute forward mode gradients. This is not allowed in strict mode."
    ))  # fmt: skip
    return _back(_finished(outputs, create_graph), many), _back(_finished(products, create_graph), many)


def _check_strategy(strategy: str) -> None:
    if strategy not in ("forward-mode", "reverse-mode"):
        raise AssertionError(
            'Expected strategy to be either "forward-mode" or "reverse-mode". Hint: If your function has more outputs '
            'than inputs, "forward-mode" tends to be more performant. Otherwise, prefer to use "reverse-mode".'
        )


def jacobian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    strategy: str = "reverse-mode",
) -> Any:
    """The Jacobian: for each output and input a tensor of both shapes, in tuples where there are several.

    Raises:
        NotImplementedError, RuntimeError: forward mode with a graph or strict checks; with ``strict``, an input
            has no influence.
    """
    _check_strategy(strategy)
    several, given = _tuple(inputs, "inputs", "jacobian")
    if strategy == "forward-mode" and create_graph:
        raise NotImplementedError(
            'torch.autograd.functional.jacobian: `create_graph=True` and `strategy="forward-mode"` are not supported '
            'together (yet). Please either set `create_graph=False` or `strategy="reverse-mode"`.'
        )
    if strict and (vectorize or strategy == "forward-mode"):
        raise RuntimeError(
            "torch.autograd.functional.jacobian: `strict=True` and `vectorized=True` are not supported together. "
            "Please either set `strict=False` or `vectorize=False`."
        )
    if create_graph or strict:
        return _rows(func, given, several, create_graph, strict)
    return _whole(func, given, several, jacfwd if strategy == "forward-mode" else jacrev, "jacobian")


def _whole(func: Callable, given: tuple, several: bool, transform: Callable, who: str) -> Any:
    found: list[bool] = []

    def checked(*new: Any) -> tuple:
        many, outputs = _tuple(func(*new), "outputs of the user-provided function", who)
        found[:] = [many]
        return outputs

    with no_grad():
        rows = transform(checked, tuple(range(len(given))))(*given)
    result = [_back([_conjugate(each) for each in row], several) for row in rows]
    return _back(result, found[0])


def _conjugate(each: Tensor) -> Tensor:
    return FUNCTIONS["conj_physical"](each) if each.dtype.is_complex else each


@enable_grad()
def _rows(func: Callable, given: tuple, several: bool, create_graph: bool, strict: bool) -> Any:
    own = _leaves(given, create_graph)
    many, outputs = _tuple(func(*own), "outputs of the user-provided function", "jacobian")
    _check_outputs(outputs, strict)
    stack = FUNCTIONS["stack"]
    result = []
    for k, out in enumerate(outputs):
        words = f"Output {k} of the user-provided function is independent of input {{}}. "
        words += "This is not allowed in strict mode."
        rows = []
        for element in range(out.numel()):  # type: ignore[attr-defined]
            vector = np.zeros(out.shape, out._aval.dtype)
            vector.reshape(-1)[element] = 1
            grads = _grads((out,), own, (wrap(constant(vector)),), create_graph)
            rows.append(_filled(grads, own, strict, create_graph, words))
        parts = [
            stack([row[i] for row in rows]).reshape((*out.shape, *x.shape))
            if rows
            else wrap(constant(np.zeros((*out.shape, *x.shape), x._aval.dtype)))
            for i, x in enumerate(own)
        ]
        result.append(_back(_finished(parts, create_graph), several))
    return _back(result, many)


def _check_scalar(outputs: Sequence[Tensor], many: bool, who: str) -> None:
    if many:
        raise RuntimeError(f"The function given to {who} should return a single Tensor")
    if outputs[0].numel() != 1:  # type: ignore[attr-defined]
        raise RuntimeError(f"The Tensor returned by the function given to {who} should contain a single element")


def _scalar(func: Callable, who: str) -> Callable:
    def single(*inputs: Any) -> Any:
        many, out = _tuple(func(*inputs), "outputs of the user-provided function", who)
        _check_scalar(out, many, who)
        return out[0].reshape(())  # type: ignore[attr-defined]

    return single


def hessian(
    func: Callable,
    inputs: Any,
    create_graph: bool = False,
    strict: bool = False,
    vectorize: bool = False,
    outer_jacobian_strategy: str = "reverse-mode",
) -> Any:
    """The Hessian of a scalar function: for each pair of inputs a tensor of both shapes.

    Raises:
        RuntimeError: the result is no single number; with ``strict``, an input has no influence.
    """
    _check_strategy(outer_jacobian_strategy)
    several, given = _tuple(inputs, "inputs", "hessian")
    single = _scalar(func, "hessian")

    def gradient(*new: Any) -> tuple:
        return jacobian(single, new, create_graph=True, strict=strict)

    if create_graph or strict:
        found = _rows(gradient, given, True, create_graph, strict)
        return found if several else found[0][0]
    places = tuple(range(len(given)))
    outer = jacfwd if outer_jacobian_strategy == "forward-mode" else jacrev
    with no_grad():
        result = outer(jacrev(single, places), places)(*given)
    return result if several else result[0][0]


def _second(func: Callable, inputs: Any, v: Any, create_graph: bool, strict: bool, who: str) -> tuple:
    """(value, the inputs, their gradient with a graph, the vector, were there several inputs)."""
    several, given = _tuple(inputs, "inputs", who)
    own = _leaves(given, create_graph)
    v = _vectors(
        v, who, own, several, "the input to the user-provided function is a single Tensor with a single element"
    )
    many, outputs = _tuple(func(*own), "outputs of the user-provided function", who)
    _check_outputs(outputs, strict)
    _check_scalar(outputs, many, who)
    gradient = _filled(_grads(outputs, own, (_ones(outputs[0]),), True), own, strict, strict, _BACK)
    return outputs[0], own, gradient, v, several


@enable_grad()
def vhp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(``func(*inputs)``, the product of ``v`` and the Hessian of a scalar function).

    Raises:
        RuntimeError: ``v`` does not fit the input, or the result is no single number.
    """
    value, own, gradient, v, several = _second(func, inputs, v, create_graph, strict, "vhp")
    words = "The jacobian of the user-provided function is independent of input {}. This is not allowed in strict mode."
    products = _filled(_grads(gradient, own, v, create_graph), own, strict, create_graph, words)
    return _finished(value, create_graph), _back(_finished(products, create_graph), several)


def hvp(func: Callable, inputs: Any, v: Any = None, create_graph: bool = False, strict: bool = False) -> tuple:
    """(``func(*inputs)``, the product of a Hessian and ``v``): as ``vhp``, since a Hessian is symmetric.

    Raises:
        RuntimeError: ``v`` does not fit the input, or the result is no single number.
    """
    return vhp(func, inputs, v, create_graph, strict)


__all__ = ["hessian", "hvp", "jacobian", "jvp", "vhp", "vjp"]
