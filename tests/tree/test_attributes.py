"""``attributes`` and ``build``: taking a module apart and making it again without its constructor."""

import jax
import jax.numpy as jnp
import pytest

from pytreemod import nn
from pytreemod.tree import Module, Role, Slot, attributes, build, building, is_open, module_number, path_of


class Leafy(nn.Module):
    made = 0

    def __init__(self):
        super().__init__()
        Leafy.made += 1
        self.w = nn.Parameter(jnp.ones(2), requires_grad=False)
        self.register_parameter("none", None)
        self.register_buffer("state", jnp.zeros(1), persistent=False)
        self.rate = 0.5
        self.sizes = [1, 2]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = Leafy()
        self.two = [Leafy(), {"x": nn.Parameter(jnp.ones(3))}]
        self.same = self.one
        self.tied = Leafy()
        self.tied.w = self.one.w


def test_one_level_is_given_with_roles_and_ties():
    model = Net()
    top = attributes(model)
    assert list(top) == ["training", "one", "two", "same", "tied"] and type(top["one"]) is Leafy
    leaf = attributes(top["tied"])["w"]
    assert isinstance(leaf, Slot) and leaf.role is Role.FROZEN
    assert leaf.leaf_id == attributes(top["one"])["w"].leaf_id != attributes(top["two"][0])["w"].leaf_id
    assert attributes(top["one"])["none"].array is None and attributes(top["one"])["none"].role is Role.PARAMETER
    assert attributes(top["one"])["sizes"] == [1, 2] and isinstance(top["two"][1]["x"], Slot)
    assert module_number(top["one"]) == module_number(top["same"]) != module_number(top["tied"])
    assert path_of(top["two"][0]) == "two.0"


def again(model, known):
    """Rebuild every level, each module once."""
    if module_number(model) in known:
        return known[module_number(model)]

    def value(x):
        if isinstance(x, Module):
            return again(x, known)
        if isinstance(x, list):
            return [value(v) for v in x]
        return {k: value(v) for k, v in x.items()} if isinstance(x, dict) else x

    made = build(type(model), {name: value(x) for name, x in attributes(model).items()})
    return known.setdefault(module_number(model), made)


def test_build_is_the_inverse_and_runs_no_constructor():
    model, count = Net(), Leafy.made
    count = Leafy.made
    with building():
        copied = again(model, {})
        assert is_open(copied)
    assert not is_open(copied) and Leafy.made == count
    assert jax.tree.structure(copied) == jax.tree.structure(model)
    assert all(a is b for a, b in zip(copied._leaves, model._leaves, strict=True))


def test_build_alone_seals_and_takes_markers():
    shared = nn.Parameter(jnp.ones(2))
    model = build(Leafy, {"a": shared, "b": shared, "state": nn.Buffer(jnp.zeros(1)), "inner": Leafy(), "n": 3})
    assert not is_open(model) and model.training and model.n == 3
    assert model._structure.names() == ("a", "state", "inner.w", "inner.state")
    assert [n for n, _ in model._structure.named_leaves()][:2] == ["a", "b"]


def test_an_error_inside_building_ends_it():
    with pytest.raises(ZeroDivisionError), building():
        raise ZeroDivisionError
    assert not is_open(build(Leafy, {}))
