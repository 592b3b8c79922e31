"""pad against PyTorch, in every mode."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers


@pytest.mark.parametrize(
    ("sizes", "widths", "mode"),
    [
        ((3, 4), (1, 2), "constant"),
        ((2, 3, 4), (1, 2, -1, 0), "constant"),
        ((2, 3, 4), (3, 2), "reflect"),
        ((3, 4), (3, 2), "reflect"),
        ((2, 3, 4, 5), (1, 2, 3, 0), "reflect"),
        ((2, 3, 4, 5), (-2, 3, 1, -1), "reflect"),
        ((0, 3, 4), (1, 1), "reflect"),
        ((2, 3, 4), (6, 1), "replicate"),
        ((2, 3, 4), (-2, 3, 1, -1), "replicate"),
        ((1, 2, 3, 4, 3), (1, 2, 0, 1, 2, 2), "replicate"),
        ((2, 3, 4), (4, 1), "circular"),
        ((1, 2, 3, 4), (0, 2, 3, 1), "circular"),
        ((2, 3, 4), (-1, 2), "circular"),
    ],
)
def test_pad_matches_pytorch(sizes, widths, mode):
    agree(lambda x: F.pad(x, widths, mode), lambda x: T.pad(x, widths, mode), numbers(*sizes))


def test_pad_with_a_value():
    agree(lambda x: F.pad(x, (1, 0), value=2.5), lambda x: T.pad(x, (1, 0), value=2.5), numbers(2, 3))
    assert F.pad(np.array([1, 2]), (0, 1), value=7).tolist() == [1, 2, 7]


x = jnp.ones((2, 3, 4))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: F.pad(x, (1, 1, 1)), RuntimeError, "pad: Padding length must be divisible by 2"),
        (lambda: F.pad(x, (1,) * 8), RuntimeError, "padding length 8 and input of dimension 3"),
        (lambda: F.pad(x, (-3, -2)), RuntimeError, "resulted in a negative output size"),
        (
            lambda: F.pad(x, (4, 1), "reflect"),
            RuntimeError,
            r"less than the corresponding.*\(4, 1\) at dimension 2",
        ),
        (lambda: F.pad(x, (5, 1), "circular"), RuntimeError, "wrapping around more than once"),
        (lambda: F.pad(x[:, :0], (1, 1), "reflect"), RuntimeError, r"other non-zero dimensions.*\[2, 0, 4\]"),
        (lambda: F.pad(x, (1, 1, 1, 1, 1, 1), "reflect"), NotImplementedError, "Only 2D, 3D, 4D, 5D padding"),
        (lambda: F.pad(x, (1, 1), "reflect", 1.0), RuntimeError, "doesn't take in value argument"),
        (lambda: F.pad(x, (1, 1), "mirror"), NotImplementedError, "Unrecognised padding mode"),
    ],
)
def test_misfits_are_refused_in_words(call, error, message):
    with pytest.raises(error, match=message):
        call()
