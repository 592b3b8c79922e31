"""Random tensors against PyTorch for the same seed, the exchange of states, and draws inside ``torch.compile``."""

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

# exact: integer arithmetic; the others go through log and cos
EXACT = {
    "rand": lambda t: t.rand(5, 7),
    "rand of doubles": lambda t: t.rand(3, 3, dtype=t.float64),
    "randint": lambda t: t.randint(3, 1000, (6, 3)),
    "randint from zero": lambda t: t.randint(10, (4,)),
    "randint_like": lambda t: t.randint_like(t.zeros(3, 2), 7),
    "randperm": lambda t: t.randperm(23),
    "rand_like": lambda t: t.rand_like(t.zeros(4, 2)),
    "bernoulli": lambda t: t.bernoulli(t.full((40,), 0.3)),
    "bernoulli_": lambda t: t.zeros(40).bernoulli_(0.7),
    "uniform_": lambda t: t.zeros(3, 5).uniform_(-2, 3),
    "random_": lambda t: t.zeros(8, dtype=t.int64).random_(5, 50),
    "multinomial with replacement": lambda t: t.multinomial(t.tensor([0.1, 0.5, 0.2, 0.2]), 9, replacement=True),
    "multinomial": lambda t: t.multinomial(t.tensor([[0.1, 0.5, 0.2, 0.2], [0.3, 0.3, 0.2, 0.2]]), 3),
    "dropout": lambda t: t.nn.functional.dropout(t.ones(6, 5), 0.4),
    "dropout of a layer": lambda t: t.nn.Dropout(0.2)(t.ones(30)),
}
CLOSE = {
    "randn": lambda t: t.randn(5, 7),
    "few randn": lambda t: t.randn(7),
    "randn of doubles": lambda t: t.randn(4, 5, dtype=t.float64),
    "randn_like": lambda t: t.randn_like(t.zeros(4, 5)),
    "normal": lambda t: t.normal(2.0, 3.0, (4, 5)),
    "normal of tensors": lambda t: t.normal(t.arange(20.0), t.ones(20)),
    "normal_": lambda t: t.zeros(4, 5).normal_(1.0, 0.5),
    "exponential_": lambda t: t.zeros(6).exponential_(2.0),
}


@pytest.mark.parametrize("name", [*EXACT, *CLOSE])
def test_the_same_seed_gives_pytorchs_numbers(name):
    """Two draws after another, so that the stream is also left where PyTorch leaves it."""
    draw = EXACT.get(name) or CLOSE[name]
    found = []
    for torch in (theirs, ours):
        torch.manual_seed(1234)
        found.append([draw(torch), draw(torch), torch.rand(3)])
    for want, got in zip(*found, strict=True):
        assert str(got.dtype) == str(want.dtype)
        if name in EXACT:
            np.testing.assert_array_equal(got.numpy(), want.numpy())
        else:
            np.testing.assert_allclose(got.numpy(), want.numpy(), rtol=1e-5, atol=1e-6)


def test_a_generator_has_its_own_stream():
    ours.manual_seed(0)
    first = ours.rand(2).tolist()
    ours.manual_seed(0)
    generator = ours.Generator().manual_seed(7)
    a = ours.rand(4, generator=generator)
    b = theirs.rand(4, generator=theirs.Generator().manual_seed(7))
    np.testing.assert_array_equal(a.numpy(), b.numpy())
    assert ours.rand(2).tolist() == first
    assert generator.initial_seed() == 7


def test_states_travel_both_ways():
    theirs.manual_seed(5)
    theirs.randn(3)  # an odd number: a cached value travels too
    ours.set_rng_state(ours.tensor(theirs.get_rng_state().numpy()))
    np.testing.assert_allclose(ours.randn(3).numpy(), theirs.randn(3).numpy(), rtol=1e-6)
    np.testing.assert_array_equal(ours.rand(9).numpy(), theirs.rand(9).numpy())
    ours.rand(700)  # past the end of a block of the generator
    theirs.set_rng_state(theirs.tensor(ours.get_rng_state().numpy()))
    np.testing.assert_array_equal(ours.randperm(9).numpy(), theirs.randperm(9).numpy())


def test_a_state_that_is_kept_repeats():
    state = ours.get_rng_state()
    first = ours.rand(5).tolist()
    ours.set_rng_state(state)
    assert ours.rand(5).tolist() == first
    ours.set_rng_state(state)
    with ours.random.fork_rng():
        ours.rand(100)
    assert ours.rand(5).tolist() == first


@pytest.mark.parametrize("name", ["rand", "randn", "randint", "dropout", "randperm", "uniform_"])
def test_inside_a_compiled_function_as_outside(name):
    draw = EXACT.get(name) or CLOSE[name]
    compiled = ours.compile(lambda x: draw(ours) + x)
    zero = ours.zeros(())
    ours.manual_seed(3)
    outside = [draw(ours).numpy() + 0.0 for _ in range(3)] + [ours.rand(2).numpy()]
    ours.manual_seed(3)
    inside = [compiled(zero).numpy() for _ in range(3)] + [ours.rand(2).numpy()]
    for want, got in zip(outside, inside, strict=True):
        np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


def test_an_empty_range_is_refused():
    with pytest.raises(RuntimeError, match="random_ expects 'from' to be less than 'to'"):
        ours.randint(5, 5, (2,))
    with pytest.raises(RuntimeError, match="leaf Variable"):
        ours.zeros(3, requires_grad=True).normal_()
