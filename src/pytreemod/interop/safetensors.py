"""Checkpoints as safetensors files: names and arrays, nothing that can execute.

A tied leaf is stored once, under its first name; the other names stand in the metadata. A file written from
PyTorch, which may have any one of the names or all of them, loads as well.
"""

import json
import os
import tempfile
from typing import Any, TypeVar

import jax
import ml_dtypes
import numpy as np

from pytreemod.tree import Module

M = TypeVar("M", bound=Module)

_DTYPES = {
    "BOOL": np.dtype("bool"),
    "BF16": np.dtype(ml_dtypes.bfloat16),
    "F8_E4M3": np.dtype(ml_dtypes.float8_e4m3fn),
    "F8_E5M2": np.dtype(ml_dtypes.float8_e5m2),
    **{f"F{bits}": np.dtype(f"float{bits}") for bits in (16, 32, 64)},
    **{f"I{bits}": np.dtype(f"int{bits}") for bits in (8, 16, 32, 64)},
    **{f"U{bits}": np.dtype(f"uint{bits}") for bits in (8, 16, 32, 64)},
    "C64": np.dtype("complex64"),
}


def _package() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError("safetensors files need the package safetensors: pip install pytreemod[checkpoint]") from None
    return safetensors


def save_safetensors(path: str | os.PathLike, model: Module) -> None:
    """Write the parameters and persistent buffers of ``model`` to ``path``, whole or not at all.

    Raises:
        ImportError: the package safetensors is missing.
        TypeError: ``model`` is no immutable module, or a leaf is no array that such a file can hold; names its path.
    """
    package = _package()
    _require_module(model, "save_safetensors")
    structure, leaves = model._structure, model._leaves
    first, arrays, ties = structure.names(), {}, {}
    for name, index in structure.named_leaves():
        if not structure.roles[index].is_persistent or leaves[index] is None:
            continue
        if name == first[index]:
            arrays[name] = _storable(leaves[index], name)
        else:
            ties[name] = first[index]
    metadata = {"format": "pt", "ties": json.dumps(ties)} if ties else {"format": "pt"}
    content = package.numpy.save(arrays, metadata=metadata)
    path = os.fspath(path)
    handle, draft = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=os.path.basename(path))
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.replace(draft, path)
    except BaseException:
        os.unlink(draft)
        raise


def load_safetensors(path: str | os.PathLike, model: M, strict: bool = True) -> M:
    """``model`` with the arrays of a safetensors file, in its own dtypes; see ``load_state_dict``.

    Raises:
        ImportError: the package safetensors is missing.
        TypeError: ``model`` is no immutable module.
        ValueError: the file is no safetensors file.
        RuntimeError: names or shapes do not fit; lists all of them, in PyTorch's words.
    """
    package = _package()
    _require_module(model, "load_safetensors")
    with open(path, "rb") as file:
        content = file.read()
    try:
        entries = package.deserialize(content)
    except Exception as problem:
        raise ValueError(f"load_safetensors: {os.fspath(path)!r} is no safetensors file: {problem}") from None
    return model.load_state_dict({name: _array(entry, name) for name, entry in entries}, strict)


def _require_module(model: Any, who: str) -> None:
    if not isinstance(model, Module):
        raise TypeError(
            f"{who}: expected a module of pytreemod.nn, got {type(model).__name__}. "
            "For a live one use torch.save(net.state_dict(), path) and net.load_state_dict(torch.load(path))"
        )


def _storable(value: Any, name: str) -> np.ndarray:
    if not isinstance(value, (jax.Array, np.ndarray)) or isinstance(value, jax.core.Tracer):
        raise TypeError(f"save_safetensors: expected an array at {name!r}, got {type(value).__name__}")
    if jax.numpy.issubdtype(value.dtype, jax.dtypes.prng_key):
        raise TypeError(
            f"save_safetensors: {name!r} is a typed JAX key. Store jax.random.key_data(key), "
            "or make it a non-persistent buffer"
        )
    return np.asarray(value, order="C")


def _array(entry: dict, name: str) -> np.ndarray:
    if entry["dtype"] not in _DTYPES:
        raise ValueError(f"load_safetensors: {name!r} has the dtype {entry['dtype']}, which JAX has not")
    return np.frombuffer(entry["data"], dtype=_DTYPES[entry["dtype"]]).reshape(entry["shape"])
