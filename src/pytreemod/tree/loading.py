"""``state_dict`` and ``load_state_dict``: a model's arrays by PyTorch's names."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.tree.reading import unflatten
from pytreemod.tree.roles import is_array


class Loading:
    """The checkpoint methods of a module."""

    __slots__ = ()

    def state_dict(self: Any, prefix: str = "") -> dict[str, Any]:
        """Arrays of parameters and persistent buffers by path; a tied one under each of its names."""
        structure, leaves = self._structure, self._leaves
        return {
            prefix + name: leaves[i]
            for name, i in structure.named_leaves()
            if structure.roles[i].is_persistent and leaves[i] is not None
        }

    def load_state_dict(self: Any, state_dict: Mapping[str, Any], strict: bool = True) -> Any:
        """The module with the arrays of a ``state_dict``, in the dtypes that it has now.

        Values may be jax, NumPy or PyTorch arrays. A tied leaf may be given under any of its names.

        Raises:
            RuntimeError: with ``strict``, missing or unexpected names; always, other shapes, and tied names
                with unequal values. Lists all of them, in PyTorch's words.
        """
        if not isinstance(state_dict, Mapping):
            raise TypeError(f"Expected state_dict to be dict-like, got {type(state_dict)}.")
        structure, leaves = self._structure, list(self._leaves)
        wanted = [(name, i) for name, i in structure.named_leaves() if structure.roles[i].is_persistent]
        wanted = [(name, i) for name, i in wanted if leaves[i] is not None]
        given: dict[int, str] = {}
        problems: list[str] = []
        for name, i in wanted:
            if name not in state_dict:
                continue
            value = to_array(state_dict[name], name)
            if i in given and not _same(state_dict[given[i]], state_dict[name], value):
                problems.append(f"{given[i]} and {name} are tied, but their values differ.")
            elif tuple(value.shape) != tuple(leaves[i].shape):
                problems.append(
                    f"size mismatch for {name}: copying a param with shape {_size(value)} from checkpoint, "
                    f"the shape in current model is {_size(leaves[i])}."
                )
            given.setdefault(i, name)
        if strict:
            missing = [name for name, i in wanted if i not in given]
            unexpected = [name for name in state_dict if name not in dict(wanted)]
            report = [f"Missing key(s) in state_dict: {_quoted(missing)}. "] if missing else []
            report += [f"Unexpected key(s) in state_dict: {_quoted(unexpected)}. "] if unexpected else []
            problems = report + problems
        if problems:
            text = "\n\t".join(problems)
            raise RuntimeError(f"Error(s) in loading state_dict for {type(self).__name__}:\n\t{text}")
        for i, name in given.items():
            leaves[i] = _cast(to_array(state_dict[name], name), leaves[i], name)
        return unflatten(structure, tuple(leaves))


def to_array(value: Any, name: str) -> Any:
    """A checkpoint's value as a jax or NumPy array.

    Raises:
        TypeError: the value is not an array.
    """
    if is_array(value) or isinstance(value, (np.ndarray, np.generic, jax.ShapeDtypeStruct)):
        return value
    if hasattr(value, "__dlpack__") and hasattr(value, "detach"):  # a PyTorch tensor, bfloat16 included
        value = value.detach().cpu().contiguous()
        try:
            return value.numpy()
        except TypeError:
            return value.float().numpy()  # NumPy has no such dtype; float32 holds its values exactly
    if hasattr(value, "__jax_array__"):
        return value.__jax_array__()
    if hasattr(value, "__array__"):
        return np.asarray(value)
    raise TypeError(f"load_state_dict: expected an array for {name!r}, got {type(value).__name__}")


def _cast(value: Any, old: Any, name: str) -> Any:
    if isinstance(old, jax.ShapeDtypeStruct) and isinstance(value, jax.ShapeDtypeStruct):
        return value
    dtype = old.dtype
    if jax.numpy.issubdtype(dtype, jax.dtypes.prng_key):
        return value
    if jnp.issubdtype(value.dtype, jnp.complexfloating) and not jnp.issubdtype(dtype, jnp.complexfloating):
        raise TypeError(f"load_state_dict: {name!r} is {dtype} in the model, but complex in the checkpoint")
    return jnp.array(value, dtype=dtype) if isinstance(value, np.ndarray) else jnp.asarray(value, dtype=dtype)


def _same(first: Any, second: Any, value: Any) -> bool:
    if first is second or isinstance(value, (jax.core.Tracer, jax.ShapeDtypeStruct)):
        return True
    one, two = np.asarray(to_array(first, "")), np.asarray(to_array(second, ""))
    return one.shape == two.shape and one.tobytes() == two.astype(one.dtype).tobytes()


def _size(value: Any) -> str:
    return f"torch.Size({list(value.shape)})"


def _quoted(names: list[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)
