"""Containers: PyTorch's behaviour and text, and immutability after the seal."""

from collections import OrderedDict

import jax.numpy as jnp
import pytest

from pytreemod import nn
from pytreemod.errors import ImmutableError

torch = pytest.importorskip("torch")


def layer_of(base):
    class Layer(base.Module):
        def __init__(self, n):
            super().__init__()
            self.n = n

        def forward(self, x):
            return x + self.n

        def extra_repr(self):
            return f"n={self.n}"

    return Layer


OURS, THEIRS = layer_of(nn), layer_of(torch.nn)


def both(make):
    """The module that ``make(library, layer, array)`` gives inside a constructor, in both libraries."""

    class Holder(nn.Module):
        def __init__(self):
            super().__init__()
            self.held = make(nn, OURS, lambda *s: jnp.zeros(s, "float32"))

    return Holder().held, make(torch.nn, THEIRS, torch.zeros)


def edited(n, L, zeros):
    s = n.Sequential(L(1), L(2))
    s.insert(1, L(3)).append(L(4))
    del s[0]
    s[-1] = L(5)
    s += n.Sequential(L(6), L(7))
    s.pop(-1)
    return (s * 2)[1:]


def edited_list(n, L, zeros):
    items = n.ModuleList([L(1)])
    items += [L(2), L(2)]
    items.insert(0, L(0))
    items.extend(n.ModuleList([L(2)]) + [L(3)])
    items[1] = L(9)
    del items[2:3]
    items.append(n.Sequential(L(1)))
    return items


def edited_dict(n, L, zeros):
    items = n.ModuleDict([("a", L(1)), ("b", L(2))])
    items["c"] = L(3)
    items.update({"a": L(4)})
    items.pop("b")
    return items


def parameters(n, L, zeros):
    items = n.ParameterList([zeros(2), n.Parameter(zeros(2, 3))])
    items.append(zeros(5, 1))
    items += [zeros(1)]
    items[0] = zeros(4)
    return items


def parameter_dict(n, L, zeros):
    items = n.ParameterDict({"a": zeros(2), "b": n.Parameter(zeros(2, 3))})
    items["c"] = zeros(1)
    items.pop("a")
    return items


@pytest.mark.parametrize(
    "make",
    [
        edited,
        edited_list,
        edited_dict,
        parameters,
        parameter_dict,
        lambda n, L, zeros: n.Sequential(OrderedDict(first=L(1), second=L(2)))[:1],
        lambda n, L, zeros: n.ModuleList(),
        lambda n, L, zeros: n.ParameterList([zeros(2), zeros(3)])[1:],
    ],
)
def test_text_names_and_length_are_pytorchs(make):
    ours, theirs = both(make)
    assert repr(ours) == repr(theirs)
    assert list(ours.state_dict()) == list(theirs.state_dict())
    assert [n for n, _ in ours.named_children()] == [n for n, _ in theirs.named_children()]
    assert len(ours) == len(theirs)


def test_sequential_applies_its_modules_in_order_and_a_shared_one_twice():
    ours, theirs = both(lambda n, L, zeros: n.Sequential(*[L(1), L(2)] * 2))
    assert ours(0) == theirs(0) == 6
    assert both(lambda n, L, zeros: (lambda a: n.Sequential(a, L(2), a))(L(1)))[0](0) == 4


def test_items_keys_and_slices():
    ours, _ = both(edited_dict)
    assert list(ours) == ["a", "c"] and "c" in ours and [m.n for m in ours.values()] == [4, 3]
    assert dict(ours.items()).keys() == set(ours.keys())
    ours, _ = both(edited_list)
    assert [m.n for m in ours[:2]] == [0, 9] and ours[-2].n == 3
    ours, _ = both(parameter_dict)
    assert [k for k, _ in ours.items()] == ["b", "c"] and ours.get("z", 5) == 5 and ours["b"].shape == (2, 3)
    with pytest.raises(KeyError):
        ours["z"]


@pytest.mark.parametrize(
    ("misuse", "error"),
    [
        (lambda n, L: n.Sequential(L(1))[3], IndexError),
        (lambda n, L: n.Sequential(L(1)).insert(5, L(1)), IndexError),
        (lambda n, L: n.ModuleList([L(1)]).extend(3), TypeError),
        (lambda n, L: n.Sequential(3), TypeError),
        (lambda n, L: n.Sequential(L(1)) * 0, ValueError),
        (lambda n, L: n.Sequential(L(1)) + 1, ValueError),
        (lambda n, L: n.ModuleDict({"a.b": L(1)}), KeyError),
        (lambda n, L: n.ModuleDict([("a", L(1), 2)]), ValueError),
        (lambda n, L: n.ModuleDict(3), TypeError),
        (lambda n, L: n.ParameterDict({1: 2}), TypeError),
        (lambda n, L: n.ParameterList([1])[4], IndexError),
    ],
)
def test_misuse_raises_pytorchs_type(misuse, error):
    for library, layer in ((nn, OURS), (torch.nn, THEIRS)):
        with pytest.raises(error):
            misuse(library, layer)


def test_a_sealed_container_cannot_change():
    model = nn.Sequential(OURS(1), OURS(2))
    for change in (
        lambda: model.append(OURS(3)),
        lambda: model.__setitem__(0, OURS(3)),
        lambda: model.__delitem__(0),
        lambda: nn.ParameterList([jnp.ones(1)]).append(jnp.ones(1)),
        lambda: nn.ModuleDict({"a": OURS(1)}).clear(),
    ):
        with pytest.raises(ImmutableError):
            change()
    assert model(0) == 3
