"""What scripts in the wild write: names of older PyTorch, optimizers that wrap another one, calculated indices."""

import warnings

import jax
import numpy as np
import pytest
import torch

import pytreemod.torch as ours
from pytreemod.torch.tape.compiled import compilations

BOTH = pytest.mark.parametrize("lib", [torch, ours], ids=["torch", "ours"])


@BOTH
def test_a_variable_is_a_tensor_that_shares_its_values(lib):
    Variable = lib.autograd.Variable
    x = lib.ones(3)
    v = Variable(x, requires_grad=True)
    (v * 2).sum().backward()
    v.data[0] = 5.0
    assert isinstance(x, Variable) and isinstance(v, Variable) and not isinstance(np.ones(3), Variable)
    assert type(v) is lib.Tensor and v.grad.tolist() == [2, 2, 2] and x.tolist() == [5, 1, 1] and not x.requires_grad
    assert not Variable(v * 2).requires_grad
    with pytest.raises(TypeError, match="Variable data has to be a tensor, but got list"):
        Variable([1.0])


@BOTH
def test_grad_takes_only_inputs_in_its_old_place(lib):
    x = lib.ones(2, requires_grad=True)
    y = lib.ones(2, requires_grad=True)
    found = lib.autograd.grad((x**2).sum(), [x, y], None, True, False, True, True)
    assert found[0].tolist() == [2, 2] and found[1] is None
    with pytest.warns(FutureWarning, match="only_inputs argument is deprecated"):
        lib.autograd.grad((x**2).sum(), x, only_inputs=False)


@BOTH
def test_spmm_of_dense_matrices_is_mm(lib):
    x = lib.arange(6.0).reshape(2, 3).requires_grad_()
    out = lib.spmm(x, lib.ones(3, 2))
    assert out.tolist() == [[3, 3], [12, 12]] and "MmBackward" in str(out.grad_fn)


@BOTH
def test_an_optimizer_that_wraps_another_needs_no_state_of_its_own(lib):
    class Twice(lib.optim.Optimizer):
        def __init__(self, inner):
            self.inner, self.param_groups = inner, inner.param_groups

        def step(self, closure=None):
            self.inner.step()
            return self.inner.step()

    p = lib.nn.Parameter(lib.ones(2))
    opt = Twice(lib.optim.SGD([p], lr=0.25))
    p.sum().backward()
    opt.step()
    assert p.tolist() == [0.5, 0.5]


@BOTH
def test_lbfgs_says_nothing_of_its_closures_loss(lib):
    p = lib.nn.Parameter(lib.ones(2))
    opt = lib.optim.LBFGS([p], max_iter=3)

    def closure():
        opt.zero_grad()
        loss = ((p - 3) ** 2).sum()
        loss.backward()
        return loss

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        opt.step(closure)


@BOTH
def test_the_method_split_names_its_argument_otherwise_than_the_function(lib):
    x = lib.arange(5)
    assert [p.tolist() for p in x.split(split_size=[2, 3], dim=0)] == [[0, 1], [2, 3, 4]]
    assert [p.tolist() for p in lib.split(x, split_size_or_sections=3)] == [[0, 1, 2], [3, 4]]


def test_an_average_is_made_without_a_warning_of_jax():
    with jax.enable_x64(False), warnings.catch_warnings():
        warnings.simplefilter("error")
        average = ours.optim.swa_utils.AveragedModel(ours.nn.Linear(2, 2))
    assert average.n_averaged.dtype == ours.int64


def test_indices_that_a_script_calculates_stop_compiling():
    w = ours.nn.Parameter(ours.arange(20.0).reshape(5, 4))

    def step(places):
        w.grad = None
        sum(w[p, p % 4] * w[p] for p in places).sum().backward()
        return w.grad.sum().item()

    before = sum(compilations.values())
    for k in range(6):  # one place after the other begins to move
        step([(j + 1) % 5 if j < k else j for j in range(5)])
    assert sum(compilations.values()) - before <= 3


def test_a_loss_with_a_factor_calculated_without_gradient_is_read_before_its_backward():
    """The factor reads what the gradient goes through, and the gradient reads the factor."""

    def losses(lib):
        w = lib.ones(3, requires_grad=True)
        opt = lib.optim.SGD([w], lr=0.1)
        for _ in range(5):
            v = (w * 2.0).exp()
            with lib.no_grad():
                factor = v / (v + 1)
            loss = (factor * v).sum()
            yield loss.item()
            opt.zero_grad()
            loss.backward()
            opt.step()

    assert list(losses(ours)) == pytest.approx(list(losses(torch)), rel=1e-5)


@pytest.mark.parametrize("size", [12, 28, 40])
@pytest.mark.parametrize("align_corners", [True, False])
def test_a_spatial_transformer_that_begins_at_the_identity(size, align_corners):
    """Its points lie on the pixels, where the gradient is that of one neighbour or the other: rounding decides."""

    def run(lib):
        lib.manual_seed(0)
        maps = lib.tensor([[[1.0, 0, 0], [0, 1, 0]]], requires_grad=True)
        grid = lib.nn.functional.affine_grid(maps, (1, 1, size, size), align_corners=align_corners)
        out = lib.nn.functional.grid_sample(lib.rand(1, 1, size, size), grid, align_corners=align_corners)
        (out * lib.rand(1, 1, size, size)).sum().backward()
        return grid.detach().numpy(), maps.grad.numpy()

    (grid, gradient), (expected_grid, expected) = run(ours), run(torch)
    np.testing.assert_array_equal(grid, expected_grid)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3)


@pytest.mark.parametrize("steps", [2, 17, 34, 100, 399])
def test_linspace_rounds_as_pytorch(steps):
    np.testing.assert_array_equal(ours.linspace(0.3, 7.1, steps).numpy(), torch.linspace(0.3, 7.1, steps).numpy())


@BOTH
def test_meshgrid_asks_for_its_indexing(lib):
    with pytest.warns(UserWarning, match="it will be required to pass the indexing argument"):
        rows, _ = lib.meshgrid(lib.arange(2), lib.arange(3))
    assert rows.tolist() == [[0, 0, 0], [1, 1, 1]]
    with pytest.raises(RuntimeError, match='indexing must be one of "xy" or "ij", but received: ab'):
        lib.meshgrid(lib.arange(2), indexing="ab")
    with pytest.raises(RuntimeError, match="non-empty TensorList"):
        lib.meshgrid()


@pytest.mark.parametrize("include_self", [True, False])
def test_products_at_places_have_gradients_beside_zeros(include_self):
    def found(lib):
        rows = lib.tensor([[2.0, 0.0, 3.0], [1.0, 4.0, 0.0]], requires_grad=True)
        src = lib.tensor([[2.0, 0.0, 3.0, 5.0], [0.0, 0.0, 2.0, 1.5]], requires_grad=True)
        parts = lib.tensor([[2.0, 1.0, 3.0], [1.0, 0.0, 5.0], [3.0, 2.0, 0.0]], requires_grad=True)
        places = lib.tensor([[0, 0, 1, 2], [1, 1, 0, 0]])
        out = rows.scatter_reduce(1, places, src, "prod", include_self=include_self)
        out = out + rows.index_reduce(0, lib.tensor([0, 1, 0]), parts, "prod", include_self=include_self)
        out = out + rows.T.index_reduce(1, lib.tensor([0, 1, 0]), parts.T, "prod", include_self=include_self).T
        (out * lib.tensor([1.0, 2.0, 3.0])).sum().backward()
        return [t.grad.tolist() for t in (rows, src, parts)]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch: index_reduce() is in beta
        assert found(ours) == found(torch)


def test_bessel_i0_is_flat_at_zero():
    for function in (ours.i0, ours.special.i0):
        x = ours.tensor([0.0, 0.5], requires_grad=True)
        function(x).sum().backward()
        assert x.grad.tolist() == pytest.approx([0.0, 0.25789431])
