"""The promises of the design, each with plain JAX and plain optax: no filtered twins, no special cases.

The modules here are the test's own, so that a promise does not depend on the layers.
"""

import copy
import functools
import pickle

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import source


class Affine(nn.Module):
    def __init__(self, inputs, outputs, bias=True):
        super().__init__()
        self.weight = nn.Parameter(source(who="Affine").uniform((outputs, inputs), -0.5, 0.5))
        self.bias = nn.Parameter(jnp.zeros((outputs,), "float32")) if bias else None

    def forward(self, x):
        y = x @ self.weight.T
        return y if self.bias is None else y + self.bias


class Running(nn.Module):
    """Subtracts a running mean: a buffer that forward writes."""

    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(jnp.ones((width,), "float32"))
        self.register_buffer("mean", jnp.ones((width,), "float32"))
        self.register_buffer("count", jnp.zeros((), "int32"))

    def forward(self, x):
        if self.training:
            self.mean = 0.9 * self.mean + 0.1 * x.mean(0)
            self.count = self.count + 1
        return (x - self.mean) * self.scale


class MLP(nn.Module):
    def __init__(self, width=3, depth=2):
        super().__init__()
        self.layers = [Affine(width, width) for _ in range(depth)]
        self.norm = Running(width)
        self.head = Affine(width, 2)

    def forward(self, x):
        for layer in self.layers:
            x = jnp.tanh(layer(x))
        return self.head(self.norm(x))


class Tied(nn.Module):
    def __init__(self, words=5, width=3):
        super().__init__()
        self.embed = Affine(width, words, bias=False)
        self.head = Affine(width, words, bias=False)
        self.head.weight = self.embed.weight

    def forward(self, index):
        return self.head(jnp.tanh(self.embed.weight[index]))


def tied_loss(model):
    return (model(jnp.array([0, 1, 1])) ** 2).sum()


@pytest.fixture
def model(key):
    return ptm.init(MLP, key=key)


@pytest.fixture
def tied(key):
    return ptm.init(Tied, key=key)


def is_tied(model):
    return len(jax.tree.leaves(model)) == 1 and model.embed.weight is model.head.weight


def quiet(model, x):
    return (model.eval()(x) ** 2).mean()


# -- one flatten, arrays only, PyTorch's names


def test_a_whole_model_is_one_node_and_flattens_to_its_own_tuple(model):
    leaves, structure = jax.tree.flatten(model)
    assert structure.num_nodes == 1 + len(leaves)  # one node for the model, none for its submodules
    assert model._leaves is model._leaves and all(a is b for a, b in zip(leaves, model._leaves, strict=True))


def test_only_arrays_are_leaves(model):
    assert all(isinstance(leaf, jax.Array) for leaf in jax.tree.leaves(model))


def test_plain_jax_and_optax_take_a_model(key):
    model = ptm.init(Affine, 3, 2, key=key)
    x = jnp.ones((4, 3))
    optimizer = optax.adam(0.01)
    state = optimizer.init(model)

    @jax.jit
    def step(model, state):
        loss, gradient = jax.value_and_grad(quiet)(model, x)
        updates, state = optimizer.update(gradient, state, model)
        return optax.apply_updates(model, updates), state, loss

    losses = []
    for _ in range(3):
        model, state, loss = step(model, state)
        losses.append(float(loss))
    assert losses[0] > losses[1] > losses[2]
    assert type(model) is Affine and type(state[0].mu) is Affine
    assert jax.vmap(model)(jnp.ones((4, 3))).shape == (4, 2)
    assert jax.tree.map(jnp.shape, model).weight == (2, 3)
    assert jax.device_put(model, jax.devices()[0]).weight.shape == (2, 3)


def test_key_paths_are_the_names_and_the_order_of_pytorchs_state_dict(model):
    torch = pytest.importorskip("torch")

    class Norm(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = torch.nn.Parameter(torch.ones(3))
            self.register_buffer("mean", torch.ones(3))
            self.register_buffer("count", torch.zeros(()))

    class Net(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = torch.nn.ModuleList([torch.nn.Linear(3, 3) for _ in range(2)])
            self.norm = Norm()
            self.head = torch.nn.Linear(3, 2)

    paths = [path for path, _ in jax.tree_util.tree_leaves_with_path(model)]
    names = [jax.tree_util.keystr(path, simple=True, separator=".") for path in paths]
    assert names == list(Net().state_dict()) == list(model.state_dict())
    assert [n for n, _ in model.named_parameters()] == [n for n, _ in Net().named_parameters()]


# -- ties


def test_a_tied_weight_is_one_leaf_under_its_first_name(tied):
    assert is_tied(tied)
    assert [name for name, _ in tied.named_parameters()] == ["embed.weight"]
    assert list(tied.state_dict()) == ["embed.weight", "head.weight"]


def test_a_tied_gradient_is_the_sum_over_both_uses(tied):
    def apart(embed, head):
        return (jnp.tanh(embed[jnp.array([0, 1, 1])]) @ head.T).__pow__(2).sum()

    one, two = jax.grad(apart, (0, 1))(tied.embed.weight, tied.head.weight)
    gradient = jax.grad(tied_loss)(tied)
    assert is_tied(gradient)
    np.testing.assert_allclose(gradient.embed.weight, one + two, rtol=1e-5)


def test_a_tie_outlives_jit_vmap_and_optax(tied, key):
    optimizer = optax.adamw(0.1)

    @jax.jit
    def step(model, state):
        updates, state = optimizer.update(jax.grad(tied_loss)(model), state, model)
        return optax.apply_updates(model, updates), state

    stepped, state = step(tied, optimizer.init(tied))
    assert is_tied(stepped) and is_tied(state[0].mu)
    many = jax.vmap(lambda key: ptm.init(Tied, key=key))(jax.random.split(key, 4))
    assert is_tied(many) and many.head.weight.shape == (4, 5, 3)
    assert is_tied(pickle.loads(pickle.dumps(tied))) and is_tied(copy.deepcopy(tied))
    assert is_tied(tied.at["head.weight"].set(jnp.zeros((5, 3))))
    assert is_tied(jax.jit(lambda key: ptm.init(Tied, key=key))(key))


def test_a_tie_outlives_a_safetensors_file(tied, tmp_path, key):
    pytest.importorskip("safetensors")
    from pytreemod.interop import load_safetensors, save_safetensors

    save_safetensors(tmp_path / "model.safetensors", tied)
    other = ptm.init(Tied, key=jax.random.key(7))
    loaded = load_safetensors(tmp_path / "model.safetensors", other)
    assert is_tied(loaded)
    np.testing.assert_array_equal(loaded.head.weight, tied.head.weight)


# -- freezing and buffers


def test_frozen_weights_and_buffers_get_no_gradient_no_optimizer_state_and_no_decay(model):
    model = model.freeze("layers.0")
    x = jnp.ones((4, 3))
    optimizer = optax.adamw(0.1, weight_decay=0.5)
    state = optimizer.init(ptm.trainable(model))
    gradient = ptm.grad(quiet)(model, x)
    updates, state = optimizer.update(gradient, state, ptm.trainable(model))
    new = ptm.apply_updates(model, updates)

    assert jax.tree.structure(gradient) == jax.tree.structure(ptm.trainable(model))
    held = {n for n, v in state[0].mu.named_parameters() if v is not None}
    assert held == {"layers.1.weight", "layers.1.bias", "norm.scale", "head.weight", "head.bias"}
    assert gradient.norm.mean is None and gradient.layers[0].weight is None
    for path in ("norm.mean", "norm.count", "layers.0.weight", "layers.0.bias"):
        assert new.at[path].get() is model.at[path].get()
    assert not np.array_equal(new.layers[1].weight, model.layers[1].weight)
    assert jax.tree.structure(new) == jax.tree.structure(model)


def test_partition_and_combine_are_inverse_and_plain_grad_takes_the_part(model):
    trained, rest = ptm.partition(model)
    assert len(jax.tree.leaves(trained)) == 7 and len(jax.tree.leaves(rest)) == 2
    joined = ptm.combine(trained, rest)
    assert jax.tree.structure(joined) == jax.tree.structure(model)
    assert all(a is b for a, b in zip(joined._leaves, model._leaves, strict=True))
    gradient = jax.grad(lambda part: quiet(ptm.combine(part, rest), jnp.ones((2, 3))))(trained)
    np.testing.assert_array_equal(gradient.head.weight, ptm.grad(quiet)(model, jnp.ones((2, 3))).head.weight)


def test_a_written_buffer_comes_back_through_jit_and_grad(model):
    x = jnp.full((4, 3), 2.0)

    @jax.jit
    @functools.partial(ptm.value_and_grad, has_aux=True)
    def loss(model, x):
        y, model = ptm.call(model, x)
        return (y**2).mean(), model

    (_, new), gradient = loss(model, x)
    assert int(new.norm.count) == 1 and int(model.norm.count) == 0
    assert not np.array_equal(new.norm.mean, model.norm.mean)
    assert gradient.norm.mean is None and gradient.norm.scale is not None
    with pytest.raises(AttributeError, match=r"'norm.mean'.*y, model = ptm.call\(model, x\)"):
        model(x)


# -- transforms


def test_an_ensemble_is_vmap_over_keys(key):
    keys = jax.random.split(key, 3)
    many = jax.vmap(lambda key: ptm.init(MLP, key=key))(keys)
    one = ptm.init(MLP, key=keys[1])
    assert many.layers[0].weight.shape == (3, 3, 3)
    np.testing.assert_allclose(many.layers[0].weight[1], one.layers[0].weight, rtol=1e-6)
    outputs = jax.vmap(lambda model, x: model.eval()(x), in_axes=(0, None))(many, jnp.ones((4, 3)))
    np.testing.assert_allclose(outputs[1], one.eval()(jnp.ones((4, 3))), rtol=1e-5)


def test_in_axes_may_be_a_model_of_axes(key):
    many = jax.vmap(lambda key: ptm.init(Affine, 3, 2, key=key))(jax.random.split(key, 4))
    shared = many.at["bias"].apply(lambda bias: bias[0])
    axes = jax.tree.unflatten(jax.tree.structure(shared), [0, None])  # weight, bias
    outputs = jax.vmap(lambda model: model(jnp.ones((3,))), in_axes=(axes,))(shared)
    assert outputs.shape == (4, 2)


def test_eval_shape_of_init(key, model):
    shapes = jax.eval_shape(functools.partial(ptm.init, MLP, 3), key=key)
    assert type(shapes) is MLP and jax.tree.structure(shapes) == jax.tree.structure(model)
    assert isinstance(shapes.head.weight, jax.ShapeDtypeStruct)
    assert jax.tree.map(lambda x: x.shape, shapes).head.weight == model.head.weight.shape


def test_scan_over_stacked_blocks_equals_the_loop(key):
    keys = jax.random.split(key, 4)
    blocks = jax.vmap(lambda key: ptm.init(Affine, 3, 3, key=key))(keys)
    x = jnp.ones((2, 3))
    scanned, _ = jax.lax.scan(lambda x, block: (jnp.tanh(block(x)), None), x, blocks)
    for k in keys:
        x = jnp.tanh(ptm.init(Affine, 3, 3, key=k)(x))
    np.testing.assert_allclose(scanned, x, rtol=1e-5)


def test_stacked_blocks_may_be_built_in_a_constructor(key):
    class Deep(nn.Module):
        def __init__(self):
            super().__init__()
            keys = jax.random.split(key, 4)
            self.blocks = jax.vmap(lambda key: Affine(3, 3, key=key))(keys)

        def forward(self, x):
            return jax.lax.scan(lambda x, block: (block(x), None), x, self.blocks)[0]

    model = Deep()
    assert model.blocks.weight.shape == (4, 3, 3) and model(jnp.ones((2, 3))).shape == (2, 3)
    assert [name for name, _ in model.named_parameters()] == ["blocks.weight", "blocks.bias"]


# -- copies and files


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_are_equal_and_share_compiled_code(model, again):
    other = again(model.freeze("head").eval())
    assert jax.tree.structure(other) == jax.tree.structure(model.freeze("head").eval())
    jax.tree.map(np.testing.assert_array_equal, other, model.freeze("head").eval())
    assert str(other) == str(model)


def test_orbax_round_trip(tied, tmp_path):
    checkpoint = pytest.importorskip("orbax.checkpoint")
    with checkpoint.StandardCheckpointer() as files:
        files.save(tmp_path / "model", tied)
        files.wait_until_finished()
        loaded = files.restore(tmp_path / "model", jax.tree.map(jnp.zeros_like, tied))
    assert is_tied(loaded)
    np.testing.assert_array_equal(loaded.embed.weight, tied.embed.weight)


# -- tracing


def test_the_second_call_does_not_trace_again(key):
    traced = 0

    @jax.jit
    def step(model, x):
        nonlocal traced
        traced += 1
        _, model = ptm.call(model, x)
        gradient = ptm.grad(quiet)(model, x)
        return ptm.apply_updates(model, jax.tree.map(lambda g: -0.1 * g, gradient))

    x = jnp.ones((4, 3), "float32")
    model = ptm.init(MLP, key=key)
    for _ in range(3):
        model = step(model, x)
    step(ptm.init(MLP, key=jax.random.key(5)), x)
    step(pickle.loads(pickle.dumps(model)), x)
    assert traced == 1
    step(model.eval(), x)  # the mode is static
    assert traced == 2


@pytest.mark.parametrize("make", [jax.random.key, jax.random.PRNGKey])
def test_typed_and_legacy_keys_work_and_mean_the_same(make):
    key = make(3)
    here = ptm.init(MLP, key=key)
    with ptm.rng(key):
        there = MLP()
    by_argument = MLP(key=key)
    typed = ptm.init(MLP, key=jax.random.key(3))
    for other in (there, by_argument, typed):
        jax.tree.map(np.testing.assert_array_equal, here, other)


def test_a_key_may_be_a_leaf(key):
    class Keyed(nn.Module):
        def __init__(self):
            super().__init__()
            self.key = nn.Buffer(key)

    assert jax.jit(lambda m: jax.random.split(m.key)[0])(Keyed()).shape == ()


def test_no_tracer_leaks(key):
    with jax.checking_leaks():
        model = jax.jit(lambda key: ptm.init(MLP, key=key))(key)
        jax.vmap(lambda key: ptm.init(Tied, key=key))(jax.random.split(key, 2))
        jax.eval_shape(functools.partial(ptm.init, MLP, 3), key=key)

        @jax.jit
        def step(model, x, key):
            _, model = ptm.call(model, x, key=key)
            gradient = ptm.grad(quiet)(model, x)
            return ptm.apply_updates(model, gradient)

        step(model, jnp.ones((4, 3)), key)


def test_without_randomness_construction_names_both_remedies():
    with pytest.raises(RuntimeError, match=r"ptm\.init\(.*key=key\)"):
        MLP()
