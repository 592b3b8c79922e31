"""The operations of the stateful face, one family a file. Importing this package attaches them to ``Tensor``."""

from importlib import import_module
from typing import Any

from pytreemod.torch.ops import (  # noqa: F401
    absent,
    added,
    algebra,
    building,
    calling,
    compare,
    contraction,
    copies,
    covariance,
    differences,
    distances,
    extremes,
    gamma,
    histograms,
    host,
    images,
    inplace,
    integrals,
    join,
    making,
    matrix,
    methods,
    middle,
    native,
    neural,
    noisy,
    pairs,
    pointwise,
    positions,
    reduce,
    rows,
    scans,
    segments,
    shape,
    spectrogram,
    stacking,
    strided,
    unary,
    windows,
)


def __getattr__(name: str) -> Any:
    """``torch.ops.aten``, loaded at first use."""
    if name == "aten":
        return import_module(f"{__name__}.aten")
    raise AttributeError(
        f"module 'torch.ops' has no attribute '{name}': of PyTorch's libraries there is torch.ops.aten; pytreemod.lift "
        "makes functions of JAX work on tensors"
    )
