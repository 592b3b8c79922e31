"""Jacobians and directional derivatives of ``torch.func``, recorded as one operation each (PyTorch 2.13)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.autograd.mode import set_grad_enabled
from pytreemod.torch.func_program import Reads, recorded, transformed
from pytreemod.torch.tensor import Tensor
from pytreemod.torch.trees import pack, unpack


def jacobian(program: Callable, leaves: tuple, chosen: tuple, count: int, forward: bool) -> tuple:
    """(the Jacobian of each of the first ``count`` results by each chosen leaf, flat; the other results)."""

    def by(*picked: Any) -> tuple:
        out = program(*_put(leaves, chosen, picked))
        return out[:count], out[count:]

    transform = jax.jacfwd if forward else jax.jacrev
    found, rest = transform(by, tuple(range(len(chosen))), has_aux=True)(*[leaves[k] for k in chosen])
    return (*[each for row in found for each in row], *rest)


def directional(program: Callable, leaves: tuple, chosen: tuple, count: int) -> tuple:
    """(the first ``count`` results, their derivatives along the last leaves, the other results)."""
    own = leaves[: len(leaves) - len(chosen)]

    def by(*picked: Any) -> tuple:
        out = program(*_put(own, chosen, picked))
        return out[:count], out[count:]

    out, along, rest = jax.jvp(by, tuple([own[k] for k in chosen]), leaves[len(own) :], has_aux=True)
    along = [
        jnp.zeros(o.shape, o.dtype) if a.dtype == jax.dtypes.float0 else a for o, a in zip(out, along, strict=True)
    ]
    return (*out, *along, *rest)


def _put(leaves: tuple, chosen: tuple, picked: tuple) -> list:
    given = list(leaves)
    for k, value in zip(chosen, picked, strict=True):
        given[k] = value
    return given


class Run:
    """One run of a function on stand-ins for the arguments that it is differentiated by.

    Args:
        args: the arguments, trees of tensors.
        places: which of them the derivative is by.
        has_aux: the function gives (results, what is only passed on).
    """

    def __init__(self, name: str, func: Callable, args: tuple, places: tuple, has_aux: bool, kwargs: dict):
        self.reads = reads = Reads(name)
        self.tensors: list[Tensor] = []
        trees = [unpack(args[k], self.tensors)[0] for k in places]
        if bad := next((t for t in self.tensors if not t._aval.inexact), None):
            raise RuntimeError(
                f"{name}: Expected all inputs to be floating point or complex tensors, got one of dtype {bad.dtype}"
            )
        stand_ins = [reads.stand_in(t, tracked=True) for t in self.tensors]
        self.chosen = [s._cell.value for s in stand_ins]
        given = list(args)
        for k, tree in zip(places, trees, strict=True):
            given[k] = pack(tree, stand_ins)
        self.trees = trees

        def run() -> tuple:
            found: list[Tensor] = []
            with set_grad_enabled(True):
                out = func(*given, **kwargs)
            if has_aux and not (isinstance(out, tuple) and len(out) == 2):
                raise RuntimeError(f"{name}: output of function f should be a tuple: (output, aux) if has_aux is True")
            out, aux = out if has_aux else (out, ())
            tree, _ = unpack(out, found)
            self.count = len(found)
            if not self.count:
                raise RuntimeError(f"{name}: Expected f(*args) to return Tensors, got {type(out)}")
            return (tree, unpack(aux, found)[0]), found

        (self.tree, self.aux), self.values = recorded(reads, run)

    def where(self, leaves: list) -> tuple:
        """The places of the chosen arguments among the leaves."""
        return tuple([leaves.index(v) for v in self.chosen])


def _jacobian(name: str, forward: bool) -> Callable:
    def of(func: Callable, argnums: Any = 0, has_aux: bool = False, **options: Any) -> Callable:
        _check_options(name, options)

        @functools.wraps(func)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
            run = Run(name, func, args, tuple([k % len(args) for k in places]), has_aux, kwargs)
            found = transformed(jacobian, run.reads, run.values, lambda leaves: (run.where(leaves), run.count, forward))
            width = len(run.tensors)
            rows = [[pack(tree, found[k * width : (k + 1) * width]) for tree in run.trees] for k in range(run.count)]
            out = pack(run.tree, [row[0] if isinstance(argnums, int) else tuple(row) for row in rows])
            return (out, pack(run.aux, [None] * run.count + found[run.count * width :])) if has_aux else out

        return wrapped

    of.__name__ = of.__qualname__ = name
    of.__doc__ = f"""The Jacobian of ``func`` by the arguments ``argnums``, {"forward" if forward else "reverse"} mode.

    A result of shape S by an argument of shape T gives S + T, in the structure of the results, then of the arguments.
    Gradients go back through it.

    Raises:
        RuntimeError: an argument is not of a floating type; a value is read inside.
    """
    return of


def _check_options(name: str, options: dict) -> None:
    known = {"jacrev": {"chunk_size", "_preallocate_and_copy"}, "jacfwd": {"randomness"}}[name]
    if unknown := set(options) - known:
        raise TypeError(f"{name}() got an unexpected keyword argument '{sorted(unknown)[0]}'")


jacrev, jacfwd = _jacobian("jacrev", forward=False), _jacobian("jacfwd", forward=True)


def hessian(func: Callable, argnums: Any = 0) -> Callable:
    """The second derivatives of ``func``: ``jacfwd(jacrev(func))``."""
    return jacfwd(jacrev(func, argnums), argnums)


def jvp(func: Callable, primals: tuple, tangents: tuple, *, strict: bool = False, has_aux: bool = False) -> tuple:
    """(the value of ``func``, its derivative along ``tangents``), and aux if there is one.

    Raises:
        RuntimeError: primals and tangents of different structure or shapes.
    """
    if not isinstance(primals, tuple) or not isinstance(tangents, tuple):
        raise RuntimeError("jvp(f, primals, tangents): Expected primals and tangents to be a tuple of Tensors")
    run = Run("jvp", func, primals, tuple(range(len(primals))), has_aux, {})
    along: list[Tensor] = []
    unpack(tangents, along)
    if [t.shape for t in along] != [t.shape for t in run.tensors]:
        raise RuntimeError(
            "jvp(f, primals, tangents): Expected primals and tangents to have the same python structure and shapes. "
            f"Got {[tuple(t.shape) for t in run.tensors]} and {[tuple(t.shape) for t in along]}"
        )
    found = transformed(
        directional, run.reads, run.values, lambda leaves: (run.where(leaves), run.count), [t._read() for t in along]
    )
    n = run.count
    out, derivative = pack(run.tree, found[:n]), pack(run.tree, found[n : 2 * n])
    return (out, derivative, pack(run.aux, [None] * n + found[2 * n :])) if has_aux else (out, derivative)


def linearize(func: Callable, *primals: Any) -> tuple:
    """(the value of ``func`` at ``primals``, the function from tangents to the derivative along them)."""
    kept = tuple(primals)

    def along(*tangents: Any) -> Any:
        return jvp(func, kept, tangents)[1]

    return func(*kept), along
