"""Cross entropy and negative log-likelihood against PyTorch, and what bad targets get."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
import torch.nn.functional as T

import pytreemod.functional as F

from .helpers import agree, numbers

WEIGHT = np.array([0.5, 1.0, 2.0, 0.0, 1.5], np.float32)
SHAPES = [((3, 5), (3,)), ((5,), ()), ((2, 5, 4), (2, 4)), ((2, 5, 2, 3), (2, 2, 3))]


def classes(*shape):
    return np.random.RandomState(3).randint(0, 5, shape)


def both(name, target, weighted=False, **settings):
    """The loss as a function of the input and, if weighted, of nothing else: targets and weights are data."""

    def ours(x):
        return getattr(F, name)(x, jnp.asarray(target), jnp.asarray(WEIGHT) if weighted else None, **settings)

    def theirs(x):
        weight = torch.tensor(WEIGHT) if weighted else None
        return getattr(T, name)(x, torch.tensor(target), weight, **settings)

    return ours, theirs


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("shape,target", SHAPES)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_every_shape_matches_pytorch(name, shape, target, reduction):
    agree(*both(name, classes(*target), reduction=reduction), numbers(*shape))


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
@pytest.mark.parametrize("ignore_index", [-100, 2])
def test_weights_and_ignored_classes_match_pytorch(name, reduction, ignore_index):
    target = classes(2, 4)
    target[0, 0] = ignore_index
    agree(*both(name, target, True, reduction=reduction, ignore_index=ignore_index), numbers(2, 5, 4))


@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_label_smoothing_matches_pytorch(weighted, reduction):
    target = classes(2, 4)
    target[1, 2] = -100
    agree(*both("cross_entropy", target, weighted, reduction=reduction, label_smoothing=0.3), numbers(2, 5, 4))


@pytest.mark.parametrize("shape", [(3, 5), (5,), (2, 5, 4)])
@pytest.mark.parametrize("weighted", [True, False])
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_class_probabilities_match_pytorch(shape, weighted, reduction):
    settings = {"reduction": reduction, "label_smoothing": 0.2}
    target = np.abs(numbers(*shape, seed=1))
    weight = (WEIGHT, torch.tensor(WEIGHT)) if weighted else (None, None)

    def ours(x, y):
        return F.cross_entropy(x, y, weight[0], **settings)

    def theirs(x, y):
        return T.cross_entropy(x, y, weight[1], **settings)

    agree(ours, theirs, numbers(*shape), target)


def test_large_logits_stay_finite():
    agree(*both("cross_entropy", np.array([0, 1])), np.array([[1e4, 0.0, -1e4], [1e4, 0.0, -1e4]], np.float32))


def test_nothing_to_average_is_nan():
    assert jnp.isnan(F.cross_entropy(jnp.ones((2, 3)), jnp.full((2,), -100)))
    assert F.cross_entropy(jnp.ones((2, 3)), jnp.full((2,), -100), reduction="sum") == 0


def test_bytes_are_classes_too():
    x = jnp.asarray(numbers(2, 3))
    expected = F.cross_entropy(x, jnp.asarray([0, 2]))
    assert F.cross_entropy(x, jnp.asarray([0, 2], jnp.uint8)) == expected


def test_half_precision_is_kept_but_summed_in_float32():
    x, target = numbers(4, 300), classes(4)
    half = F.cross_entropy(jnp.asarray(x, jnp.bfloat16), target)
    assert half.dtype == jnp.bfloat16
    np.testing.assert_allclose(float(half), float(F.cross_entropy(x, target)), rtol=1e-2)


@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
@pytest.mark.parametrize("wrong", [10, -1])
def test_a_class_that_does_not_exist(name, wrong):
    loss = getattr(F, name)
    target = jnp.asarray([0, wrong, 1])
    with pytest.raises(IndexError, match=rf"Target {wrong} is out of bounds\. {name}: expected classes in 0 \.\. 4"):
        loss(jnp.ones((3, 5)), target)
    inside = jax.jit(lambda t: loss(jnp.ones((3, 5)), t, reduction="none"))(target)
    np.testing.assert_array_equal(jnp.isnan(inside), [False, True, False])


@pytest.mark.parametrize(
    ("error", "message", "shape", "target"),
    [
        (
            ValueError,
            r"Expected input batch_size \(3\) to match target batch_size \(2\)",
            (3, 5),
            np.zeros(2, int),
        ),
        (RuntimeError, "multi-target not supported", (3, 5), np.zeros((3, 2), int)),
        (
            RuntimeError,
            r"Expected target size \[2, 4\], got .*: got input of shape \(2, 5, 4\)",
            (2, 5, 4),
            np.zeros((2, 3), int),
        ),
        (ValueError, "1D target must have size 1, but got target size: 3", (5,), np.zeros(3, int)),
        (RuntimeError, "expected scalar type Long but found float32", (3, 5), np.zeros(3, np.float32)),
        (ValueError, "expected 1D or more dimensions", (), np.zeros(2, int)),
    ],
)
@pytest.mark.parametrize("name", ["cross_entropy", "nll_loss"])
def test_misfits_are_named(name, error, message, shape, target):
    with pytest.raises(error, match=f"{name}: .*{message}"):
        getattr(F, name)(jnp.ones(shape), jnp.asarray(target))


def test_misfits_of_the_settings_are_named():
    x, target = jnp.ones((3, 5)), jnp.zeros((3,), int)
    with pytest.raises(RuntimeError, match=r"defined either for all 5 classes or no classes.*\[4\]"):
        F.cross_entropy(x, target, jnp.ones(4))
    with pytest.raises(RuntimeError, match=r"label_smoothing must be between 0.0 and 1.0. Got: 2"):
        F.cross_entropy(x, target, label_smoothing=2.0)
    with pytest.raises(RuntimeError, match="Expected floating point type for target with class probabilities, got int"):
        F.cross_entropy(x, jnp.zeros((3, 5), int))
    with pytest.raises(RuntimeError, match="ignore_index is not supported for floating point target"):
        F.cross_entropy(x, x, ignore_index=1)
