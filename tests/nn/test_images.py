"""Layers that pad, rearrange and resample, against PyTorch."""

import jax.numpy as jnp
import pytest

from pytreemod import nn

from .helpers import agree, numbers

SIZES = {1: (2, 3, 5), 2: (2, 3, 4, 5), 3: (1, 2, 3, 4, 5)}


@pytest.mark.parametrize("n", SIZES)
@pytest.mark.parametrize("kind", ["Circular", "Constant", "Reflection", "Replication", "Zero"])
def test_a_padding_layer_matches_pytorch(kind, n):
    value = (1.5,) if kind == "Constant" else ()
    agree(f"{kind}Pad{n}d", (2, *value), {}, numbers(*SIZES[n]))
    agree(
        f"{kind}Pad{n}d", (tuple(range(2 * n))[::-1] if n < 3 else (1, 2, 0, 1, 2, 0), *value), {}, numbers(*SIZES[n])
    )


@pytest.mark.parametrize(
    ("name", "args", "settings", "sizes"),
    [
        ("PixelShuffle", (2,), {}, (2, 4, 3, 3)),
        ("PixelUnshuffle", (2,), {}, (2, 1, 4, 6)),
        ("ChannelShuffle", (3,), {}, (1, 6, 2, 2)),
        ("Unfold", (2,), {"padding": 1, "stride": (2, 1)}, (1, 2, 5, 4)),
        ("Fold", ((4, 5), (2, 2)), {"padding": 1}, (1, 8, 30)),
        ("Upsample", (5,), {}, (1, 2, 3, 3)),
        ("Upsample", (), {"scale_factor": 2, "mode": "trilinear"}, (1, 2, 2, 3, 3)),
        ("Upsample", (None, (1.5, 2)), {"mode": "bicubic", "align_corners": True}, (1, 2, 3, 3)),
        ("Upsample", (None, 1.3, "bilinear", False, True), {}, (1, 2, 5, 7)),
        ("UpsamplingNearest2d", (), {"scale_factor": 2}, (1, 2, 3, 3)),
        ("UpsamplingBilinear2d", ((4, 6),), {}, (1, 2, 3, 3)),
    ],
)
def test_a_layer_matches_pytorch(name, args, settings, sizes):
    agree(name, args, settings, numbers(*sizes))


def test_a_circular_layer_wants_its_dimensions():
    with pytest.raises(ValueError, match=r"CircularPad2d: expected 3D or 4D input \(got 2D input\)"):
        nn.CircularPad2d(1)(jnp.ones((2, 3)))
