"""Convolutions against PyTorch: every setting in one dimension or another, and the wording of misfits."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")  # PyTorch's own
@pytest.mark.parametrize(
    ("name", "sizes", "weight", "settings"),
    [
        ("conv1d", (2, 4, 9), (6, 2, 3), {"stride": 2, "padding": 1, "groups": 2}),
        ("conv1d", (4, 9), (6, 4, 3), {"dilation": 2}),
        ("conv1d", (2, 3, 8), (3, 1, 4), {"padding": "same", "groups": 3}),
        ("conv1d", (2, 3, 8), (3, 3, 2), {"padding": "same", "dilation": 3}),
        ("conv2d", (2, 3, 6, 5), (4, 3, 3, 2), {}),
        ("conv2d", (3, 6, 5), (4, 3, 3, 2), {"padding": (2, 0), "stride": (1, 2), "dilation": (2, 1)}),
        ("conv2d", (2, 3, 6, 5), (4, 3, 2, 3), {"padding": "same", "dilation": (3, 1)}),
        ("conv2d", (2, 3, 6, 5), (4, 3, 1, 1), {"padding": "valid", "stride": (2,)}),
        ("conv3d", (2, 2, 4, 3, 5), (3, 2, 2, 2, 3), {"padding": (0, 1, 1)}),
        (
            "conv_transpose1d",
            (2, 4, 5),
            (4, 3, 3),
            {"stride": 3, "padding": 1, "output_padding": 2, "groups": 2},
        ),
        ("conv_transpose1d", (4, 5), (4, 2, 2), {"dilation": 3, "stride": 2}),
        ("conv_transpose2d", (2, 4, 3, 4), (4, 2, 3, 2), {"stride": (2, 1), "padding": (2, 0), "groups": 2}),
        ("conv_transpose3d", (1, 2, 2, 3, 2), (2, 3, 2, 2, 1), {"padding": (1, 1, 0), "stride": 2}),
    ],
)
def test_matches_pytorch(name, sizes, weight, settings):
    channels = weight[0] if "transpose" not in name else weight[1] * settings.get("groups", 1)
    ours, theirs = (lambda *a, f=getattr(library, name): f(*a, **settings) for library in (F, T))
    agree(
        ours,
        theirs,
        numbers(*sizes),
        numbers(*weight, seed=1),
        numbers(channels, seed=2),
        rtol=1e-4,
        atol=1e-5,
    )


def test_second_order_and_vmap():
    weight = jnp.asarray(numbers(2, 1, 3, seed=1))

    def loss(x):
        return (F.conv1d(x, weight) ** 2).sum()

    x = jnp.asarray(numbers(1, 4))
    jacobian = np.stack([F.conv1d(row.reshape(1, 4), weight).ravel() for row in np.eye(4, dtype=np.float32)])
    np.testing.assert_allclose(jax.hessian(loss)(x).reshape(4, 4), 2 * jacobian @ jacobian.T, rtol=1e-5, atol=1e-5)
    batch = jnp.asarray(numbers(3, 1, 4))
    np.testing.assert_allclose(jax.vmap(lambda x: F.conv1d(x, weight))(batch), F.conv1d(batch, weight), rtol=1e-6)


x, w = jnp.ones((2, 3, 4, 4)), jnp.ones((4, 3, 3, 3))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: F.conv2d(x[0, 0], w),
            r"conv2d: Expected 3D \(unbatched\) or 4D \(batched\) input.*size: \[4, 4\]",
        ),
        (
            lambda: F.conv2d(x[:, :2], w),
            r"conv2d: Given groups=1, weight of size .* 3 channels, but got 2 channels",
        ),
        (lambda: F.conv2d(x, w[:3], groups=2), "to be divisible by 2 at dimension 0"),
        (lambda: F.conv2d(x, w, jnp.ones(3)), r"1-dimensional with 4 elements, but got bias of size \[3\]"),
        (
            lambda: F.conv2d(x[..., :2], w),
            r"\(4 x 2\)\. Kernel size: \(3 x 3\)\. Kernel size can't be greater",
        ),
        (lambda: F.conv2d(x, w, padding="full"), "Invalid padding string: 'full'"),
        (lambda: F.conv2d(x, w, padding="same", stride=2), "padding='same' is not supported for strided"),
        (lambda: F.conv2d(x, w, padding=-1), "negative padding is not supported"),
        (lambda: F.conv2d(x, w, padding=(1, 1, 1)), "single integer value or a list of 2 values"),
        (lambda: F.conv2d(x, w, stride=0), "non-positive stride is not supported"),
        (lambda: F.conv2d(x, w[0]), "expected weight of 4 dimensions"),
        (lambda: F.conv2d(x.astype(jnp.bfloat16), w), "same dtype.*bfloat16 and weight float32"),
        (
            lambda: F.conv_transpose2d(x, w),
            "conv_transpose2d: Given transposed=1.* 4 channels.*got 3 channels",
        ),
        (lambda: F.conv_transpose2d(x, w[:3], output_padding=1), "output padding must be smaller"),
    ],
)
def test_misfits_are_refused_in_words(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()
