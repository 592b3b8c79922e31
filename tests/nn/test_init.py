"""Initial values against ``torch.nn.init``: the same seed, the same tensor."""

import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pytreemod.nn import init
from pytreemod.rng import HostStream, ProgramStream, scope

torch = pytest.importorskip("torch")

SHAPES = [(3, 5), (7, 4, 3), (4, 8, 3, 3), (2, 2)]


def compare(name, shape, *args, tolerance=0.0, dtype="float32", **kwargs):
    """``init.name`` and ``torch.nn.init.name_`` from one seed; both streams stand at the same place afterwards."""
    torch.manual_seed(21)
    theirs = torch.empty(shape, dtype=getattr(torch, dtype))
    getattr(torch.nn.init, name + "_")(theirs, *args, **kwargs)
    stream = HostStream(21)
    with scope(stream):
        ours = getattr(init, name)(shape, *args, dtype=dtype, **kwargs)
    assert isinstance(ours, jax.Array) and ours.dtype == dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs.numpy(), rtol=tolerance, atol=tolerance)
    np.testing.assert_array_equal(stream.uniform((3,)), torch.rand(3).numpy())


@pytest.mark.parametrize("shape", SHAPES)
def test_uniform_families_bit_for_bit(shape):
    compare("uniform", shape)
    compare("uniform", shape, -0.3, 0.7)
    compare("xavier_uniform", shape, 2.0)
    compare("kaiming_uniform", shape, a=math.sqrt(5))
    compare("kaiming_uniform", shape, mode="fan_out", nonlinearity="relu")


@pytest.mark.parametrize("shape", SHAPES)
def test_normal_families(shape):
    compare("normal", shape, 1.0, 0.1, tolerance=1e-6)
    compare("xavier_normal", shape, tolerance=1e-6)
    compare("kaiming_normal", shape, nonlinearity="tanh", tolerance=1e-6)
    compare("orthogonal", shape, tolerance=2e-6)
    compare("orthogonal", shape, gain=2.0, tolerance=4e-6)


@pytest.mark.parametrize("args", [(), (0.0, 0.02, -0.04, 0.04), (0.0, 1.0, 1.5, 3.0), (0.5, 1.0, -0.1, 0.1)])
def test_truncated_normal_redraws_as_pytorch_does(args):
    for shape in SHAPES:
        compare("trunc_normal", shape, *args, tolerance=1e-6)
    compare("trunc_normal", (40, 70), *args, tolerance=1e-6)


def test_truncated_normal_warns_of_a_mean_far_outside():
    with pytest.warns(UserWarning, match="mean is more than 2 std from"), scope(HostStream(0)):
        assert float(init.trunc_normal((5,), 0.0, 1.0, 3.0, 4.0).min()) >= 3


@pytest.mark.parametrize(("rows", "columns"), [(3, 5), (10, 4)])
def test_sparse_draws_an_order_for_each_column(rows, columns):
    for sparsity in (0.0, 0.3, 1.0):
        compare("sparse", (rows, columns), sparsity, 0.1, tolerance=1e-6)


def test_fixed_values():
    for shape in SHAPES:
        compare("ones", shape)
        compare("zeros", shape)
        compare("constant", shape, 0.3)
    compare("eye", (3, 5))
    for shape in ((4, 2, 3), (4, 8, 3, 5), (6, 2, 3, 3, 4)):
        compare("dirac", shape)
        compare("dirac", shape, 2)


def test_double_precision():
    with jax.enable_x64(True):
        compare("kaiming_uniform", (4, 7), a=math.sqrt(5), dtype="float64")
        compare("orthogonal", (4, 7), dtype="float64", tolerance=1e-12)
        compare("trunc_normal", (4, 7), dtype="float64", tolerance=1e-12)


@pytest.mark.parametrize(
    "name", ["linear", "conv2d", "conv_transpose3d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]
)
def test_gains(name):
    assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
    assert init.calculate_gain("leaky_relu", 0.2) == torch.nn.init.calculate_gain("leaky_relu", 0.2)


CASES = [
    ("trunc_normal", (0.0, 1.0, -1.0, 2.0)),
    ("orthogonal", ()),
    ("sparse", (0.3,)),
    ("kaiming_uniform", ()),
]


@pytest.mark.parametrize(("name", "args"), CASES)
def test_inside_a_program_on_pytorchs_stream(name, args):
    host = HostStream(8)

    @jax.jit
    def program(state):
        stream = ProgramStream(state)
        with scope(stream):
            return getattr(init, name)((5, 7), *args), stream.state

    values, state = program(host.program_state())
    with scope(host):
        expected = getattr(init, name)((5, 7), *args)
    np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)
    np.testing.assert_array_equal(state[:625], host.program_state()[:625])


@pytest.mark.parametrize(("name", "args"), [*CASES, ("xavier_normal", ()), ("eye", ()), ("normal", ())])
def test_ensembles_of_keys(key, name, args):
    def make(key):
        with scope(key):
            return getattr(init, name)((5, 7), *args)

    with jax.checking_leaks(), jax.numpy_dtype_promotion("strict"):
        many = jax.jit(jax.vmap(make))(jax.random.split(key, 3))
    assert many.shape == (3, 5, 7) and many.dtype == jnp.float32
    if name == "orthogonal":
        np.testing.assert_allclose(jnp.einsum("nij,nkj->nik", many, many), np.tile(np.eye(5), (3, 1, 1)), atol=1e-5)
    elif name == "sparse":
        np.testing.assert_array_equal((many == 0).sum(axis=1), 2)
    elif name == "eye":
        np.testing.assert_array_equal(many[0], np.eye(5, 7))
    else:
        assert np.unique(many).size == many.size


class Wrapped:
    """A source that knows nothing but the five draws, and hands out arrays of a type of its own."""

    class Array:
        def __init__(self, value):
            self.value = value

        def __array__(self, dtype=None, copy=None):
            return self.value

    def __init__(self, seed):
        self.host = HostStream(seed)

    def uniform(self, *args, **kwargs):
        return Wrapped.Array(self.host.uniform(*args, **kwargs))

    def normal(self, *args, **kwargs):
        return Wrapped.Array(self.host.normal(*args, **kwargs))

    def permutation(self, n):
        return Wrapped.Array(self.host.permutation(n))

    bernoulli = randint = uniform


def test_a_source_with_arrays_of_its_own():
    with scope(Wrapped(3)):
        assert isinstance(init.kaiming_uniform((3, 4)), Wrapped.Array)  # handed on untouched
        wrapped = init.sparse((6, 4), 0.5), init.orthogonal((3, 4))
        bounded = init.trunc_normal((50,), 0.0, 1.0, 0.5, 1.0)
    stream = HostStream(3)
    with scope(stream):
        init.kaiming_uniform((3, 4))
        plain = init.sparse((6, 4), 0.5), init.orthogonal((3, 4))
    for one, two in zip(wrapped, plain, strict=True):
        np.testing.assert_array_equal(one, two)
    assert float(bounded.min()) >= 0.5 and float(bounded.max()) <= 1


@pytest.mark.parametrize(
    ("name", "shape", "args", "phrase"),
    [
        ("xavier_uniform", (3,), (), "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"),
        ("kaiming_normal", (3,), (), "Fan in and fan out can not be computed for tensor with fewer than 2 dimensions"),
        ("kaiming_uniform", (3, 4), (0, "fan"), "Mode fan not supported, please use one of"),
        ("kaiming_uniform", (3, 4), (0, "fan_in", "sin"), "Unsupported nonlinearity sin"),
        ("kaiming_uniform", (3, 4), (True,), "negative_slope True not a valid number"),
        ("orthogonal", (3,), (), "Only tensors with 2 or more dimensions are supported"),
        ("sparse", (3,), (0.1,), "Only tensors with 2 dimensions are supported"),
        ("eye", (3, 4, 5), (), "Only tensors with 2 dimensions are supported"),
        ("dirac", (3, 4), (), "Only tensors with 3, 4, or 5 dimensions are supported"),
        ("dirac", (3, 4, 5), (2,), "dim 0 must be divisible by groups"),
    ],
)
def test_misuse_raises_as_in_pytorch(name, shape, args, phrase):
    with pytest.raises(ValueError, match=phrase):
        getattr(torch.nn.init, name + "_")(torch.empty(shape), *args)
    with pytest.raises(ValueError, match=phrase), scope(HostStream(0)):
        getattr(init, name)(shape, *args)


def test_an_empty_shape_warns_and_draws_nothing():
    stream = HostStream(0)
    with scope(stream), pytest.warns(UserWarning, match="Initializing zero-element tensors is a no-op"):
        assert init.kaiming_uniform((0, 3)).shape == (0, 3)
    with scope(stream):
        assert init.orthogonal((0, 3)).shape == (0, 3)
    np.testing.assert_array_equal(stream.get_state(), HostStream(0).get_state())


def test_without_randomness_both_remedies_are_named():
    with pytest.raises(RuntimeError, match=r"init.uniform: initial values need randomness. Use ptm.init\("):
        init.uniform((3,))
