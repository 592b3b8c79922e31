"""The functions whose name ends in ``_copy``: what a view shows, in memory of its own; and splits to write to."""

from collections.abc import Callable
from typing import Any

from pytreemod.torch.ops.output import write_out
from pytreemod.torch.ops.registry import FUNCTIONS, axis, composite
from pytreemod.torch.tensor import Tensor


def _copied(view: Callable, name: str) -> Callable:
    """The function that copies what ``view`` shows of its first argument."""

    def copy(input: Tensor, *args: Any, out: Any = None, **kwargs: Any) -> Any:
        shown = view(input, *args, **kwargs)
        found = tuple(t.clone() for t in shown) if isinstance(shown, tuple) else shown.clone()
        return found if out is None else write_out(found, out)

    copy.__name__ = copy.__qualname__ = name
    return copy


def sliced(input: Any, dim: int = 0, start: int | None = None, end: int | None = None, step: int = 1) -> Any:
    """A view of every ``step``-th place of ``dim`` from ``start`` to before ``end``.

    Raises:
        RuntimeError: the tensor has no dimension, or the step is not positive.
    """
    if not input.ndim:
        raise RuntimeError("slice() cannot be applied to a 0-dim tensor.")
    if step <= 0:
        raise RuntimeError("slice step must be positive")
    return input[(slice(None),) * axis(dim, input.ndim) + (slice(start, end, step),)]


def _expand(input: Any, size: Any, *, implicit: bool = False) -> Any:
    return input.expand(size)


def _named(name: str) -> Callable:
    return lambda input, *args, **kwargs: getattr(input, name)(*args, **kwargs)


_VIEWS: dict[str, Callable] = {
    "alias": lambda input: input, "slice": sliced, "expand": _expand, "view_as_real": FUNCTIONS["view_as_real"],
    "view_as_complex": FUNCTIONS["view_as_complex"],
    **{name: _named(name) for name in (
        "as_strided", "detach", "diagonal", "permute", "select", "split", "split_with_sizes", "squeeze", "t",
        "transpose", "unbind", "unfold", "unsqueeze", "view",
    )},
}  # fmt: skip

for _name, _view in _VIEWS.items():
    FUNCTIONS[_name + "_copy"] = _copied(_view, _name + "_copy")


@composite()
def narrow_copy(input: Tensor, dim: int, start: Any, length: int) -> Tensor:
    """A copy of ``length`` places along ``dim`` from ``start`` on.

    Raises:
        RuntimeError: ``dim`` is too large, where ``narrow`` raises an IndexError; or there are not so many places.
    """
    if dim >= input.ndim > 0:
        raise RuntimeError(
            f"narrow_copy: Expected dim < static_cast<int64_t>(self_sizes.size()) to be true, but got false: the "
            f"tensor has {input.ndim} dimensions, and dim is {dim}."
        )
    return input.narrow(dim, start, length).clone()  # type: ignore[attr-defined]


@composite()
def unsafe_split_with_sizes(input: Tensor, split_sizes: Any, dim: int = 0) -> tuple:
    """Parts of the sizes given, each of which may be written in place."""
    FUNCTIONS["split_with_sizes"](input, split_sizes, dim)  # its checks
    starts = [sum(split_sizes[:k]) for k in range(len(split_sizes))]
    return tuple(input.narrow(dim, at, size) for at, size in zip(starts, split_sizes, strict=True))  # type: ignore


@composite()
def unsafe_split(input: Tensor, split_size: int, dim: int = 0) -> tuple:
    """Parts of ``split_size``, each of which may be written in place."""
    return unsafe_split_with_sizes(input, [t.shape[dim] for t in FUNCTIONS["split"](input, split_size, dim)], dim)


@composite()
def unsafe_chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple:
    """``chunks`` parts, each of which may be written in place."""
    return unsafe_split_with_sizes(input, [t.shape[dim] for t in FUNCTIONS["chunk"](input, chunks, dim)], dim)
