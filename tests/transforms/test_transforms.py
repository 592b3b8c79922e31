"""``partition``, ``combine``, ``grad``, ``apply_updates``: what they promise, and what they refuse."""

import inspect

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pytreemod as ptm
from pytreemod import nn
from pytreemod.errors import PathError


class Affine(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(jnp.ones((2, 2), "float32"))
        self.register_buffer("mean", jnp.ones(2, "float32"))
        self.register_buffer("steps", jnp.zeros((), "int32"))

    def forward(self, x):
        return x @ self.weight - self.mean


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = Affine(), Affine()
        self.head = Affine()
        self.head.weight = self.one.weight

    def forward(self, x):
        return self.head(self.two(self.one(x)))


@pytest.fixture
def net():
    return Net()


def loss(model, x, scale=1.0):
    return scale * (model(x) ** 2).sum()


def names(part):
    return [n for n, v in zip(part._structure.names(), part._leaves, strict=True) if v is not None]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        (None, ["one.weight", "two.weight"]),
        ("two", ["two.weight", "two.mean", "two.steps"]),
        ("head.weight", ["one.weight"]),
        (["*.steps", "two.mean"], ["one.steps", "two.mean", "two.steps", "head.steps"]),
        (lambda path, leaf: leaf.ndim == 2 and path.startswith("two"), ["two.weight"]),
    ],
)
def test_partition_chooses_by_role_path_pattern_or_function(net, where, expected):
    chosen, rest = ptm.partition(net, where)
    assert names(chosen) == expected
    assert sorted(names(chosen) + names(rest)) == sorted(net._structure.names())
    joined = ptm.combine(rest, chosen)
    assert all(a is b for a, b in zip(joined._leaves, net._leaves, strict=True))


def test_any_tree_can_be_split_and_differentiated(net):
    tree = {"net": net, "gain": jnp.ones(()), "step": jnp.zeros((), "int32"), "name": "run"}
    chosen, rest = ptm.partition(tree)
    assert len(jax.tree.leaves(chosen)) == 3 and rest["name"] == "run" and rest["gain"] is None
    gradient = ptm.grad(lambda t: loss(t["net"], jnp.ones((1, 2)), t["gain"]))(tree)
    assert gradient["step"] is None and gradient["net"].two.mean is None
    np.testing.assert_allclose(gradient["gain"], loss(net, jnp.ones((1, 2))))
    assert float(ptm.grad(lambda x: x**2)(3.0)) == 6.0


def test_grad_equals_jax_grad_and_value_and_grad_adds_the_value(net):
    x = jnp.ones((3, 2))
    floats, rest = ptm.partition(net, lambda path, leaf: leaf.dtype == jnp.float32)
    full = jax.grad(lambda part: loss(ptm.combine(part, rest), x, 2.0))(floats)
    value, gradient = ptm.value_and_grad(loss)(net, x, scale=2.0)
    np.testing.assert_array_equal(gradient.one.weight, full.one.weight)
    assert float(value) == float(loss(net, x, 2.0))
    (value, aux), again = ptm.value_and_grad(lambda m, x: (loss(m, x), "aux"), has_aux=True)(net, x)
    assert aux == "aux" and jax.tree.structure(again) == jax.tree.structure(ptm.trainable(net))
    assert ptm.grad(lambda m: (loss(m, x), 1), has_aux=True)(net)[1] == 1


def test_the_signature_is_kept():
    assert inspect.signature(ptm.grad(loss)) == inspect.signature(loss)
    assert ptm.value_and_grad(loss).__name__ == "loss"


def test_second_order_and_forward_mode_work(net):
    part, rest = ptm.partition(net)
    x = jnp.ones((1, 2))
    value = jax.jvp(lambda p: ptm.grad(loss)(ptm.combine(p, rest), x), (part,), (part,))[1]
    assert value.one.weight.shape == (2, 2) and value.one.mean is None


def test_combine_refuses_what_does_not_fit(net):
    chosen, rest = ptm.partition(net)
    with pytest.raises(ValueError, match="2 parts have a leaf at 'one.weight'"):
        ptm.combine(chosen, net)
    with pytest.raises(ValueError, match="part 1 has another structure: 'one.weight' is only in the first"):
        ptm.combine(chosen, Affine())
    with pytest.raises(ValueError, match="part 1 has another structure: the same paths, but other classes"):
        ptm.combine(chosen, rest.eval())
    with pytest.raises(ValueError, match="at least one"):
        ptm.combine()


def test_a_pattern_that_matches_nothing_raises(net):
    with pytest.raises(PathError, match="partition: nothing matches 'three'; "):
        ptm.partition(net, "three")


def test_updates_keep_dtypes_and_tolerate_none(net):
    half = net.at["*.weight"].apply(lambda w: w.astype("bfloat16"))
    updates = jax.tree.map(lambda w: jnp.full(w.shape, 0.5, "float32"), ptm.trainable(half))
    new = ptm.apply_updates(half, updates)
    assert new.one.weight.dtype == jnp.bfloat16 and float(new.head.weight[0, 0]) == 1.5
    assert new.one.mean is half.one.mean
    full = jax.tree.map(jnp.ones_like, net)
    jax.tree.map(np.testing.assert_array_equal, ptm.apply_updates(net, full), optax.apply_updates(net, full))
    assert ptm.apply_updates({"a": 1.0, "b": None}, {"a": 0.5, "b": None})["a"] == 1.5


def test_updates_computed_in_another_mode_fit(net):
    gradient = ptm.grad(loss)(net.eval(), jnp.ones((1, 2)))
    assert jax.tree.structure(ptm.apply_updates(net, gradient)) == jax.tree.structure(net)


def test_updates_that_do_not_fit_name_the_path(net):
    with pytest.raises(ValueError, match="do not fit the model: 'one.weight' is only in the first"):
        ptm.apply_updates(net, Affine())
    with pytest.raises(ValueError, match=r"update of shape \(2, 2\) at 'two.weight', got \(3,\)"):
        ptm.apply_updates(net, ptm.trainable(net).at["two.weight"].set(jnp.ones(3)))
    with pytest.raises(ValueError, match="no leaf at 'one.mean'"):
        ptm.apply_updates(ptm.trainable(net), net)
    with pytest.raises(ValueError, match="do not fit"):
        ptm.apply_updates({"a": 1.0}, {"b": 1.0})


def test_argument_names_of_the_function_do_not_collide():
    assert float(ptm.grad(lambda w, model: model * w**2)(2.0, model=3.0)) == 12.0
