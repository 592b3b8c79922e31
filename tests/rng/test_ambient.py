"""The ambient source: which one is found, and what is said when there is none."""

import threading

import jax
import numpy as np
import pytest

from pytreemod.rng import HostStream, KeySource, Source, scope, source, use


class Offers:
    stream = HostStream(0)

    @staticmethod
    def __pytreemod_source__():
        return Offers.stream


def test_the_innermost_source_wins_and_the_outer_one_returns():
    outer, inner = HostStream(1), HostStream(2)
    with use(outer):
        with use(inner):
            assert source() is inner
        assert source() is outer


def test_ambient_goes_before_what_a_type_offers():
    assert source(like=Offers()) is Offers.stream
    with scope(HostStream(1)) as ambient:
        assert source(like=Offers()) is ambient


def test_an_error_inside_the_context_removes_the_source():
    with pytest.raises(KeyError), use(HostStream(1)):
        raise KeyError
    with pytest.raises(RuntimeError):
        source()


def test_other_threads_see_nothing_of_it():
    found = []

    def look():
        try:
            found.append(source())
        except RuntimeError as error:
            found.append(error)

    with use(HostStream(1)):
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()
    assert isinstance(found[0], RuntimeError)


@pytest.mark.parametrize(
    ("who", "remedy"),
    [
        ("dropout", r"dropout: training mode needs .* ptm.call\(model, x, key=key\), or model.eval\(\)"),
        ("Linear", r"Linear: initial values need .* ptm.init\(Linear, ..., key=key\), or `with ptm.rng\(key\):`"),
        ("init.uniform", r"init.uniform: initial values need .* ptm.init\(Model, ..., key=key\)"),
    ],
)
def test_without_a_source_the_error_names_both_remedies(who, remedy):
    with pytest.raises(RuntimeError, match=remedy):
        source(who=who)


def test_only_sources_become_ambient():
    with pytest.raises(TypeError, match="expected a source of random numbers, got int"), use(3):
        pass


def test_typed_and_legacy_keys_give_the_same_numbers():
    with scope(jax.random.key(5)), jax.checking_leaks():
        one = source().uniform((4,))
    with scope(jax.random.PRNGKey(5)):
        two = source().uniform((4,))
    np.testing.assert_array_equal(one, two)


def test_every_draw_has_its_own_key(key):
    stream = KeySource(key)
    draws = [np.asarray(stream.uniform((4,))) for _ in range(3)]
    assert len({d.tobytes() for d in draws}) == 3
    again = KeySource(key)
    again.normal((2,)), again.bernoulli(0.5, (2,))
    np.testing.assert_array_equal(again.uniform((4,)), draws[2])


@pytest.mark.parametrize(
    ("key", "error"), [(0, TypeError), ("a", TypeError), (np.zeros((3, 2), np.uint32), ValueError)]
)
def test_what_is_no_single_key_is_refused(key, error):
    with pytest.raises(error, match="rng: expected"):
        scope(key)


def test_keys_work_under_vmap_and_leave_no_tracer(key):
    def draw(key):
        with scope(key):
            stream = source()
            return stream.normal((3,), 1.0, 2.0), stream.bernoulli(0.5, (3,))

    with jax.checking_leaks():
        both = jax.jit(jax.vmap(draw))(jax.random.split(key, 2))
    alone = draw(jax.random.split(key, 2)[1])
    for batched, single in zip(both, alone, strict=True):
        np.testing.assert_allclose(batched[1], single, rtol=1e-6)
    with pytest.raises(RuntimeError):
        source()


def test_key_draws_have_the_distribution_that_was_asked_for(key):
    stream = KeySource(key)
    assert isinstance(stream, Source)
    uniform = np.asarray(stream.uniform((2000,), 2.0, 3.0))
    assert uniform.min() >= 2 and uniform.max() < 3 and abs(uniform.mean() - 2.5) < 0.03
    normal = np.asarray(stream.normal((2000,), 5.0, 2.0))
    assert abs(normal.mean() - 5) < 0.2 and abs(normal.std() - 2) < 0.2
    assert abs(np.asarray(stream.bernoulli(0.3, (2000,))).mean() - 0.3) < 0.05
    assert set(np.asarray(stream.randint(-1, 2, (50,))).tolist()) == {-1, 0, 1}
    assert sorted(np.asarray(stream.permutation(50))) == list(range(50))
    bounded = np.asarray(stream.truncated_normal((2000,), 0.0, 1.0, 0.5, 3.0))
    assert bounded.min() >= 0.5 and bounded.max() <= 3
    assert abs(bounded.mean() - 1.1310) < 0.05  # (phi(0.5) - phi(3)) / (Phi(3) - Phi(0.5))
