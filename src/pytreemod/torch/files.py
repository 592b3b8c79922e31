"""Tensors from the bytes of a file. Loaded at first use."""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from pytreemod.torch.creation import made
from pytreemod.torch.dtypes import get_default_dtype
from pytreemod.torch.size import checked
from pytreemod.torch.tensor import Tensor


def from_file(
    filename: Any,
    shared: bool | None = None,
    size: int = 0,
    *,
    dtype: Any = None,
    layout: Any = None,
    device: Any = None,
    pin_memory: bool = False,
    requires_grad: bool = False,
) -> Tensor:
    """(size,): the first elements of a file of plain numbers, as a copy.

    Raises:
        NotImplementedError: ``shared``: changes of a tensor do not reach a file.
        RuntimeError: there is no such file, it is too short, or ``size`` is negative.
    """
    if shared:
        raise NotImplementedError(
            "from_file: with shared=True changes of the tensor would reach the file; here they do not. Leave it out, "
            "and write with x.numpy().tofile(filename)"
        )
    if device is not None:
        checked(device)
    kind = np.dtype((get_default_dtype() if dtype is None else dtype).numpy)
    needed, name = kind.itemsize * size, os.fspath(filename)
    if size < 0:
        raise RuntimeError(f"unable to mmap {needed} bytes from file <{name}>: expected a size of 0 or more")
    try:
        with open(name, "rb") as file:
            data = file.read(needed)
            there = os.fstat(file.fileno()).st_size
    except OSError as error:
        raise RuntimeError(
            f"unable to open file <{name}> in read-only mode: {os.strerror(error.errno or 0)} ({error.errno})"
        ) from None
    if there < needed:
        raise RuntimeError(f"file <{name}> size <{there}> is smaller than the required mapping size <{needed}>")
    return made(np.frombuffer(data, kind).copy(), requires_grad)
