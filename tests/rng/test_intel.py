"""The generator that PyTorch uses for masks on Intel processors: host and program form, against known values."""

import jax
import numpy as np
import pytest

from pytreemod.rng import HostStream, ProgramStream, intel

# MKL 2026.2: viRngBernoulli(p=0.3) and vdRngUniform(0, 1) on a VSL_BRNG_MCG31 stream of seed 12345
MASK = "110010000001100010101000000110000000100010000111"
UNIFORM = [5.748588594490936e-06, 0.21771771377777574, 0.42394194445756356]


def test_known_values():
    assert intel.units(12345, 3).tolist() == UNIFORM
    assert "".join(str(int(u < 0.3)) for u in intel.units(12345, 48)) == MASK


@pytest.mark.parametrize("word", [0, 1, 2**31 - 1, 2**31, 2**32 - 1, 99])
def test_units_follow_the_recurrence(word):
    x = word % (2**31 - 1) or 1
    for unit in intel.units(word, 100):
        assert unit == x / (2**31 - 1)
        x = x * 1132489760 % (2**31 - 1)


@pytest.mark.parametrize("p", [0.0, 1e-9, 0.3, 1.0])
def test_the_program_form_compares_alike(p):
    words = np.array([0, 2**31 - 1, 2**32 - 1, 2463534242], np.uint32)
    ours = jax.jit(jax.vmap(lambda word: intel.below(word, 1000, p)))(words)
    np.testing.assert_array_equal(ours, [intel.units(int(word), 1000) < p for word in words])


def test_a_mask_takes_one_word_of_the_stream(monkeypatch):
    monkeypatch.setattr(intel, "is_intel", lambda: True)
    stream, plain = HostStream(4), HostStream(4)

    @jax.jit
    def program(state):
        source = ProgramStream(state)
        return source.bernoulli(0.3, (10, 7)), source.state

    ours, state = program(stream.program_state())
    mask = stream.bernoulli(0.3, (10, 7))
    np.testing.assert_array_equal(mask.reshape(-1), intel.units(int(plain.draw(1)[0]), 70) < 0.3)
    np.testing.assert_array_equal(ours, mask)
    np.testing.assert_array_equal(state, plain.program_state())
    np.testing.assert_array_equal(stream.program_state(), plain.program_state())
