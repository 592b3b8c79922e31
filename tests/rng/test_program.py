"""The in-program stream against the host stream: values, state afterwards, and how it behaves under transforms."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pytreemod.rng import HostStream, ProgramStream

CLOSE = {"rtol": 1e-6, "atol": 1e-6}


def run(state, *draws):
    """The draws in one program, and the state after them."""

    def program(state):
        stream = ProgramStream(state)
        return [draw(stream) for draw in draws], stream.state

    with jax.numpy_dtype_promotion("strict"):
        return jax.jit(program)(state)


def check(host, *draws, rtol=0.0, atol=0.0):
    """The draws by both, from the state of ``host``; and both stand at the same place afterwards."""
    values, state = run(host.program_state(), *draws)
    for value, draw in zip(values, draws, strict=True):
        expected = draw(host)
        np.testing.assert_allclose(np.asarray(value, float), np.asarray(expected, float), rtol=rtol, atol=atol)
        assert value.shape == expected.shape
    np.testing.assert_array_equal(state[:626], host.program_state()[:626])
    kept = np.asarray(state[626:]).view(np.float32).astype(float).sum()
    np.testing.assert_allclose(kept, host.kept or 0.0, **CLOSE)
    return [value.dtype.name for value in values]


@pytest.fixture(params=[False, True], ids=["x32", "x64"])
def host(request):
    with jax.enable_x64(request.param):
        yield HostStream(7)


def test_uniform_across_blocks_of_the_recurrence(host):
    counts = [1, 622, 1, 0, 1, 1300]
    assert check(host, *(lambda s, n=n: s.uniform((n,)) for n in counts)) == ["float32"] * len(counts)
    check(host, lambda s: s.uniform((20, 30), -0.3, 1.1), **CLOSE)
    assert check(host, lambda s: s.uniform((7,), dtype="bfloat16")) == ["bfloat16"]


def test_normal_and_the_value_kept_between_calls(host):
    counts = [3, 2, 0, 5, 15, 16, 1, 17, 4, 1, 700]
    assert check(host, *(lambda s, n=n: s.normal((n,), 2.0, 0.5) for n in counts), **CLOSE) == ["float32"] * len(counts)


def test_normal_near_the_ends_of_the_uniform_numbers():
    with jax.enable_x64(True):
        from pytreemod.rng.numbers import polar_double, polar_float

        ends = [0, 1, 2**19, 2**20, 2**21 - 1, 2**32 - 1]
        words = np.array([(a, b, c, d) for a in ends for b in ends for c in ends for d in ends], np.uint32)
        words = words[~((words[:, 2] % 2**21 == 0) & (words[:, 3] == 0))].reshape(-1)  # radius 0: nothing to see
        np.testing.assert_allclose(polar_float(jnp.asarray(words)), polar_double(jnp.asarray(words)), rtol=0, atol=2e-6)


def test_bernoulli_of_a_number(host):
    check(host, *(lambda s, p=p: s.bernoulli(p, (3, 40)) for p in (0.0, 0.1, 0.5, 1 / 3, 1.0)))


def test_bernoulli_is_exact_in_the_last_of_53_bits():
    from pytreemod.rng.numbers import below

    words = jnp.array([2**20, 5, 2**20, 6, 2**20, 7], jnp.uint32)  # (2**52 + 5) * 2**-53 and its neighbours
    np.testing.assert_array_equal(below(words, (2**52 + 6) * 2.0**-53), [True, False, False])


def test_bernoulli_of_an_array(host):
    p = np.linspace(0, 1, 40, dtype=np.float32)
    check(host, lambda s: s.bernoulli(p, (3, 40)))


def test_randint(host):
    ranges = [(0, 10), (-5, 7), (0, 2**28), (0, 3 * 2**29), (-(2**31), 2**31 - 1), (-(2**31), 2**31)]
    draws = [lambda s, a=a, b=b: s.randint(a, b, (200,), "int32") for a, b in ranges]
    assert check(host, *draws) == ["int32"] * len(ranges)


def test_permutation(host):
    check(host, *(lambda s, n=n: s.permutation(n) for n in (0, 1, 2, 100)))


def test_wide_types_with_x64():
    host = HostStream(3)
    with jax.enable_x64(True):
        draws = [lambda s, n=n: s.normal((n,), dtype="float64") for n in (3, 2, 17)]
        draws.append(lambda s: s.uniform((9,), -1.0, 2.0, "float64"))
        assert check(host, *draws, rtol=1e-12, atol=1e-12) == ["float64"] * 4
        ranges = [(0, 2**40), (-(2**63), 2**63 - 1), (2**40, 2**40 + 5)]
        draws = [lambda s, a=a, b=b: s.randint(a, b, (50,), "int64") for a, b in ranges]
        for value, draw in zip(run(host.program_state(), *draws)[0], draws, strict=True):
            np.testing.assert_array_equal(value, draw(host), strict=True)


def test_wide_types_without_x64_are_refused():
    stream = ProgramStream(HostStream(3).program_state())
    with pytest.raises(ValueError, match="uniform needs float64, .*jax_enable_x64"):
        stream.uniform((3,), dtype="float64")
    with pytest.raises(ValueError, match="the range from 0 to 1099511627776 needs int64"):
        stream.randint(0, 2**40, (3,))


def test_misuse_is_refused():
    with pytest.raises(ValueError, match=r"expected a uint32 state of shape \(629,\), got float32\(5,\)"):
        ProgramStream(jnp.zeros(5, jnp.float32))
    stream = ProgramStream(HostStream(3).program_state())
    with pytest.raises(ValueError, match="expected low < high, got low=3, high=3"):
        stream.randint(3, 3, (2,))
    with pytest.raises(ValueError, match=r"expected p to be in \[0, 1\], got p=1.5"):
        stream.bernoulli(1.5, (2,))


@pytest.mark.parametrize("bounds", [(-1.0, 2.0), (1.5, 3.0)], ids=["normal", "uniform"])
def test_truncated_normal_loops_in_the_program(bounds):
    host = HostStream(5)
    check(host, lambda s: s.truncated_normal((7, 9), 0.0, 1.0, *bounds), **CLOSE)


def test_the_program_holds_no_float64_unless_asked():
    def program(state):
        stream = ProgramStream(state)
        draws = stream.normal((3,)), stream.normal((20,)), stream.uniform((3,), -1.0, 1.0), stream.bernoulli(0.3, (3,))
        return draws, stream.state

    with jax.enable_x64(True):
        assert "f64" not in jax.jit(program).lower(HostStream(1).program_state()).as_text()


def test_the_host_goes_on_where_the_program_stopped():
    host, straight = HostStream(11), HostStream(11)
    _, state = run(host.program_state(), lambda s: s.normal((3,)))
    host.load_program_state(state)
    straight.normal((3,))
    assert host.initial_seed() == 11
    np.testing.assert_allclose(host.normal((2,)), straight.normal((2,)), **CLOSE)
    np.testing.assert_array_equal(host.uniform((700,)), straight.uniform((700,)))


def test_a_kept_value_goes_through_the_program_state_exactly():
    host, straight = HostStream(11), HostStream(11)
    host.normal((1,)), straight.normal((1,))
    host.load_program_state(host.program_state())
    assert host.kept == straight.kept


def test_batches_of_states_and_loops():
    seeds = [1, 2]
    states = jnp.stack([HostStream(s).program_state() for s in seeds])

    def step(state, _):
        stream = ProgramStream(state)
        return (lambda values: (stream.state, values))(stream.uniform((300,)))

    with jax.checking_leaks():
        _, values = jax.vmap(lambda s: jax.lax.scan(step, s, None, length=3))(states)
    for row, seed in zip(values, seeds, strict=True):
        np.testing.assert_array_equal(row.reshape(-1), HostStream(seed).uniform((900,)))
