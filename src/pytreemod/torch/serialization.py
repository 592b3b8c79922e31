"""Saving and loading without executing code: tensors in a safetensors file, everything else as JSON beside them."""

from __future__ import annotations

import json
import os
from collections import OrderedDict
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


def _pack(tree: Any, arrays: dict, seen: dict, where: str) -> Any:
    if isinstance(tree, Tensor):
        value = tree._read()[0]
        name = seen.get(id(tree._cell), None) if tree._base is None else None
        if name is None:
            name = str(len(arrays))
            arrays[name] = _contiguous(np.asarray(tree._array()).reshape(value.aval.shape))
            seen[id(tree._cell)] = name
        return {"tensor": name, "parameter": isinstance(tree, Parameter), "requires_grad": tree._leaf}
    if isinstance(tree, np.ndarray):
        arrays[name := str(len(arrays))] = _contiguous(tree)
        return {"array": name}
    if tree is None or isinstance(tree, (bool, int, float, str)):
        return tree if not isinstance(tree, float) or np.isfinite(tree) else {"float": repr(tree)}
    if isinstance(tree, np.generic):
        return _pack(tree.item(), arrays, seen, where)
    if isinstance(tree, dict):
        kind = "ordered" if isinstance(tree, OrderedDict) else "dict"
        pairs = [[_pack(k, arrays, seen, where), _pack(v, arrays, seen, f"{where}[{k!r}]")] for k, v in tree.items()]
        return {kind: pairs, **({"metadata": tree._metadata} if hasattr(tree, "_metadata") else {})}
    if isinstance(tree, (list, tuple)):
        kind = "list" if isinstance(tree, list) else "tuple"
        return {kind: [_pack(v, arrays, seen, f"{where}[{k}]") for k, v in enumerate(tree)]}
    raise TypeError(
        f"torch.save: {where} is a {type(tree).__name__}. Files hold tensors, numbers, text, lists, tuples and dicts; "
        "save model.state_dict() instead of the model"
    )


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

    Raises:
        TypeError: something else is among them, naming where.
        ImportError: safetensors is not installed.
    """
    arrays: dict[str, np.ndarray] = {}
    tree = _pack(obj, arrays, {}, "the object")
    data = _safetensors().numpy.save(arrays, metadata={_FORMAT: json.dumps(tree)})
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
    text = header.get("__metadata__", {}).get(_FORMAT)
    if text is None:
        return {name: made(array) for name, array in arrays.items()}
    return _unpack(json.loads(text), arrays, {})
