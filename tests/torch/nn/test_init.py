"""torch.nn.init: the same values as PyTorch from one seed, written in place."""

import inspect

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

CASES = [
    ("uniform_", (3, 4), (-1.0, 2.0), {}),
    ("normal_", (5, 7), (1.0, 0.5), {}),
    ("trunc_normal_", (4, 5), (), {"std": 0.5}),
    ("constant_", (2, 3), (0.25,), {}),
    ("ones_", (2,), (), {}),
    ("zeros_", (2,), (), {}),
    ("eye_", (2, 3), (), {}),
    ("dirac_", (4, 2, 3), (2,), {}),
    ("xavier_uniform_", (3, 4), (), {"gain": 2.0}),
    ("xavier_normal_", (3, 4, 2), (), {}),
    ("kaiming_uniform_", (3, 4), (), {"a": 0.1, "mode": "fan_out"}),
    ("kaiming_normal_", (6, 4), (), {"nonlinearity": "relu"}),
    ("orthogonal_", (4, 4), (), {"gain": 2}),
    ("sparse_", (6, 3), (0.5,), {}),
]


def filled(t, name, shape, args, kwargs, dtype="float32"):
    t.manual_seed(7)
    tensor = t.nn.Parameter(t.zeros(*shape, dtype=getattr(t, dtype)))
    assert getattr(t.nn.init, name)(tensor, *args, **kwargs) is tensor
    return tensor


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name, shape, args, kwargs", CASES, ids=[c[0] for c in CASES])
def test_values_are_pytorchs(name, shape, args, kwargs, dtype):
    mine = filled(ptt, name, shape, args, kwargs, dtype)
    theirs = filled(torch, name, shape, args, kwargs, dtype)
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert str(mine.dtype) == str(theirs.dtype) and mine.requires_grad and mine.is_leaf


def test_every_function_is_tested():
    assert {c[0] for c in CASES} | {"calculate_gain"} == set(ptt.nn.init.__all__) - set(ptt.nn.init.FORMER)


def test_a_generator_of_its_own():
    before = ptt.get_rng_state()
    mine = ptt.nn.init.uniform_(ptt.zeros(3), generator=ptt.Generator().manual_seed(2))
    theirs = torch.nn.init.uniform_(torch.zeros(3), generator=torch.Generator().manual_seed(2))
    np.testing.assert_array_equal(mine.numpy(), theirs.numpy())
    np.testing.assert_array_equal(ptt.get_rng_state().numpy(), before.numpy())


def test_signatures_begin_with_the_tensor():
    names = list(inspect.signature(ptt.nn.init.xavier_uniform_).parameters)
    assert names == ["tensor", "gain", "generator"]


def test_wrong_shapes_and_values():
    with pytest.raises(ValueError, match="Fan in and fan out can not be computed"):
        ptt.nn.init.xavier_uniform_(ptt.zeros(3))
    with pytest.raises(TypeError, match="init.ones_: expected a Tensor, got list"):
        ptt.nn.init.ones_([1.0])
