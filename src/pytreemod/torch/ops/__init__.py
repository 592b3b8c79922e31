"""The operations of the stateful face, one family a file. Importing this package attaches them to ``Tensor``."""

from pytreemod.torch.ops import (  # noqa: F401
    algebra,
    building,
    compare,
    extremes,
    host,
    images,
    inplace,
    join,
    matrix,
    methods,
    neural,
    noisy,
    pairs,
    pointwise,
    positions,
    reduce,
    scans,
    shape,
    stacking,
    unary,
)
