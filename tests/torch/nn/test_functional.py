"""torch.nn.functional: what PyTorch's functions do in place; values are tested with the functions themselves."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt
from pytreemod import functional as pure

INPLACE = [name[:-1] for name in ptt.nn.functional.__all__ if name.endswith("_")]
ARGS = {"threshold": (0.1, 5.0)}


def data(t):
    return t.tensor([[-1.5, 0.5, 2.0], [0.25, -0.75, 7.0]])


@pytest.mark.parametrize("name", [n for n in INPLACE if "dropout" not in n])
def test_in_place(name):
    args = ARGS.get(name, ())
    x = data(ptt)
    out = getattr(ptt.nn.functional, name)(x, *args, inplace=True)
    assert out is x
    expected = getattr(torch.nn.functional, name)(data(torch), *args)
    np.testing.assert_allclose(x.numpy(), expected.numpy(), rtol=1e-5)
    y = data(ptt)
    assert getattr(ptt.nn.functional, name + "_")(y, *args) is y
    np.testing.assert_array_equal(y.numpy(), x.numpy())
    z = data(ptt)
    getattr(ptt.nn.functional, name)(z, *args)
    np.testing.assert_array_equal(z.numpy(), data(ptt).numpy())


def test_a_gradient_goes_through_an_in_place_function():
    x = ptt.tensor([-1.0, 2.0], requires_grad=True)
    y = x * 3
    ptt.nn.functional.relu(y, True)
    y.sum().backward()
    assert x.grad.tolist() == [0.0, 3.0]


def test_the_public_names_are_those_of_the_functional_face():
    plain = {n for n in ptt.nn.functional.__all__ if not n.endswith("_")}
    assert plain == {n for n in pure.__all__ if not n.endswith("_norm_train")}


@pytest.mark.parametrize("name", ["batch_norm", "instance_norm"])
@pytest.mark.parametrize("training", [True, False])
def test_running_statistics_move_in_training(name, training):
    def run(t):
        x = t.tensor(np.random.RandomState(0).randn(4, 3, 5).astype(np.float32), requires_grad=True)
        mean, var = t.zeros(3), t.ones(3)
        if name == "batch_norm":
            out = t.nn.functional.batch_norm(x, mean, var, training=training)
        else:
            out = t.nn.functional.instance_norm(x, mean, var, use_input_stats=training)
        (out * out * out).sum().backward()
        return [v.detach().numpy() for v in (out, mean, var, x.grad)]

    for mine, theirs in zip(run(ptt), run(torch), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-4)


def test_one_hot_finds_the_number_of_classes():
    classes = [[0, 3], [1, 1]]
    for arguments in ((), (5,)):
        mine, theirs = (t.nn.functional.one_hot(t.tensor(classes), *arguments) for t in (ptt, torch))
        assert mine.dtype is ptt.int64
        np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
