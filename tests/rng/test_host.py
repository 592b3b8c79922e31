"""The host stream against PyTorch: the same seed, the same numbers, and the same state afterwards."""

import ml_dtypes
import numpy as np
import pytest

from pytreemod.rng import HostStream

torch = pytest.importorskip("torch")

SHAPES = [*((n,) for n in range(41)), (), (100,), (1000,), (10007,), (3, 5), (4, 8), (7, 9, 3)]
FLOATS = {"float32": 1e-6, "float64": 1e-13, "float16": 2e-3, "bfloat16": 1.6e-2}


def array(tensor):
    if tensor.dtype == torch.bfloat16:
        return tensor.view(torch.uint16).numpy().view(ml_dtypes.bfloat16)
    return tensor.numpy()


@pytest.fixture
def stream():
    """A host stream that PyTorch's default generator accompanies; at the end both stand at the same place."""
    torch.manual_seed(1234)
    stream = HostStream(1234)
    yield stream
    np.testing.assert_array_equal(stream.get_state()[:5024], torch.get_rng_state().numpy()[:5024])


def equal(ours, theirs):
    theirs = array(theirs)
    assert ours.dtype == theirs.dtype
    np.testing.assert_array_equal(ours, theirs, strict=True)


def close(ours, theirs, tolerance):
    theirs = array(theirs)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours.astype(float), theirs.astype(float), rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", FLOATS)
def test_uniform_bit_for_bit(stream, dtype):
    for shape in SHAPES:
        equal(stream.uniform(shape, dtype=dtype), torch.rand(shape, dtype=getattr(torch, dtype)))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(("low", "high"), [(-0.37, 1.1), (0, 3.3), (-3.4, -1.1), (1e-8, 1e4), (1000, 1003), (5, 5)])
def test_uniform_between_bounds_bit_for_bit(stream, dtype, low, high):
    equal(
        stream.uniform((20000,), low, high, dtype),
        torch.empty(20000, dtype=getattr(torch, dtype)).uniform_(low, high),
    )


@pytest.mark.parametrize("dtype", FLOATS)
def test_normal_for_every_size(stream, dtype):
    for shape in SHAPES:  # blocks of 16 from 16 values on; below, pairs whose second half waits for the next call
        close(stream.normal(shape, dtype=dtype), torch.randn(shape, dtype=getattr(torch, dtype)), FLOATS[dtype])
        theirs = torch.empty(shape, dtype=getattr(torch, dtype)).normal_(2, 0.3)
        close(stream.normal(shape, 2, 0.3, dtype), theirs, FLOATS[dtype])


def test_normal_with_arrays_of_means_and_deviations(stream):
    mean, std = torch.arange(20.0), torch.arange(20.0) / 10
    close(stream.normal((20,), mean.numpy(), std.numpy()), torch.normal(mean, std), 1e-6)
    close(stream.normal((20,), mean.numpy(), 2.0), torch.normal(mean, 2.0), 1e-6)
    close(stream.normal((20,), 3.0, std.numpy()), torch.normal(3.0, std), 1e-6)


@pytest.mark.parametrize(("dtype", "tolerance"), [("complex64", 1e-6), ("complex128", 1e-13)])
def test_complex_draws_are_pairs(stream, dtype, tolerance):
    kind = getattr(torch, dtype)
    equal(stream.uniform((3, 2), dtype=dtype), torch.rand(3, 2, dtype=kind))
    ours, theirs = stream.normal((5, 7), dtype=dtype), torch.randn(5, 7, dtype=kind).numpy()
    assert ours.dtype == theirs.dtype
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance)


def test_bernoulli_of_a_number_and_of_an_array(stream):
    for p in (0.0, 0.1, 0.5, 0.9, 1.0):
        equal(stream.bernoulli(p, (7, 9)), torch.empty(7, 9, dtype=torch.bool).bernoulli_(p))
    for dtype in FLOATS:
        p = torch.rand(50, dtype=getattr(torch, dtype))
        stream.uniform((50,), dtype=dtype)
        equal(stream.bernoulli(array(p), (50,)), torch.bernoulli(p).bool())


def test_bernoulli_is_dropouts_draw(stream):
    kept = torch.nn.functional.dropout(torch.ones(40, 5), 0.3) != 0
    equal(stream.bernoulli(0.7, (40, 5)), kept)


RANGES = [(0, 10), (-5, 7), (0, 2**28 - 1), (0, 2**28), (0, 2**31), (-(2**31), 2**31 - 1), (0, 2**32), (0, 2**40)]


@pytest.mark.parametrize(("low", "high"), [*RANGES, (-(2**63), 2**63 - 1), (5, 2**62)])
def test_randint_of_every_range(stream, low, high):
    equal(stream.randint(low, high, (60,)), torch.randint(low, high, (60,)))


KINDS = ["uint8", "int8", "int16", "int32", "int64", "bool", *FLOATS]


@pytest.mark.parametrize("dtype", [*KINDS, "uint16", "uint32", "uint64"])
def test_randint_of_every_dtype(stream, dtype):
    low, high = (0, 2) if dtype == "bool" else (3, 100)
    theirs = torch.empty(50, dtype=getattr(torch, dtype)).random_(low, high)
    equal(stream.randint(low, high, (50,), dtype), theirs)


@pytest.mark.parametrize("dtype", KINDS)
def test_random_without_bounds(stream, dtype):
    kind = getattr(torch, dtype)
    equal(stream.random((50,), dtype), torch.empty(50, dtype=kind).random_())
    equal(stream.random((50,), dtype, low=1), torch.empty(50, dtype=kind).random_(1, None))


def test_random_over_all_64_bits(stream):
    equal(stream.random((50,), "int64", low=-(2**63)), torch.empty(50, dtype=torch.int64).random_(-(2**63), None))


@pytest.mark.filterwarnings("ignore:.*out of bounds:UserWarning")
@pytest.mark.parametrize(("low", "high"), [(0, 2**25 + 3), (-(2**26 + 5), 2**26 + 1), (2**25 + 1, 2**25 + 9)])
def test_random_beyond_the_integers_that_a_float_holds(stream, low, high):
    equal(stream.random((500,), "float32", low, high), torch.empty(500).random_(low, high))


@pytest.mark.parametrize("n", [0, 1, 2, 3, 10, 1000, 100_000])
def test_permutation(stream, n):
    equal(stream.permutation(n), torch.randperm(n))


@pytest.mark.parametrize("dtype", FLOATS)
def test_further_distributions(stream, dtype):
    def theirs():
        return torch.empty(51, dtype=getattr(torch, dtype))

    tolerance = FLOATS[dtype]
    close(stream.exponential((51,), 2.5, dtype), theirs().exponential_(2.5), tolerance)
    close(stream.geometric((51,), 0.3, dtype), theirs().geometric_(0.3), tolerance)
    close(stream.cauchy((51,), 1, 2, dtype), theirs().cauchy_(1, 2), 10 * tolerance)
    close(stream.log_normal((51,), 1, 0.5, dtype), theirs().log_normal_(1, 0.5), tolerance)
    close(stream.log_normal((50,), 1, 0.5, dtype), theirs()[:50].log_normal_(1, 0.5), tolerance)


@pytest.mark.parametrize(("count", "replacement"), [(5, False), (30, False), (1, False), (20, True), (1, True)])
def test_multinomial(stream, count, replacement):
    for dtype in (torch.float32, torch.float64):
        weights = torch.rand(4, 30, dtype=dtype)
        stream.uniform((4, 30), dtype=str(dtype)[6:])
        equal(stream.multinomial(weights.numpy(), count, replacement), torch.multinomial(weights, count, replacement))
        equal(
            stream.multinomial(weights[0].numpy(), count, replacement),
            torch.multinomial(weights[0], count, replacement),
        )


@pytest.mark.parametrize(
    ("ours", "theirs", "phrase"),
    [
        (lambda s: s.uniform((2,), 3, 2), lambda t: t.uniform_(3, 2), r"expects to return a \[from, to\) range"),
        (lambda s: s.normal((2,), 0, -1), lambda t: t.normal_(0, -1), "normal expects std >= 0.0"),
        (lambda s: s.bernoulli(1.5, (2,)), lambda t: t.bernoulli_(1.5), r"expects p to be in \[0, 1\]"),
        (lambda s: s.randint(3, 3, (2,)), lambda t: t.random_(3, 3), "expects 'from' to be less than 'to'"),
        (lambda s: s.randint(0, 300, (2,), "uint8"), lambda t: t.byte().random_(0, 300), "to - 1 is out of bounds for"),
        (lambda s: s.exponential((2,), -1), lambda t: t.exponential_(-1), "expects lambda > 0.0"),
        (lambda s: s.geometric((2,), 1.0), lambda t: t.geometric_(1.0), r"expects p to be in \(0, 1\)"),
        (lambda s: s.cauchy((2,), 0, -1), lambda t: t.cauchy_(0, -1), "expects sigma > 0.0"),
        (lambda s: s.log_normal((2,), 0, -1), lambda t: t.log_normal_(0, -1), "expects std > 0.0"),
        (
            lambda s: s.permutation(-1),
            lambda t: torch.randperm(-1),
            "Trying to create tensor with negative dimension -1",
        ),
        (
            lambda s: s.multinomial(np.ones(3, np.float32), 4),
            lambda t: torch.multinomial(torch.ones(3), 4),
            r"cannot sample n_sample > prob_dist.size\(-1\) samples without replacement",
        ),
        (
            lambda s: s.multinomial(np.float32([1, -1]), 1),
            lambda t: torch.multinomial(torch.tensor([1.0, -1.0]), 1),
            "probability tensor contains either `inf`, `nan` or element < 0",
        ),
        (
            lambda s: s.multinomial(np.zeros(3, np.float32), 2, True),
            lambda t: torch.multinomial(torch.zeros(3), 2, True),
            r"invalid multinomial distribution \(sum of probabilities <= 0\)",
        ),
    ],
)
def test_misuse_raises_as_in_pytorch_and_draws_nothing(stream, ours, theirs, phrase):
    with pytest.raises(RuntimeError, match=phrase):
        theirs(torch.empty(2))
    with pytest.raises(RuntimeError, match=phrase):
        ours(stream)
