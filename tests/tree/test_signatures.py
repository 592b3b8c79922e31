"""Parameter names read from the code are those of ``inspect.signature``, for everything the library asks about."""

import dis
import functools
import inspect

import pytest

from pytreemod import functional, nn
from pytreemod.torch.nn.rebinding import stores_attributes
from pytreemod.tree.signatures import parameter_names

KINDS = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
CLASSES = [value for value in vars(nn).values() if isinstance(value, type)]


def expected(function):
    return tuple(name for name, p in inspect.signature(function).parameters.items() if p.kind not in KINDS)


@pytest.mark.parametrize("name", functional.__all__)
def test_functions(name):
    assert parameter_names(getattr(functional, name)) == expected(getattr(functional, name))


@pytest.mark.parametrize("cls", CLASSES)
def test_constructors_and_what_forward_writes(cls):
    assert parameter_names(cls.__init__) == expected(cls.__init__)
    if forward := vars(cls).get("forward"):
        stores = any(i.opname == "STORE_ATTR" for i in dis.get_instructions(forward))
        assert stores_attributes(forward) == stores


def test_what_says_its_own_signature_is_believed():
    def plain(a, *rest, b=1, **more):
        c = a
        return c

    @functools.wraps(plain)
    def wrapper(*args, **kwargs):
        return plain(*args, **kwargs)

    assert parameter_names(plain) == parameter_names(wrapper) == ("a", "b")
    wrapper.__signature__ = inspect.signature(lambda x, y: None)
    assert parameter_names(wrapper) == ("x", "y")
    assert parameter_names(functools.partial(plain, 1)) == ("rest", "b", "more")
