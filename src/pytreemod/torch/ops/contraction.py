"""Sums of products over named and numbered dimensions."""

import string
from typing import Any

import jax.numpy as jnp

from pytreemod.torch.ops.matrix import SCALARS, same_kind
from pytreemod.torch.ops.output import write_out
from pytreemod.torch.ops.registry import axis, composite, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap

_LETTERS = string.ascii_uppercase + string.ascii_lowercase  # in PyTorch's order


# ---- tensordot


def _tensordot(a: Any, b: Any, dims: Any) -> Any:
    if isinstance(dims, int):
        if dims < 0:
            raise RuntimeError(f"tensordot expects dims >= 0, but got dims={dims}")
        if dims > min(a.ndim, b.ndim):
            raise RuntimeError(f"tensordot expects dims < ndim_a or ndim_b, but got dims={dims}")
        dims = (tuple(range(-dims, 0)), tuple(range(dims)))
    if len(dims[0]) != len(dims[1]):
        raise RuntimeError("both dimension lists should have same length")
    same_kind(a, b, "both inputs should have same dtype")
    for one, two in zip(*dims, strict=True):
        k, m = axis(one, a.ndim), axis(two, b.ndim)
        first, second = a.shape[k], b.shape[m]
        if first != second and 1 not in (first, second):
            raise RuntimeError(
                f"contracted dimensions need to match, but first has size {first} in dim {one} and second has size "
                f"{second} in dim {two}"
            )
        if first == 1:  # broadcast
            b = jnp.sum(b, m, keepdims=True, dtype=b.dtype)
        elif second == 1:
            a = jnp.sum(a, k, keepdims=True, dtype=a.dtype)
    return jnp.tensordot(a, b, (tuple(axis(d, a.ndim) for d in dims[0]), tuple(axis(d, b.ndim) for d in dims[1])))


_tensordot.__name__ = "tensordot"
_TENSORDOT = operation("ViewBackward0", "others", method=False, function=False)(_tensordot)


@composite(method=False)
def tensordot(a: Tensor, b: Tensor, dims: Any = 2, out: Any = None) -> Tensor:
    """The sum of products over the last ``dims`` dimensions of a and the first of b, or over two lists of them."""
    if isinstance(dims, Tensor):
        dims = dims.tolist() if dims.ndim else dims.item()  # type: ignore[attr-defined]
    if not isinstance(dims, int):
        dims = tuple(tuple(d) if isinstance(d, (tuple, list)) else (d,) for d in dims)
    found = wrap(call(_TENSORDOT, (a, b, dims)))
    return found if out is None else write_out(found, out)


# ---- einsum


def _check(equation: str, tensors: tuple) -> None:
    """Refuse an equation that does not fit the tensors. Raises: RuntimeError."""
    left, arrow, out = equation.partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors):
        few = "fewer" if len(tensors) < len(terms) else "more"
        raise RuntimeError(f"einsum(): {few} operands were provided than specified in the equation")
    seen: dict[str, int] = {}
    for k, (term, tensor) in enumerate(zip(terms, tensors, strict=True)):
        before, dots, behind = term.partition("...")
        names, ndim = before + behind, tensor.ndim
        if dots and len(names) > ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(names)}) is more than the number of "
                f"dimensions ({ndim}) for operand {k}"
            )
        if not dots and len(names) != ndim:
            raise RuntimeError(
                f"einsum(): the number of subscripts in the equation ({len(names)}) does not match the number of "
                f"dimensions ({ndim}) for operand {k} and no ellipsis was given"
            )
        own: dict[str, int] = {}
        sizes = (*tensor.shape[: len(before)], *tensor.shape[ndim - len(behind) :])
        for name, size in zip(names, sizes, strict=True):
            if own.setdefault(name, size) != size:
                raise RuntimeError(
                    f"einsum(): subscript {name} is repeated for operand {k} but the sizes don't match, {size} != "
                    f"{own[name]}"
                )
        for name, size in own.items():
            if seen.get(name, 1) != 1 and size not in (1, seen[name]):
                raise RuntimeError(
                    f"einsum(): subscript {name} has size {size} for operand {k} which does not broadcast with "
                    f"previously seen size {seen[name]}"
                )
            seen[name] = max(size, seen.get(name, 1))
    for name in out.replace("...", "") if arrow else "":
        if name not in seen:
            raise RuntimeError(
                f"einsum(): output subscript {name} does not appear in the equation for any input operand"
            )


def _check_letters(equation: str) -> None:
    """Refuse what is no letter, and a letter twice in the output. Raises: RuntimeError."""
    left, arrow, out = equation.partition("->")
    for k, term in enumerate([*left.split(","), *([out] if arrow else [])]):
        where = "output" if arrow and k == left.count(",") + 1 else f"operand {k}"
        rest = term.replace("...", "", 1)
        if "." in rest:
            raise RuntimeError(f"einsum(): found '.' for {where} that is not part of any ellipsis (...)")
    plain = left.replace("...", "").replace(",", "") + out.replace("...", "")
    for letter in plain:
        if letter not in _LETTERS:
            raise RuntimeError(
                f"einsum(): invalid subscript given at index {equation.index(letter)} in the equation string, "
                "subscripts must be in [a-zA-Z]"
            )
    for letter in out.replace("...", ""):
        if out.count(letter) > 1:
            raise RuntimeError(f"einsum(): output subscript {letter} appears more than once in the output")


def _spelled_out(equation: str, tensors: tuple) -> str:
    """The equation with letters for the dimensions of an ellipsis, and with its output.

    Dimensions of an ellipsis that the output does not have are summed, as in PyTorch.
    """
    left, arrow, out = equation.partition("->")
    terms = left.split(",")
    counts = [t.ndim - len(s.replace("...", "")) if "..." in s else 0 for s, t in zip(terms, tensors, strict=True)]
    free = [letter for letter in _LETTERS if letter not in equation][: max(counts, default=0)]
    spelled = [s.replace("...", "".join(free[len(free) - n :])) for s, n in zip(terms, counts, strict=True)]
    if arrow:
        return ",".join(spelled) + "->" + out.replace("...", "".join(free))
    named = left.replace("...", "").replace(",", "")
    return ",".join(spelled) + "->" + "".join(free) + "".join(s for s in sorted(set(named)) if named.count(s) == 1)


def _einsum(*tensors: Any, equation: str) -> Any:
    _check_letters(equation)
    _check(equation, tensors)
    for other in tensors[1:]:
        same_kind(tensors[0], other, SCALARS)
    return jnp.einsum(_spelled_out(equation, tensors), *tensors).astype(tensors[0].dtype)


_einsum.__name__ = "einsum"
_EINSUM = operation("ViewBackward0", "others", function=False, method=False)(_einsum)


def _subscripts(given: Any) -> str:
    """The letters of a list of numbers."""
    letters = []
    for each in given:
        if each is not Ellipsis and not 0 <= each < 52:
            raise ValueError("einsum(): subscript in subscript list is not within the valid range [0, 52)")
        letters.append("..." if each is Ellipsis else _LETTERS[each])
    return "".join(letters)


@composite(method=False)
def einsum(*args: Any) -> Tensor:
    """The sum of products that an equation says: ``einsum("ij,jk->ik", a, b)``, or ``einsum(a, [0, 1], b, [1, 2])``.

    Raises:
        ValueError: no operands, or a number that stands for no letter.
        RuntimeError: an equation that does not fit them.
    """
    if len(args) < 2:
        raise ValueError(
            "einsum(): must specify the equation string and at least one operand, or at least one operand and its "
            "subscripts list"
        )
    if isinstance(args[0], str):
        equation, tensors = args[0].replace(" ", ""), args[1:]
        if len(tensors) == 1 and isinstance(tensors[0], (list, tuple)):
            tensors = tuple(tensors[0])
    else:
        tensors = args[: len(args) // 2 * 2 : 2]
        equation = ",".join(_subscripts(s) for s in args[1::2])
        if len(args) % 2:
            equation += "->" + _subscripts(args[-1])
    return wrap(call(_EINSUM, tuple(tensors), {"equation": equation}))
