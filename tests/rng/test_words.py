"""Seeds and states: what goes between our generator and PyTorch's."""

import copy
import pickle

import numpy as np
import pytest

from pytreemod.rng import HostStream

torch = pytest.importorskip("torch")


@pytest.mark.parametrize("seed", [0, 1, -1, 2**32, 2**32 + 5, 2**63, 2**64 - 1, -(2**63), 5.0, True, np.int64(7)])
def test_seeds_mean_what_they_mean_in_pytorch(seed):
    generator = torch.manual_seed(seed)
    stream = HostStream(seed)
    assert stream.initial_seed() == generator.initial_seed()
    np.testing.assert_array_equal(stream.uniform((5,)), torch.rand(5).numpy())


@pytest.mark.parametrize("seed", [2**64, -(2**63) - 1])
def test_a_seed_outside_64_bits_is_refused(seed):
    with pytest.raises(ValueError, match="Overflow when unpacking long long"):
        HostStream(seed)


def test_the_default_seed_is_pytorchs():
    assert HostStream().initial_seed() == torch.Generator().initial_seed()


@pytest.mark.parametrize("draws", [(), (0,), (1,), (3,), (20,), (624,), (625, 1), (1248,), (3, 2)])
def test_states_are_equal_byte_for_byte(draws):
    torch.manual_seed(-3)
    stream = HostStream(-3)
    for count in draws:
        torch.rand(count)
        stream.uniform((count,))
    np.testing.assert_array_equal(stream.get_state(), torch.get_rng_state().numpy())


@pytest.mark.parametrize("count", [0, 3, 4])  # 3: a normal value waits for the next call
def test_states_go_to_pytorch_and_back(count):
    stream = HostStream(9)
    stream.normal((count,))
    generator = torch.Generator()
    generator.set_state(torch.tensor(stream.get_state()))
    theirs = torch.randn(2, generator=generator, dtype=torch.float64).numpy()

    other = HostStream()
    other.set_state(stream.get_state())
    np.testing.assert_allclose(other.normal((2,), dtype="float64"), theirs, rtol=1e-13)
    other.set_state(generator.get_state().numpy())
    assert other.initial_seed() == 9
    np.testing.assert_array_equal(other.uniform((700,)), torch.rand(700, generator=generator).numpy())


def test_copies_go_on_alike_and_apart():
    stream = HostStream(2)
    stream.normal((3,))
    others = [copy.deepcopy(stream), pickle.loads(pickle.dumps(stream))]
    expected = stream.normal((5,))
    for other in others:
        np.testing.assert_array_equal(other.normal((5,)), expected)


@pytest.mark.parametrize(
    ("state", "error", "phrase"),
    [
        (np.zeros(5056, np.int64), TypeError, "RNG state must be a torch.ByteTensor"),
        (np.zeros(10, np.uint8), RuntimeError, "RNG state is wrong size"),
        (np.zeros(5056, np.uint8), RuntimeError, "Invalid mt19937 state"),
    ],
)
def test_a_state_that_is_none_is_refused_and_changes_nothing(state, error, phrase):
    stream = HostStream(2)
    before = stream.get_state()
    with pytest.raises(error, match=phrase):
        stream.set_state(state)
    np.testing.assert_array_equal(stream.get_state(), before)


def test_seed_takes_a_new_one_each_time():
    stream = HostStream(2)
    seeds = {stream.seed() for _ in range(3)}
    assert len(seeds) == 3 and stream.initial_seed() in seeds
    np.testing.assert_array_equal(stream.uniform((3,)), HostStream(stream.initial_seed()).uniform((3,)))


def test_a_program_state_of_another_shape_is_refused():
    with pytest.raises(ValueError, match=r"expected shape \(629,\), got \(624,\)"):
        HostStream(2).load_program_state(np.zeros(624, np.uint32))
