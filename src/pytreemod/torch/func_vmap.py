"""``torch.func.vmap``: a function over a batch dimension of its arguments, recorded as one operation (PyTorch 2.13)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from pytreemod.torch.func_program import Reads, recorded, transformed
from pytreemod.torch.ops.registry import FUNCTIONS, axis
from pytreemod.torch.tensor import Tensor
from pytreemod.torch.trees import Place, pack, unpack

_RANDOMNESS = ("error", "different", "same")


class Lanes(Reads):
    """A run for one of ``size`` lanes, which draw as ``randomness`` says."""

    def __init__(self, size: int, randomness: str):
        super().__init__("vmap")
        self.size, self.randomness = size, randomness

    def drawn(self, draw: Callable, args: list, kwargs: dict) -> Any:
        if self.randomness == "error":
            raise RuntimeError(
                "vmap: called random operation while in randomness error mode. Please either use the 'same' or "
                "'different' randomness flags on vmap or perform the randomness operation out of vmap"
            )
        if self.randomness == "same":
            return draw(*args, **kwargs)
        place = next((k for k, a in enumerate(args) if isinstance(a, tuple)), None)
        if place is not None:
            args[place] = (self.size, *args[place])
            every = draw(*args, **kwargs)
        elif "shape" in kwargs:
            every = draw(*args, **{**kwargs, "shape": (self.size, *kwargs["shape"])})
        else:
            with self.suspended():
                every = FUNCTIONS["stack"]([draw(*args, **kwargs) for _ in range(self.size)])
        return self.stand_in(every, 0)


def mapped(program: Callable, leaves: tuple, axes: tuple, outs: tuple, size: int) -> tuple:
    """JAX's ``vmap``; a result that no mapped array goes into is repeated."""
    if any(axis is not None for axis in axes):
        return tuple(jax.vmap(lambda *each: program(*each), axes, outs, axis_size=size)(*leaves))
    return tuple(
        found if axis is None else jnp.repeat(jnp.expand_dims(found, axis), size, axis)
        for found, axis in zip(program(*leaves), outs, strict=True)
    )


def vmap(
    func: Callable, in_dims: Any = 0, out_dims: Any = 0, randomness: str = "error", *, chunk_size: int | None = None
) -> Callable:
    """``func`` over the dimension ``in_dims`` of its arguments; gradients go back through it.

    Args:
        in_dims: an int, or a tuple (of trees) like the arguments; None: the argument is the same for all.
        out_dims: where the new dimension goes in the results.
        randomness: whether draws inside raise ("error"), are the "same" for all, or "different".
        chunk_size: how many are computed at once; all, for None.

    Raises:
        ValueError: dimensions that do not fit the arguments.
        RuntimeError: a value is read inside, or a draw is made in the mode "error".
    """
    if randomness not in _RANDOMNESS:
        raise RuntimeError(f"Only allowed values for randomness are 'error', 'different', or 'same'. Got {randomness}")
    if chunk_size is not None and chunk_size <= 0:
        raise ValueError(f"vmap: chunk_size should be None or greater than 0. (got {chunk_size})")
    name = getattr(func, "__name__", repr(func))

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        tensors: list[Tensor] = []
        tree, _ = unpack(args, tensors)
        dims: list = [None] * len(tensors)
        head = f"vmap({name}, in_dims={in_dims}, ...)(<inputs>): "
        _spread(in_dims if isinstance(in_dims, (tuple, list)) else (in_dims,) * len(args), tree, dims, tensors, head)
        size = _size(tensors, dims)
        if chunk_size is None or chunk_size >= size:
            return _once(func, name, tree, tensors, dims, size, out_dims, randomness, kwargs)
        parts = []
        for start in range(0, size, chunk_size):
            count = min(chunk_size, size - start)
            some = [
                t if d is None else t.narrow(d, start, count)  # type: ignore[attr-defined]
                for t, d in zip(tensors, dims, strict=True)
            ]
            parts.append(_once(func, name, tree, some, dims, count, out_dims, randomness, kwargs))
        return _joined(parts, out_dims)

    return wrapped


def _once(func: Callable, name: str, tree: Any, tensors: list, dims: list, size: int, out_dims: Any, randomness: str,
          kwargs: dict) -> Any:  # fmt: skip
    reads = Lanes(size, randomness)
    given = [reads.stand_in(t, d) for t, d in zip(tensors, dims, strict=True)]

    def run() -> tuple:
        found: list[Tensor] = []
        places, _ = unpack(func(*pack(tree, given), **kwargs), found)
        _check_results(places, name)
        return places, found

    places, values = recorded(reads, run)
    outs: list = [0] * len(values)
    _spread_out(out_dims, places, outs, f"vmap({name}, ..., out_dims={out_dims}): ")
    outs = [d if d is None else axis(d, len(v.aval.shape) + 1) for d, v in zip(outs, values, strict=True)]

    def settings(leaves: list) -> tuple:
        return tuple([reads.arguments[v][2] if v in reads.arguments else None for v in leaves]), tuple(outs), size

    return pack(places, transformed(mapped, reads, values, settings)) if values else places


def _spread(dims: Any, tree: Any, found: list, tensors: list, head: str) -> None:
    """Write down the dimension of every tensor of ``tree``."""
    if type(tree) is Place:
        if dims is None:
            return
        if not isinstance(dims, int):
            raise ValueError(f"{head}Got in_dim={dims} for an input, expected an int or None")
        ndim = tensors[tree.index].ndim
        if not -ndim <= dims < ndim:
            raise ValueError(
                f"{head}Got in_dim={dims} for some input, but that input is a Tensor of dimensionality {ndim} so "
                f"expected in_dim to satisfy -{ndim} <= in_dim < {ndim}."
            )
        found[tree.index] = dims % ndim
    elif isinstance(tree, (dict, list, tuple)):
        items = tree.items() if isinstance(tree, dict) else list(enumerate(tree))
        if isinstance(dims, (dict, list, tuple)):
            if len(dims) != len(tree) or isinstance(dims, dict) is not isinstance(tree, dict):
                raise ValueError(
                    f"{head}in_dims is not compatible with the structure of inputs. in_dims has {len(dims)} entries "
                    f"where inputs have {len(tree)}."
                )
            for key, part in items:
                _spread(dims[key], part, found, tensors, head)  # type: ignore[call-overload]
        else:
            for _, part in items:
                _spread(dims, part, found, tensors, head)
    elif dims is not None:
        raise ValueError(
            f"{head}Got in_dim={dims} for an input but the input is of type {type(tree)}. We cannot vmap over "
            "non-Tensor arguments, please use None as the respective in_dim"
        )


def _size(tensors: list, dims: list) -> int:
    sizes = [t.shape[d] for t, d in zip(tensors, dims, strict=True) if d is not None]
    if not sizes:
        raise ValueError("vmap: at least one argument must have a batch dimension: in_dims has no int for any Tensor")
    if len(set(sizes)) > 1:
        raise ValueError(
            "vmap: Expected all tensors to have the same size in the mapped dimension, got sizes "
            f"{sizes} for the mapped dimension"
        )
    return sizes[0]


def _check_results(places: Any, name: str) -> None:
    if isinstance(places, dict):
        places = list(places.values())
    if isinstance(places, (tuple, list)):
        for part in places:
            _check_results(part, name)
    elif type(places) is not Place:
        raise ValueError(
            f"vmap({name}, ...): `{name}` must only return Tensors, got type {type(places)}. Did you mean to set "
            "out_dims= to None for output?"
        )


def _spread_out(dims: Any, tree: Any, found: list, head: str) -> None:
    if type(tree) is Place:
        if isinstance(dims, (tuple, list)) and len(dims) == 1:
            dims = dims[0]
        if dims is not None and not isinstance(dims, int):
            raise ValueError(f"{head}out_dims is not compatible with the structure of outputs.")
        found[tree.index] = dims
        return
    items = list(tree.items()) if isinstance(tree, dict) else list(enumerate(tree))
    if isinstance(dims, (dict, list, tuple)) and len(dims) != len(tree):
        raise ValueError(f"{head}out_dims is not compatible with the structure of outputs.")
    for key, part in items:
        _spread_out(dims[key] if isinstance(dims, (dict, list, tuple)) else dims, part, found, head)


def _joined(parts: list, out_dims: Any) -> Any:
    """The results of the chunks, end to end along the new dimension."""
    flat = []
    places: Any = None
    for part in parts:
        tensors: list[Tensor] = []
        places, _ = unpack(part, tensors)
        flat.append(tensors)
    dims: list = [0] * len(flat[0])
    _spread_out(out_dims, places, dims, "vmap: ")
    return pack(
        places,
        [
            each[0] if d is None else FUNCTIONS["cat"](list(each), d)
            for each, d in zip(zip(*flat, strict=True), dims, strict=True)
        ],
    )
