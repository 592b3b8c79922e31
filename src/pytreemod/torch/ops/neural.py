"""Functions of networks that PyTorch also offers as ``torch.softmax(x)`` or ``x.softmax()``."""

from typing import Any

import pytreemod.functional as F
from pytreemod.torch.ops.registry import composite, writing
from pytreemod.torch.tensor import Tensor


def _softmax(name: str) -> None:
    function = getattr(F, name)

    def public(input: Tensor, dim: int, dtype: Any = None) -> Tensor:
        return function(input, dim, dtype=dtype)

    public.__name__ = public.__qualname__ = name
    public.__doc__ = function.__doc__
    composite()(public)


_softmax("softmax")
_softmax("log_softmax")

for _name in ("prelu", "hardshrink"):
    composite()(getattr(F, _name))

for _name in (
    "adaptive_avg_pool1d", "avg_pool1d", "bilinear", "celu", "conv1d", "conv2d",
    "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d", "cosine_similarity",
    "dropout", "group_norm", "layer_norm", "max_pool1d", "max_pool2d", "max_pool3d", "pairwise_distance", "rms_norm",
    "selu", "threshold",
):  # fmt: skip
    composite(method=False)(getattr(F, _name))


for _name in ("celu", "selu", "threshold"):
    composite(method=False, name=_name + "_")(writing(getattr(F, _name), _name + "_"))
