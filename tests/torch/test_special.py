"""``torch.special`` against PyTorch: values of both dtypes at ordinary places, poles and infinities, and gradients."""

import jax
import numpy as np
import pytest
import scipy.special
import torch as theirs

import pytreemod.torch as ours


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation():
    """Many small programs, each run once: XLA need not optimise them."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


ORDINARY = [0.1, 0.45, 0.93, 1.7, 3.3, 9.3, 14.6, 21.5, 80.25, -0.3, -1.4, -4.6, -8.478374, -19.7, -33.3]
EDGES = [0.0, -0.0, 1.0, -1.0, 2.0, -3.0, 1e-30, np.inf, -np.inf, np.nan]
POLYNOMIALS = sorted(name for name in dir(theirs.special) if "polynomial" in name)
WITHOUT_GRADIENT = [
    "airy_ai", "bessel_j0", "bessel_j1", "bessel_y0", "bessel_y1", "modified_bessel_i0", "modified_bessel_i1",
    "modified_bessel_k0", "modified_bessel_k1", "scaled_modified_bessel_k0", "scaled_modified_bessel_k1",
    "spherical_bessel_j0",
]  # fmt: skip
WITH_GRADIENT = [
    "digamma", "psi", "entr", "erf", "erfc", "erfcx", "erfinv", "exp2", "expit", "expm1", "gammaln", "i0", "i0e", "i1",
    "i1e", "log1p", "log_ndtr", "logit", "ndtr", "ndtri", "sinc",
]  # fmt: skip


def test_every_name_of_pytorch_is_there():
    names = {n for n in dir(theirs.special) if callable(getattr(theirs.special, n)) and n[0].islower()}
    assert {n for n in names - {"common_args", "multi_dim_common"} if not hasattr(ours.special, n)} == set()


def _both(name, values, dtype):
    one = getattr(theirs.special, name)(theirs.tensor(values, dtype=getattr(theirs, dtype)))
    other = getattr(ours.special, name)(ours.tensor(values, dtype=getattr(ours, dtype)))
    assert str(other.dtype) == str(one.dtype)
    return one.numpy(), other.numpy()


SCIPY = {
    "airy_ai": lambda x: scipy.special.airy(x)[0], "bessel_j0": scipy.special.j0, "bessel_j1": scipy.special.j1,
    "bessel_y0": scipy.special.y0, "bessel_y1": scipy.special.y1, "modified_bessel_k0": scipy.special.k0,
    "modified_bessel_k1": scipy.special.k1, "scaled_modified_bessel_k0": scipy.special.k0e,
    "scaled_modified_bessel_k1": scipy.special.k1e,
}  # fmt: skip


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
def test_values_in_float64(name):
    one, other = _both(name, ORDINARY + EDGES, "float64")
    np.testing.assert_allclose(other, one, rtol=1e-7, atol=1e-13)  # PyTorch's J(9.3) is no better
    if name in SCIPY:
        n = len(ORDINARY)
        np.testing.assert_allclose(other[:n], SCIPY[name](np.array(ORDINARY)), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_values_in_float32(name):
    one, other = _both(name, ORDINARY + EDGES, "float32")
    np.testing.assert_allclose(other, one, rtol=3e-5, atol=2e-6)


@pytest.mark.parametrize("name", WITH_GRADIENT)
def test_gradients(name):
    values = [v for v in ORDINARY if 0 < v < 1 or name not in ("logit", "log1p")]
    x, y = theirs.tensor(values, requires_grad=True), ours.tensor(values, requires_grad=True)
    getattr(theirs.special, name)(x).sum().backward()
    out = getattr(ours.special, name)(y)
    out.sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), x.grad.numpy(), rtol=2e-4, atol=1e-5)
    assert out.grad_fn.name() == getattr(theirs.special, name)(x).grad_fn.name()


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
def test_no_gradient_is_recorded_where_pytorch_records_none(name):
    x = ours.tensor([0.5, 1.5], requires_grad=True)
    assert not getattr(ours.special, name)(x).requires_grad


X = [0.3, 1.0, -1.0, 2.5, 0.0, 0.3, 0.3, -1.5, 0.7, -0.7, -0.1, 1.2, -1.2, -1.2]
N = [-1, 5, 5, 5, 4, 100, 2.7, 9, 12, 13, 70, 80, 80, 81]


@pytest.mark.parametrize("name", POLYNOMIALS)
def test_polynomials(name):
    x, n = theirs.tensor(X, dtype=theirs.float64), theirs.tensor(N)
    y, m = ours.tensor(X, dtype=ours.float64, requires_grad=True), ours.tensor(N)
    other = getattr(ours.special, name)(y, m)
    assert not other.requires_grad
    np.testing.assert_allclose(other.numpy(), getattr(theirs.special, name)(x, n).numpy(), rtol=1e-9, atol=1e-10)


def test_polynomials_take_numbers_and_integers():
    numbers = theirs.special.hermite_polynomial_h(2, theirs.tensor([1, 3]))
    found = ours.special.hermite_polynomial_h(2, ours.tensor([1, 3]))
    assert str(found.dtype) == str(numbers.dtype) and found.tolist() == numbers.tolist()
    assert ours.special.legendre_polynomial_p(ours.tensor([2.0]), 2).tolist() == [5.5]
    assert ours.special.laguerre_polynomial_l(ours.tensor([2.0]), ours.tensor([np.inf])).isnan().all()


@pytest.mark.parametrize("n", [0, 1, 4])
def test_polygamma(n):
    x = theirs.tensor(ORDINARY, dtype=theirs.float64, requires_grad=True)
    y = ours.tensor(ORDINARY, dtype=ours.float64, requires_grad=True)
    one, other = theirs.polygamma(n, x), ours.polygamma(n, y)
    np.testing.assert_allclose(other.detach().numpy(), one.detach().numpy(), rtol=1e-9)
    one.sum().backward()
    other.sum().backward()
    np.testing.assert_allclose(y.grad.numpy(), x.grad.numpy(), rtol=1e-9)
    assert y.detach().clone().polygamma_(n).tolist() == other.tolist()


def test_zeta_below_zero_and_at_poles():
    s, q = [1.5, 2.0, 3.0, 2.0, 3.0, 2.5, 2.0], [2.0, 0.0, -1.0, -1.5, -2.3, -0.5, -1e5 - 0.5]
    expected = theirs.special.zeta(theirs.tensor(s, dtype=theirs.float64), theirs.tensor(q, dtype=theirs.float64))
    found = ours.special.zeta(ours.tensor(s, dtype=ours.float64), ours.tensor(q, dtype=ours.float64))
    np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-11)
    assert ours.special.zeta(2, ours.tensor([1.0])).item() == pytest.approx(np.pi**2 / 6)


@pytest.mark.parametrize("name", ["gammainc", "gammaincc"])
def test_incomplete_gamma(name):
    a, x = (g.ravel().tolist() for g in np.meshgrid([0, 0.5, 1, 5, 20], [0, 0.1, 1, 5, 30, np.inf]))
    expected = getattr(theirs.special, name)(theirs.tensor(a), theirs.tensor(x))
    np.testing.assert_allclose(
        getattr(ours.special, name)(ours.tensor(a), ours.tensor(x)).numpy(), expected.numpy(), rtol=1e-5, atol=1e-6
    )
    one, other = theirs.tensor([0.5, 3.0], requires_grad=True), ours.tensor([0.5, 3.0], requires_grad=True)
    getattr(theirs.special, name)(theirs.tensor([1.5, 2.0]), one).sum().backward()
    getattr(ours.special, name)(ours.tensor([1.5, 2.0]), other).sum().backward()
    np.testing.assert_allclose(other.grad.numpy(), one.grad.numpy(), rtol=1e-5)


def test_xlog1py_is_zero_where_its_first_operand_is():
    one, other = (
        [t.tensor([0.0, 0.0, 2.0], requires_grad=True), t.tensor([-1.0, np.nan, 0.5], requires_grad=True)]
        for t in (theirs, ours)
    )
    expected, found = theirs.special.xlog1py(*one), ours.special.xlog1py(*other)
    np.testing.assert_allclose(found.detach().numpy(), expected.detach().numpy(), rtol=1e-6)
    expected[::2].sum().backward()
    found[::2].sum().backward()
    for x, y in zip(one, other, strict=True):
        np.testing.assert_allclose(y.grad.numpy()[2], x.grad.numpy()[2], rtol=1e-6)


def test_out_and_refusals():
    out = ours.zeros(2)
    assert ours.special.entr(ours.tensor([1.0, 2.0]), out=out) is out and out[1].item() == pytest.approx(-1.386294)
    with pytest.raises(TypeError, match=r"special_entr\(\) received an invalid combination of arguments - got \(int\)"):
        ours.special.entr(3)
    with pytest.raises(TypeError, match=r"special_hermite_polynomial_h\(\).* - got \(int, int\)"):
        ours.special.hermite_polynomial_h(2, 3)
    with pytest.raises(NotImplementedError, match="\"bessel_j0_cpu\" not implemented for 'ComplexFloat'"):
        ours.special.bessel_j0(ours.tensor([1j]))
    with pytest.raises(NotImplementedError, match="\"igamma_cpu\" not implemented for 'Long'"):
        ours.igamma(ours.ones(2, dtype=ours.long), ours.ones(2, dtype=ours.long))
    with pytest.raises(TypeError, match=r"igamma\(\): argument 'other' \(position 2\) must be Tensor, not float"):
        ours.igamma(ours.ones(2), 2.0)
    with pytest.raises(RuntimeError, match="p has to be greater than or equal to 1"):
        ours.mvlgamma(ours.ones(2), 0)
