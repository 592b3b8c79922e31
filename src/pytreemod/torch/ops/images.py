"""Functions of images and windows that PyTorch also offers as ``torch.pixel_shuffle(x, 2)``."""

from typing import Any

import pytreemod.functional as F
from pytreemod.torch.ops.registry import composite
from pytreemod.torch.tensor import Tensor

for _name in ("channel_shuffle", "pixel_shuffle", "pixel_unshuffle"):
    composite(method=False)(getattr(F, _name))


@composite(method=False)
def constant_pad_nd(input: Tensor, pad: Any, value: Any = 0) -> Tensor:
    """``input`` with widths of ``value`` around its last dimensions: ``F.pad`` in the mode "constant"."""
    return F.pad(input, pad, "constant", value)
