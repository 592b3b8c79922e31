"""The arguments of compiled functions: assigned to, sliced, returned, differentiated, of several kinds."""

import gc
import itertools
import weakref

import jax

import pytreemod.torch as ptt
from pytreemod.torch.tape.compiled import compilations


def test_assignment_to_an_input():
    @ptt.compile
    def fill(x, y):
        x += 1
        y[0] = x.sum()
        return x * y

    for k in range(3):
        x, y = ptt.ones(3) * k, ptt.zeros(3)
        out = fill(x, y)
        assert x.tolist() == [k + 1.0] * 3
        assert y.tolist() == [3 * (k + 1.0), 0, 0]
        assert out.tolist() == [3 * (k + 1.0) ** 2, 0, 0]


def test_slices_of_one_tensor_as_arguments():
    double = ptt.compile(lambda x: x * 2)
    x = ptt.arange(6.0)
    assert [double(x[k : k + 2]).tolist() for k in (0, 2, 4)] == [[0, 2], [4, 6], [8, 10]]
    assert double(ptt.ones(2)).tolist() == [2, 2] and double(x[2:4]).tolist() == [4, 6]
    increase = ptt.compile(lambda x: x.add_(1))
    for k in (0, 2):
        increase(x[k : k + 2])
    assert x.tolist() == [1, 2, 3, 4, 4, 5]
    w = ptt.ones(4, requires_grad=True)
    (double(w[:2]).sum() + double(w[1:3]).sum()).backward()
    assert w.grad.tolist() == [2, 4, 2, 0]


def test_gradients_of_an_argument():
    @ptt.compile
    def sensitivity(x):
        (x**2).sum().backward()
        return x.sum()

    for k in range(3):
        x = ptt.full((2,), float(k), requires_grad=True)
        sensitivity(x)
        assert x.grad.tolist() == [2.0 * k] * 2
        sensitivity(x)
        assert x.grad.tolist() == [4.0 * k] * 2


def test_returning_its_input():
    @ptt.compile
    def same(x):
        return x, x * 2, x

    for k in range(3):
        x = ptt.ones(2) * k
        a, b, c = same(x)
        assert a.tolist() == c.tolist() == [k, k] and b.tolist() == [2 * k, 2 * k]
        x += 1  # the result keeps its value, whatever happens to the input
        assert b.tolist() == [2 * k, 2 * k]


def test_other_kinds_of_arguments_get_programs_of_their_own():
    before = compilations["compiled functions"]
    runs = itertools.count()

    @ptt.compile
    def scale(x, factor, *, names=("a",)):
        next(runs)
        return {name: x * factor for name in names}

    for factor in (2, 2, 3, 2.0, 2):
        assert scale(ptt.ones(2), factor)["a"].tolist() == [factor, factor]
    assert list(scale(ptt.ones(2), 2, names=("b", "c"))) == ["b", "c"]
    assert next(runs) == 4 and compilations["compiled functions"] - before == 4


def test_no_tracer_or_argument_is_kept_alive():
    @ptt.compile
    def double(x):
        return x * 2

    x = ptt.ones(1000)
    reference = weakref.ref(x)
    double(x)
    del x
    gc.collect()
    assert reference() is None
    with jax.checking_leaks():
        assert double(ptt.ones(3)).tolist() == [2.0, 2.0, 2.0]
