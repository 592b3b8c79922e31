"""torch.overrides: which arguments speak for themselves, and in what order they are asked."""

import pytest
import torch

import pytreemod.torch as ours


class Loud:
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return cls.__name__, function.__name__, [t.__name__ for t in types], args


class Louder(Loud):
    pass


class Silent:
    @classmethod
    def __torch_function__(cls, function, types, args=(), kwargs=None):
        return NotImplemented


def both(make):
    return make(ours), make(torch)


@pytest.mark.parametrize("of", [(), (1,), (Loud(),), (1, Louder()), (None, "x", [Loud()])])
def test_which_arguments_have_a_function(of):
    mine, theirs = both(lambda t: t.overrides.has_torch_function((t.ones(1), t.nn.Parameter(t.ones(1)), *of)))
    assert mine is theirs
    assert ours.nn.functional.has_torch_function_variadic(*of) is torch.nn.functional.has_torch_function_variadic(*of)
    for each in of:
        assert ours.overrides.has_torch_function_unary(each) is torch.overrides.has_torch_function_unary(each)
        assert ours.overrides.is_tensor_like(each) is torch.overrides.is_tensor_like(each)
    assert ours.overrides.is_tensor_like(ours.ones(1))


@pytest.mark.parametrize("of", [(Loud(), Louder(), 3), (Louder(), Loud()), (Silent(), Loud()), (Loud(), Loud())])
def test_subclasses_are_asked_first(of):
    def result(t):
        def double(*args):
            return "plain"

        return t.overrides.wrap_torch_function(lambda *args: args)(double)(*of)

    mine, theirs = both(result)
    assert mine == theirs and mine != "plain"


def test_nobody_answers():
    for t in (ours, torch):
        with pytest.raises(TypeError, match="no implementation found for '.*relu' on types that implement"):
            t.overrides.handle_torch_function(t.relu, (Silent(),), Silent())
        with pytest.raises(AttributeError):
            t.nn.functional.reluu  # noqa: B018
