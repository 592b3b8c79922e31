"""Saving and loading without executing code: tensors in a safetensors file, everything else as JSON beside them."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
from importlib import import_module
from typing import Any

import jax
import numpy as np

from pytreemod.torch.creation import made
from pytreemod.torch.parameter import Parameter
from pytreemod.torch.tensor import Tensor

_FORMAT = "pytreemod"


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError(
            "torch.save and torch.load keep their files in the safetensors format. Install it: "
            "pip install pytreemod[checkpoint]"
        ) from None
    return safetensors


def _contiguous(array: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(array).reshape(array.shape)  # which would make one dimension of none


_DTYPES = {
    "F64": np.float64, "F32": np.float32, "F16": np.float16, "BF16": jax.numpy.bfloat16, "I64": np.int64,
    "I32": np.int32, "I16": np.int16, "I8": np.int8, "U64": np.uint64, "U32": np.uint32, "U16": np.uint16,
    "U8": np.uint8, "BOOL": np.bool_, "C64": np.complex64, "F8_E4M3": jax.numpy.float8_e4m3fn,
    "F8_E5M2": jax.numpy.float8_e5m2,
}  # fmt: skip


def _array(entry: dict) -> np.ndarray:
    """One tensor of a safetensors file; its NumPy reader knows no bfloat16."""
    return np.frombuffer(bytearray(entry["data"]), np.dtype(_DTYPES[entry["dtype"]])).reshape(entry["shape"])


class _Packing:
    """What goes into a file: arrays under the paths they have in the object, and its structure as JSON.

    So a state dict is an ordinary safetensors file under PyTorch's names.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}
        self.stored: dict[int, str] = {}  # the cell of a tensor -> its name in the file

    def pack(self, tree: Any, path: tuple = ()) -> Any:
        """The structure of ``tree``, which stands at ``path``.

        Raises:
            TypeError: it holds something that a file cannot, naming where.
        """
        if isinstance(tree, Tensor):
            name = self.stored.get(id(tree._cell)) if tree._base is None else None
            if name is None:
                name = self.store(np.asarray(tree._array()).reshape(tree._aval.shape), path)
                self.stored[id(tree._cell)] = name
            return {"tensor": name, "parameter": isinstance(tree, Parameter), "requires_grad": tree._leaf}
        if isinstance(tree, np.ndarray):
            return {"array": self.store(tree, path)}
        if tree is None or isinstance(tree, (bool, int, float, str)):
            return tree if not isinstance(tree, float) or np.isfinite(tree) else {"float": repr(tree)}
        if isinstance(tree, np.generic):
            return self.pack(tree.item(), path)
        if isinstance(tree, dict):
            kind = "ordered" if isinstance(tree, OrderedDict) else "dict"
            pairs = [[self.pack(k, (*path, "key")), self.pack(v, (*path, k))] for k, v in tree.items()]
            return {kind: pairs, **({"metadata": tree._metadata} if hasattr(tree, "_metadata") else {})}
        if isinstance(tree, (list, tuple)):
            kind = "list" if isinstance(tree, list) else "tuple"
            return {kind: [self.pack(v, (*path, k)) for k, v in enumerate(tree)]}
        where = "the object" + "".join(f"[{key!r}]" for key in path)
        raise TypeError(
            f"torch.save: {where} is a {type(tree).__name__}. Files hold tensors, numbers, text, lists, tuples and "
            "dicts; save model.state_dict() instead of the model"
        )

    def store(self, array: np.ndarray, path: tuple) -> str:
        name = ".".join(map(str, path)) or "tensor"
        while name in self.arrays or name == "__metadata__":  # {"a": {"b": x}, "a.b": y}
            name += "_"
        self.arrays[name] = _contiguous(array)
        return name


def _unpack(tree: Any, arrays: dict, tensors: dict) -> Any:
    if not isinstance(tree, dict):
        return tree
    if "tensor" in tree:
        name = tree["tensor"]
        if name not in tensors:
            tensors[name] = made(arrays[name])
        out = tensors[name]
        if tree["parameter"]:
            return Parameter(out, tree["requires_grad"])
        return out.detach().requires_grad_() if tree["requires_grad"] else out
    if "array" in tree:
        return arrays[tree["array"]]
    if "float" in tree:
        return float(tree["float"])
    if "list" in tree:
        return [_unpack(v, arrays, tensors) for v in tree["list"]]
    if "tuple" in tree:
        return tuple(_unpack(v, arrays, tensors) for v in tree["tuple"])
    kind = OrderedDict if "ordered" in tree else dict
    out = kind(
        (_unpack(k, arrays, tensors), _unpack(v, arrays, tensors)) for k, v in tree.get("ordered", tree.get("dict"))
    )
    if "metadata" in tree:
        out._metadata = OrderedDict(tree["metadata"])  # type: ignore[attr-defined]
    return out


def save(obj: Any, f: Any, *_: Any, **__: Any) -> None:
    """Write tensors in nested dicts, lists and tuples to a file; a failed write leaves the old file.

    The file is in the safetensors format. That of a state dict has its names, and PyTorch reads it with
    ``safetensors.torch.load_file``; a tensor under several names is stored once, under the first.

    Raises:
        TypeError: something else is among them, naming where.
        ImportError: safetensors is not installed.
    """
    packing = _Packing()
    tree = packing.pack(obj)
    data = _safetensors().numpy.save(packing.arrays, metadata={"format": "pt", _FORMAT: json.dumps(tree)})
    if hasattr(f, "write"):
        f.write(data)
        return
    path = os.fspath(f)
    beside = f"{path}.{os.getpid()}.part"
    try:
        with open(beside, "wb") as file:
            file.write(data)
        os.replace(beside, path)
    finally:
        if os.path.exists(beside):
            os.remove(beside)


def load(f: Any, map_location: Any = None, *, weights_only: bool = True, mmap: Any = None, **_: Any) -> Any:
    """Read what ``save`` wrote, or any safetensors file as a dict of tensors. Never executes code.

    Raises:
        ValueError: the file is not in this format.
    """
    if hasattr(f, "read"):
        data = f.read()
    else:
        with open(os.fspath(f), "rb") as file:
            data = file.read()
    try:
        size = int.from_bytes(data[:8], "little")
        header = json.loads(data[8 : 8 + size])
        arrays = {name: _array(entry) for name, entry in _safetensors().deserialize(data)}
    except ImportError:
        raise
    except Exception as error:
        kind = "a pickle of PyTorch's" if data[:2] == b"PK" or data[:1] == b"\x80" else "not a safetensors file"
        raise ValueError(
            f"torch.load: {f!r} is {kind}. This library reads safetensors only, since a pickle can execute code; "
            "convert it once under PyTorch with safetensors.torch.save_file"
        ) from error
    metadata = header.get("__metadata__", {})
    if _FORMAT in metadata:
        return _unpack(json.loads(metadata[_FORMAT]), arrays, {})
    tensors = {name: made(array) for name, array in arrays.items()}
    ties = json.loads(metadata.get("ties", "{}"))  # as ``save_safetensors`` notes them
    return tensors | {name: tensors[first] for name, first in ties.items()}


_safe: list[Any] = []


def add_safe_globals(safe_globals: list) -> None:
    """Kept for ``get_safe_globals``: ``load`` makes no objects of classes that a file names, so that all is safe."""
    _safe.extend(each for each in safe_globals if each not in _safe)


def clear_safe_globals() -> None:
    """Forget what was added."""
    _safe.clear()


def get_safe_globals() -> list:
    """What was added."""
    return list(_safe)


class safe_globals:  # noqa: N801 (PyTorch's name)
    """Context in which classes are among the safe globals; see ``add_safe_globals``."""

    def __init__(self, safe_globals: list):
        self.added = list(safe_globals)

    def __enter__(self) -> None:
        self.before = list(_safe)
        add_safe_globals(self.added)

    def __exit__(self, *_: Any) -> None:
        _safe[:] = self.before


_OPTIONS = (
    "LoadEndianness check_module_version_greater_or_equal default_restore_location get_crc32_options "
    "get_default_load_endianness get_default_mmap_options get_unsafe_globals_in_checkpoint location_tag "
    "register_package set_crc32_options set_default_load_endianness set_default_mmap_options skip_data"
).split()


def __getattr__(name: str) -> Any:
    if name in _OPTIONS:  # loaded at first use
        return getattr(import_module("pytreemod.torch.serialization_options"), name)
    raise AttributeError(f"module 'torch.serialization' has no attribute '{name}'")
