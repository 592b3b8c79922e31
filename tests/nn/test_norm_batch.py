"""BatchNorm and InstanceNorm: values, gradients and running statistics of PyTorch, in both modes."""

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
from pytreemod import nn

from .helpers import CLOSE, agree, numbers, same_state

CASES = [
    ("BatchNorm1d", {}, (4, 3)),
    ("BatchNorm1d", {"momentum": 0.3, "eps": 0.1}, (2, 3, 4)),
    ("BatchNorm2d", {"momentum": None}, (2, 3, 2, 2)),
    ("BatchNorm2d", {"affine": False}, (2, 3, 2, 2)),
    ("BatchNorm2d", {"bias": False}, (2, 3, 2, 2)),
    ("BatchNorm3d", {"track_running_stats": False}, (2, 3, 1, 2, 2)),
    ("InstanceNorm1d", {}, (2, 3, 4)),
    ("InstanceNorm1d", {"affine": True}, (3, 4)),
    ("InstanceNorm2d", {"track_running_stats": True, "affine": True}, (2, 3, 2, 3)),
    ("InstanceNorm3d", {"track_running_stats": True, "momentum": 0.4}, (3, 1, 2, 2)),
]


@pytest.mark.parametrize(("name", "kwargs", "sizes"), CASES)
def test_two_steps_of_training_then_evaluation_match_pytorch(name, kwargs, sizes):
    ours, theirs = agree(name, (3,), kwargs, numbers(*sizes))  # one step of theirs is done there
    _, ours = ptm.call(ours, numbers(*sizes))
    x = numbers(*sizes, seed=1) + 2
    expected = theirs(torch.tensor(x))
    output, ours = ptm.call(ours, x)
    np.testing.assert_allclose(output, expected.detach(), **CLOSE)
    same_state(ours, theirs)

    before = ours.eval()
    np.testing.assert_allclose(before(x), theirs.eval()(torch.tensor(x)).detach(), **CLOSE)
    _, after = ptm.call(before, x)
    same_state(after, theirs)


def test_a_plain_call_in_training_never_loses_the_update():
    with pytest.raises(AttributeError, match=r"ptm\.call"):
        nn.BatchNorm1d(3)(jnp.ones((4, 3)))


def test_the_count_is_an_integer_buffer():
    layer = nn.BatchNorm1d(3)
    assert layer.num_batches_tracked.dtype == jnp.int32
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]


@pytest.mark.parametrize(
    ("name", "ndim", "message"),
    [
        ("BatchNorm1d", 4, r"BatchNorm1d: expected 2D or 3D input \(got 4D input\)"),
        ("BatchNorm2d", 3, r"BatchNorm2d: expected 4D input \(got 3D input\)"),
        ("BatchNorm3d", 4, r"BatchNorm3d: expected 5D input \(got 4D input\)"),
        ("InstanceNorm1d", 4, r"InstanceNorm1d: expected 2D or 3D input \(got 4D input\)"),
    ],
)
def test_wrong_numbers_of_dimensions_are_refused(name, ndim, message):
    with pytest.raises(ValueError, match=message):
        getattr(nn, name)(2)(jnp.ones((2,) * ndim))


def test_wrong_channels_are_refused():
    with pytest.raises(RuntimeError, match="running_mean should contain 5 elements not 3"):
        ptm.call(nn.BatchNorm1d(3), jnp.ones((4, 5)))
    with pytest.raises(ValueError, match=r"at dim=1 to match num_features \(3\), but got: 5"):
        nn.InstanceNorm1d(3, affine=True)(jnp.ones((4, 5, 2)))
    with pytest.warns(UserWarning, match="does not match num_features"):
        nn.InstanceNorm1d(3)(jnp.ones((4, 5, 2)))
