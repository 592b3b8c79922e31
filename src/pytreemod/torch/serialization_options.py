"""Options of PyTorch's file format as they apply here: files are safetensors files, written and read as a whole."""

from __future__ import annotations

import json
import mmap
import os
import warnings
from collections.abc import Callable
from enum import Enum
from typing import Any

from pytreemod.torch.missing import refusing


class LoadEndianness(Enum):
    """The order of bytes in a file: safetensors files have LITTLE, which is read right on each machine."""

    NATIVE = 1
    LITTLE = 2
    BIG = 3


_options: dict[str, Any] = {"endianness": None, "mmap": mmap.MAP_PRIVATE, "crc32": True}


def get_default_load_endianness() -> LoadEndianness | None:
    """What was set; None at first."""
    return _options["endianness"]


def set_default_load_endianness(endianness: LoadEndianness | None) -> None:
    """The order of bytes in files that do not say it. Files here do: nothing changes.

    Raises:
        TypeError: it is none.
    """
    if endianness is not None and not isinstance(endianness, LoadEndianness):
        raise TypeError("Invalid argument type in function set_default_load_endianness")
    _options["endianness"] = endianness


def get_crc32_options() -> bool:
    """What was set; True at first."""
    return _options["crc32"]


def set_crc32_options(compute_crc32: bool) -> None:
    """Whether parts of a file get a checksum. Safetensors files have none: nothing changes."""
    _options["crc32"] = compute_crc32


def get_default_mmap_options() -> int:
    """What was set; ``mmap.MAP_PRIVATE`` at first."""
    return _options["mmap"]


class set_default_mmap_options:  # noqa: N801 (PyTorch's name)
    """How files are mapped to memory, at once or as a context. Tensors here are copies of a file, as MAP_PRIVATE means.

    Raises:
        ValueError: the flags are neither ``mmap.MAP_PRIVATE`` nor ``mmap.MAP_SHARED``.
        NotImplementedError: MAP_SHARED: changes of a tensor do not reach a file.
    """

    def __init__(self, flags: int):
        if flags not in (mmap.MAP_PRIVATE, mmap.MAP_SHARED):
            raise ValueError(
                "Invalid argument in function set_default_mmap_options, expected mmap.MAP_PRIVATE or mmap.MAP_SHARED, "
                f"but got {flags}"
            )
        if flags == mmap.MAP_SHARED:
            raise NotImplementedError(
                "set_default_mmap_options: with MAP_SHARED changes of a tensor would reach the file; here they do not. "
                "Write the file anew with torch.save"
            )

    def __enter__(self) -> None:
        pass

    def __exit__(self, *_: Any) -> None:
        pass


def _kind(storage: Any) -> str:
    return f"torch.storage.{type(storage).__name__}"


def _cpu_tag(storage: Any) -> str | None:
    return "cpu" if storage.device.type == "cpu" else None


def _to_cpu(storage: Any, location: str) -> Any:
    return storage if location == "cpu" else None


_packages: list[tuple[int, Callable, Callable]] = [(10, _cpu_tag, _to_cpu)]


def register_package(priority: int, tagger: Callable, deserializer: Callable) -> None:
    """Functions that name the place of a storage, and bring it there, for ``location_tag`` and
    ``default_restore_location``. ``load`` does not ask: JAX chooses the device.
    """
    _packages.append((priority, tagger, deserializer))
    _packages.sort(key=lambda each: each[0])


def location_tag(storage: Any) -> str:
    """The place of a storage, "cpu" or what a registered function says.

    Raises:
        RuntimeError: no function knows it.
    """
    for _, tagger, _ in _packages:
        found = tagger(storage)
        if found:
            return found
    raise RuntimeError("don't know how to determine data location of " + _kind(storage))


def default_restore_location(storage: Any, location: str) -> Any:
    """The storage, brought to ``location`` by the first registered function that knows it.

    Raises:
        RuntimeError: none does.
    """
    for _, _, deserializer in _packages:
        found = deserializer(storage, location)
        if found is not None:
            return found
    raise RuntimeError(f"don't know how to restore data location of {_kind(storage)} (tagged with {location})")


def check_module_version_greater_or_equal(
    module: Any, req_version_tuple: tuple, error_if_malformed: bool = True
) -> bool:
    """Is ``module.__version__`` at least the version given as a tuple?

    Raises:
        RuntimeError: it cannot be compared; without ``error_if_malformed`` a warning, and True.
    """
    try:
        parts = module.__version__.split(".")
        return tuple(type(each)(parts[k]) for k, each in enumerate(req_version_tuple)) >= req_version_tuple
    except Exception as error:
        message = (
            f"'{module.__name__}' module version string is malformed '{module.__version__}' and cannot be compared "
            f"with tuple {req_version_tuple}"
        )
        if error_if_malformed:
            raise RuntimeError(message) from error
        warnings.warn(message + ", but continuing assuming that requirement is met", stacklevel=2)
        return True


def get_unsafe_globals_in_checkpoint(f: Any) -> list[str]:
    """The classes a file names that ``load`` would not make: none, as safetensors files name no classes.

    Raises:
        ValueError: it is no file of ``torch.save``.
    """
    if hasattr(f, "read"):
        start = f.tell()
        data = f.read()
        f.seek(start)
    else:
        with open(os.fspath(f), "rb") as file:
            data = file.read()
    try:
        json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except ValueError:
        raise ValueError("Expected input to be a checkpoint returned by torch.save") from None
    return []


skip_data = refusing(
    "torch.serialization.skip_data",
    "a file without the values is not written; torch.save writes them with the names",
)
