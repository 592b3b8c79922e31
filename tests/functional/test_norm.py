"""Normalisations against PyTorch: values, gradients, running statistics, 16-bit inputs, wording."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.mark.parametrize("parameters", [0, 1, 2])
@pytest.mark.parametrize("shape", [(5,), (3, 5)])
def test_layer_norm_matches_pytorch(shape, parameters):
    given = [numbers(*shape, seed=1), numbers(*shape, seed=2)][:parameters]
    x = numbers(2, 3, 5) + 10
    agree(lambda x, *p: F.layer_norm(x, shape, *p), lambda x, *p: T.layer_norm(x, shape, *p), x, *given, **CLOSE)


@pytest.mark.parametrize("eps", [None, 0.1])
def test_rms_norm_matches_pytorch(eps):
    inputs = numbers(2, 3, 5), numbers(3, 5, seed=1)
    agree(
        lambda x, w: F.rms_norm(x, (3, 5), w, eps),
        lambda x, w: T.rms_norm(x, (3, 5), w, eps),
        *inputs,
        **CLOSE,
    )


@pytest.mark.parametrize("sizes", [(2, 6), (2, 6, 3), (2, 6, 2, 2)])
def test_group_norm_matches_pytorch(sizes):
    inputs = numbers(*sizes), numbers(6, seed=1), numbers(6, seed=2)
    agree(lambda *a: F.group_norm(a[0], 2, *a[1:]), lambda *a: T.group_norm(a[0], 2, *a[1:]), *inputs, **CLOSE)


@pytest.mark.parametrize("p", [1.0, 2.0, 3.0, float("inf")])
def test_normalize_matches_pytorch(p):
    x = numbers(3, 4)
    x[1] = 0  # the norm has no slope here; PyTorch's is 0
    agree(lambda x: F.normalize(x, p, eps=0.5), lambda x: T.normalize(x, p, eps=0.5), x, **CLOSE)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("sizes", [(4, 3), (2, 3, 4), (2, 3, 2, 2)])
def test_batch_norm_matches_pytorch(sizes, training):
    mean, variance = numbers(3, seed=1), numbers(3, seed=2) ** 2 + 0.5
    inputs = numbers(*sizes), numbers(3, seed=3), numbers(3, seed=4)

    def theirs(x, w, b):
        return T.batch_norm(x, torch.tensor(mean), torch.tensor(variance), w, b, training=training)

    agree(lambda x, w, b: F.batch_norm(x, mean, variance, w, b, training), theirs, *inputs, **CLOSE)


@pytest.mark.parametrize("ours", [F.batch_norm_train, F.instance_norm_train])
def test_running_statistics_move_as_in_pytorch(ours):
    x, mean, variance = numbers(2, 3, 4), numbers(3, seed=1), numbers(3, seed=2) ** 2
    after = torch.tensor(mean), torch.tensor(variance)
    if ours is F.batch_norm_train:
        out = T.batch_norm(torch.tensor(x), *after, training=True, momentum=0.3)
    else:
        out = T.instance_norm(torch.tensor(x), *after, momentum=0.3)
    for mine, other in zip(ours(x, mean, variance, momentum=0.3), (out, *after), strict=True):
        np.testing.assert_allclose(mine, other, **CLOSE)


def test_cumulative_average_uses_the_count():
    x, mean, variance = numbers(4, 3), numbers(3, seed=1), np.ones(3, np.float32)
    _, new_mean, _ = F.batch_norm_train(x, mean, variance, momentum=None, num_batches_tracked=jnp.int32(4))
    np.testing.assert_allclose(new_mean, 0.75 * mean + 0.25 * x.mean(0), rtol=1e-5)
    with pytest.raises(ValueError, match="momentum=None needs num_batches_tracked"):
        F.batch_norm_train(x, mean, variance, momentum=None)


def test_no_gradient_through_running_statistics():
    def new_mean(x):
        return F.batch_norm_train(x, jnp.zeros(3), jnp.ones(3))[1].sum()

    assert not np.any(jax.grad(new_mean)(jnp.asarray(numbers(4, 3))))


@pytest.mark.parametrize("own", [True, False])
def test_instance_norm_matches_pytorch(own):
    statistics = numbers(3, seed=1), numbers(3, seed=2) ** 2 + 0.5
    inputs = numbers(2, 3, 4), numbers(3, seed=3), numbers(3, seed=4)

    def theirs(x, w, b):
        return T.instance_norm(x, *map(torch.tensor, statistics), w, b, own)

    agree(lambda x, w, b: F.instance_norm(x, *statistics, w, b, own), theirs, *inputs, **CLOSE)


@pytest.mark.parametrize(
    "normal",
    [
        lambda x: F.layer_norm(x, (512,)),
        lambda x: F.rms_norm(x - 100, (512,)),
        lambda x: F.group_norm(x[None], 1)[0],
        lambda x: F.batch_norm(x[..., None], None, None, training=True)[..., 0],
    ],
)
def test_sixteen_bit_statistics_are_taken_in_float32(normal):
    x = jnp.asarray(numbers(8, 512) + 100, jnp.bfloat16)
    out = normal(x)
    assert out.dtype == jnp.bfloat16
    np.testing.assert_allclose(out.astype(jnp.float32), normal(x.astype(jnp.float32)), rtol=0.01, atol=0.01)


x = jnp.ones((2, 5))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: F.layer_norm(x, (4,)),
            r"layer_norm: Given normalized_shape=\[4\].*\[\*, 4\].*of size\[2, 5\]",
        ),
        (lambda: F.layer_norm(x, (5,), x[0, :4]), "Expected weight to be of same shape as normalized_shape"),
        (lambda: F.layer_norm(x, ()), "normalized_shape to be at least 1-dimensional"),
        (lambda: F.rms_norm(x, (4,)), "rms_norm: Given normalized_shape"),
        (lambda: F.group_norm(x, 2), r"divisible by num_groups.*\[2, 5\] and num_groups=2"),
        (
            lambda: F.group_norm(x, 5, x[0, :4]),
            "Expected weight to be a vector of size equal to the number of channels",
        ),
        (lambda: F.group_norm(x[0], 5), "Expected at least 2 dimensions"),
        (
            lambda: F.batch_norm(x[:1], None, None, training=True),
            "more than 1 value per channel when training",
        ),
        (lambda: F.batch_norm(x, None, None), "running_mean must be defined in evaluation mode"),
        (lambda: F.batch_norm(x, x[0, 1:], x[0]), "running_mean should contain 5 elements not 4"),
        (lambda: F.batch_norm(x, x[0], x[0], x[0, 1:]), "weight should contain 5 elements not 4"),
        (lambda: F.instance_norm(x[..., None]), "more than 1 spatial element when training"),
        (lambda: F.layer_norm(x.astype(int), (5,)), "layer_norm: expected a floating-point input, got int32"),
    ],
)
def test_misfits_are_refused_in_words(call, message):
    with pytest.raises(RuntimeError, match=message):
        call()


def test_normalize_names_a_missing_dimension():
    with pytest.raises(IndexError, match=r"Dimension out of range \(expected to be in range of \[-1, 0\], but got 1\)"):
        F.normalize(jnp.ones(3))
