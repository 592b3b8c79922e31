"""Gradient clipping and parameter vectors, against PyTorch; and inside the one program of a step."""

import math

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt
from pytreemod.torch.tape.compiled import compilations

GRADS = ([[3.0, -4.0], [0.0, 1.0]], [12.0, -0.5])


def parameters(t, grads=GRADS):
    out = []
    for grad in grads:
        p = t.nn.Parameter(t.zeros(*np.shape(grad)))
        p.grad = t.tensor(grad)
        out.append(p)
    out.append(t.nn.Parameter(t.zeros(2)))  # without a gradient
    return out


@pytest.mark.parametrize("order", [2.0, 1, 3.0, 0.5, math.inf, -math.inf, 0])
@pytest.mark.parametrize("limit", [1.0, 100])
def test_norms_and_clipped_gradients(order, limit):
    mine, theirs = parameters(ptt), parameters(torch)
    total = ptt.nn.utils.clip_grad_norm_(mine, limit, order)
    expected = torch.nn.utils.clip_grad_norm_(theirs, limit, order)
    np.testing.assert_allclose(total.numpy(), expected.numpy(), rtol=1e-6)
    for a, b in zip(mine[:2], theirs[:2], strict=True):
        np.testing.assert_allclose(a.grad.numpy(), b.grad.numpy(), rtol=1e-6)
    assert mine[2].grad is None and total.shape == () and total.dtype is ptt.float32


def test_values():
    mine, theirs = parameters(ptt), parameters(torch)
    ptt.nn.utils.clip_grad_value_(mine, 2)
    torch.nn.utils.clip_grad_value_(theirs, 2)
    for a, b in zip(mine[:2], theirs[:2], strict=True):
        np.testing.assert_array_equal(a.grad.numpy(), b.grad.numpy())


def test_one_tensor_and_no_gradient():
    p = parameters(ptt)[0]
    assert abs(ptt.nn.utils.clip_grad_norm_(p, 1.0).item() - math.sqrt(26)) < 1e-5
    assert ptt.nn.utils.clip_grad_norm_([parameters(ptt)[2]], 1.0).item() == 0.0


def test_the_gradient_tensor_is_written_in_place():
    p = parameters(ptt)[1]
    grad = p.grad
    ptt.nn.utils.clip_grad_norm_([p], 1.0)
    assert p.grad is grad and abs(grad.numpy()).max() <= 1.0


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_norm_that_is_not_finite_raises_and_changes_nothing(bad):
    p = parameters(ptt, ([1.0, bad],))[0]
    with pytest.raises(RuntimeError, match="is non-finite, so it cannot be clipped"):
        ptt.nn.utils.clip_grad_norm_([p], 1.0, error_if_nonfinite=True)
    assert p.grad[0].item() == 1.0
    ptt.nn.utils.clip_grad_norm_([p], 1.0)
    assert math.isnan(p.grad[1].item())


def test_bfloat16_keeps_its_dtype():
    p = ptt.nn.Parameter(ptt.zeros(2, dtype=ptt.bfloat16))
    p.grad = ptt.tensor([3.0, 4.0], dtype=ptt.bfloat16)
    ptt.nn.utils.clip_grad_norm_([p], 1.0)
    assert p.grad.dtype is ptt.bfloat16


def test_clipping_stays_in_the_one_program_of_the_step():
    layer = ptt.nn.Linear(2, 1)
    optimizer = ptt.optim.SGD(layer.parameters(), lr=0.1)
    counts = []
    for k in range(12):
        optimizer.zero_grad()
        (layer(ptt.ones(3, 2)) ** 2).sum().backward()
        before = compilations["programs"]
        ptt.nn.utils.clip_grad_norm_(layer.parameters(), 1.0 + k)
        ptt.nn.utils.clip_grad_value_(layer.parameters(), 1.0 + k)
        assert compilations["programs"] == before and layer.weight.grad._read()[0].array is None
        optimizer.step()
        counts.append(compilations["programs"])
    assert len(set(counts[6:])) == 1  # new limits are arguments


def test_vectors():
    layer = ptt.nn.Linear(2, 1)
    vector = ptt.nn.utils.parameters_to_vector(layer.parameters())
    assert vector.shape == (3,) and vector.requires_grad
    weight = layer.weight
    ptt.nn.utils.vector_to_parameters(ptt.tensor([1.0, 2.0, 3.0]), layer.parameters())
    assert layer.weight is weight and weight.tolist() == [[1.0, 2.0]] and layer.bias.tolist() == [3.0]
    with pytest.raises(TypeError, match="expected torch.Tensor, but got: list"):
        ptt.nn.utils.vector_to_parameters([1.0], layer.parameters())
    with pytest.raises(RuntimeError, match="at least 3 values"):
        ptt.nn.utils.vector_to_parameters(ptt.ones(2), layer.parameters())
    assert weight.tolist() == [[1.0, 2.0]]
