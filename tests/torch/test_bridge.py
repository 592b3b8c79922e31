"""stateful and functional: there and back changes nothing, and each side stays itself."""

import copy
import pickle
import types
from collections import namedtuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import pytreemod as ptm
import pytreemod.torch as ptt
from pytreemod import nn
from pytreemod.rng import HostStream
from pytreemod.torch.bridge import functional, functional_class, live_class, stateful

Pair = namedtuple("Pair", "left right")


class Net(nn.Module):
    """A class written for arrays: containers, ties, buffers, settings, a method as an attribute."""

    def __init__(self, width=3):
        super().__init__()
        self.layers = [nn.Linear(2, width), nn.Linear(width, width)]
        self.norm = nn.BatchNorm1d(width)
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(width, width)
        self.head.weight = self.layers[1].weight
        self.same = self.head
        self.pair = Pair(jnp.ones(width), {"a": nn.Parameter(jnp.ones(width)), "n": 3})
        self.scale = nn.Parameter(jnp.full((width,), 2.0))
        self.register_buffer("seen", jnp.zeros((), jnp.int32))
        self.register_buffer("hidden", jnp.ones(2), persistent=False)
        self.register_parameter("nothing", None)
        self.sizes = [1, 2, {"deep": (3,)}]
        self.act = self._act

    def _act(self, x):
        return jnp.tanh(x)

    def forward(self, x, power=2):
        for layer in self.layers:
            x = self.act(layer(x))
        self.seen = self.seen + x.shape[0]
        x = self.drop(self.norm(x)) * self.scale * self.pair.right["a"] + self.pair.left
        return x.std() + (self.head(x) ** power).mean()  # std: of all elements, as in NumPy

    def width(self):
        return len(self.scale)

    def size(self):
        return jnp.sum(self.scale**2)

    def encode(self, x, *, twice=False):
        return {"x": self.layers[0](x) * (2 if twice else 1), "name": "code"}


class Live(ptt.nn.Module):
    """A class written for tensors."""

    def __init__(self):
        super().__init__()
        self.fc = ptt.nn.Linear(2, 3)
        self.norm = ptt.nn.BatchNorm1d(3)
        self.drop = ptt.nn.Dropout(0.5)
        self.parts = ptt.nn.ModuleDict({"a": ptt.nn.Linear(3, 1)})
        self.power = 2
        self.register_buffer("steps", ptt.tensor(0))
        self.fc.bias.requires_grad_(False)

    def forward(self, x, extra=None):
        self.steps += 1
        x = self.drop(self.norm(self.fc(x)).relu())
        x = self.parts["a"](x).pow(self.power).view(-1)
        return {"out": x.std(), "rows": x} if extra else x.std()


def model(**kwargs):
    return ptm.init(Net, **kwargs, key=jax.random.key(0))


def batch(seed=0, rows=4):
    return np.random.RandomState(seed).randn(rows, 2).astype(np.float32)


def same_leaves(a, b):
    assert a._structure is b._structure
    for x, y in zip(a._leaves, b._leaves, strict=True):
        assert x.dtype == y.dtype
        np.testing.assert_array_equal(x, y)


# ---- there and back

LAYERS = [
    lambda: nn.Linear(2, 3),
    lambda: nn.BatchNorm1d(2),
    lambda: nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True), nn.Dropout(0.1)),
    lambda: nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ModuleList([nn.GELU(approximate="tanh")])}),
    lambda: nn.ParameterList([jnp.ones(2), nn.Parameter(jnp.arange(3), requires_grad=False)]),
    lambda: nn.ParameterDict({"w": jnp.ones(2)}),
    lambda: nn.LSTM(2, 2, num_layers=2),
    lambda: nn.TransformerEncoder(nn.TransformerEncoderLayer(4, 2, 4), 2),
    lambda: nn.Conv2d(2, 2, 3, padding="same"),
    lambda: nn.Embedding(3, 2, padding_idx=0),
    lambda: Net(2),
]


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.sampled_from(LAYERS), min_size=1, max_size=3),
    st.booleans(),
    st.sampled_from([(), ("*",), ("*weight",)]),
    st.booleans(),
)
def test_there_and_back_changes_nothing(makers, training, frozen, tie):
    with ptm.rng(HostStream(0)):
        made = [make() for make in makers]
        whole = nn.Sequential(*made, *([made[0]] if tie else []))
    whole = whole.train(training)
    if frozen and list(whole.parameters()):
        names = [name for name, _ in whole.named_parameters()]
        whole = whole.freeze(*names) if frozen == ("*",) else whole.freeze(*names[:1])
    net = stateful(whole)
    same_leaves(functional(net), whole)
    again = stateful(functional(net))
    assert repr(again) == repr(net) and type(again) is type(net)
    assert list(again.state_dict()) == list(net.state_dict())
    assert {k for k, _ in whole.named_parameters()} == {k for k, _ in net.named_parameters()}
    assert [m.training for m in net.modules()] == [m.training for m in again.modules()]


def test_what_is_in_the_twin():
    m = model().freeze("norm.*").eval()
    net = stateful(m)
    assert type(net).__name__ == "Net" and isinstance(net, ptt.nn.Module) and isinstance(net.head, ptt.nn.Linear)
    assert net.head.weight is net.layers[1].weight and net.same is net.head and not net.training
    assert isinstance(net.layers[0], ptt.nn.Linear) and isinstance(net.pair, Pair) and net.pair.right["n"] == 3
    assert net.sizes == [1, 2, {"deep": (3,)}] and type(net.sizes) is list and net.nothing is None
    assert not net.norm.weight.requires_grad and net.scale.requires_grad and net.scale.is_leaf
    assert isinstance(net.act, types.MethodType) and net.act.__self__ is net
    assert set(net.state_dict()) == set(m.state_dict()) and "hidden" in dict(net.named_buffers())
    assert net.get_submodule("layers.1") is net.layers[1]
    assert net.get_parameter("pair.right.a") is net.pair.right["a"]
    assert net.load_state_dict(net.state_dict()).missing_keys == []


def test_layers_made_live_have_the_structure_of_layers_made_functional():
    ptt.manual_seed(0)
    live = ptt.nn.Sequential(ptt.nn.Linear(2, 3), ptt.nn.BatchNorm1d(3), ptt.nn.MultiheadAttention(3, 1))
    with ptm.rng(HostStream(0)):
        made = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.MultiheadAttention(3, 1))
    same_leaves(functional(live), made)


def test_the_original_never_changes_and_a_snapshot_does_not_either():
    m = model()
    before = [np.array(x) for x in m._leaves]
    net = stateful(m)
    optimizer = ptt.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    snapshots = []
    for k in range(3):
        optimizer.zero_grad()
        net(ptt.tensor(batch(k))).backward()
        optimizer.step()
        kept = functional(net)
        snapshots.append((kept, [np.array(x) for x in kept._leaves]))
    for x, y in zip(m._leaves, before, strict=True):
        np.testing.assert_array_equal(x, y)
    for kept, values in snapshots:
        for x, y in zip(kept._leaves, values, strict=True):
            np.testing.assert_array_equal(x, y)
    assert not np.array_equal(snapshots[0][0].scale, snapshots[2][0].scale)
    assert snapshots[2][0].norm.num_batches_tracked == 3 and snapshots[2][0].seen == 12


# ---- a class written for arrays, live


def test_a_step_is_the_functional_step():
    m, x = model(), batch()
    ptt.manual_seed(1)
    net = stateful(m)
    optimizer = ptt.optim.SGD(net.parameters(), lr=0.1)
    loss = net(ptt.tensor(x))
    loss.backward()
    optimizer.step()

    def f(m):
        out, after = ptm.call(m, jnp.asarray(x), key=HostStream(1))
        return out, after

    (value, after), grads = ptm.value_and_grad(f, has_aux=True)(m)
    updates, _ = optax.sgd(0.1).update(grads, optax.sgd(0.1).init(ptm.trainable(m)))
    after = ptm.apply_updates(after, updates)
    np.testing.assert_allclose(loss.item(), value, rtol=1e-5)
    now = functional(net)
    assert now._structure is after._structure
    for name, a, b in zip(now._structure.names(), now._leaves, after._leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6, err_msg=name)


def test_a_call_is_one_instruction_and_compiles_once():
    net = stateful(model().eval())
    out = net(ptt.tensor(batch()))
    assert type(out.grad_fn).__name__ == "LiftBackward0" and out.requires_grad and out.shape == ()
    seen = []

    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(jnp.ones(2))

        def forward(self, x):
            seen.append(1)
            return jnp.sum(x @ self.w)

    twin = stateful(ptm.init(Counted, key=jax.random.key(0)))
    for _ in range(4):
        twin(ptt.tensor(batch())).backward()
    assert len(seen) == 1
    twin(ptt.tensor(batch(rows=5)))
    assert len(seen) == 2


def test_a_change_of_the_twin_is_seen_by_the_next_call():
    net, x = stateful(model().eval()), ptt.tensor(batch())
    first = net(x).item()
    with ptt.no_grad():
        net.scale.mul_(2.0)
    second = net(x).item()
    net.layers[0].bias = None
    third = net(x).item()
    net.pair.right["a"].data = ptt.full((3,), 0.5)
    fourth = net(x).item()
    assert len({first, second, third, fourth}) == 4
    torn = net.train()(x).item()
    assert torn != fourth and net.norm.num_batches_tracked.item() == 1


def test_other_methods():
    net, x = stateful(model()), ptt.tensor(batch())
    assert net.width() == 3
    size = net.size()
    size.backward()
    np.testing.assert_array_equal(net.scale.grad.numpy(), [4.0] * 3)
    code = net.encode(x, twice=True)
    assert code["name"] == "code" and code["x"].requires_grad


def test_a_shape_error_is_raised_at_the_call():
    net = stateful(model())
    with pytest.raises(ValueError, match=r"expected x of shape \(\.\.\., 2\), got \(4, 5\)"):
        net(ptt.ones(4, 5))
    assert net.norm.num_batches_tracked.item() == 0


class Chain(nn.Module):
    """A class whose body runs on tensors too."""

    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 3)
        self.b = nn.BatchNorm1d(3)

    def forward(self, x):
        self.b(self.a(x))
        return (self.b(self.a(x)) ** 2).sum()


def test_hooks_below_are_called():
    m, x = ptm.init(Chain, key=jax.random.key(0)), ptt.tensor(batch())
    quiet, net, seen = stateful(m), stateful(m), []
    handle = net.a.register_forward_hook(lambda module, args, out: seen.append(out.shape))
    np.testing.assert_allclose(net(x).item(), quiet(x).item(), rtol=1e-5)
    assert seen == [(4, 3), (4, 3)]
    handle.remove()
    net(x), quiet(x)
    assert len(seen) == 2
    for a, b in zip(functional(net)._leaves, functional(quiet)._leaves, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-5)


def test_a_twin_can_be_made_from_its_class():
    ptt.manual_seed(0)
    net = live_class(Net)(width=2)
    with ptm.rng(HostStream(0)):
        same_leaves(functional(net), Net(width=2))
    with pytest.raises(TypeError, match="cannot extend the live twin of Net"):
        type("More", (live_class(Net),), {})()


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))])
def test_copies_of_a_twin(duplicate):
    net = stateful(model().eval())
    other = duplicate(net)
    assert type(other) is type(net) and other.head.weight is other.layers[1].weight is not net.head.weight
    same_leaves(functional(other), functional(net))
    assert other(ptt.tensor(batch())).item() == net(ptt.tensor(batch())).item()


# ---- a class written for tensors, functional


def test_the_immutable_form_of_a_live_class_works_under_jax():
    ptt.manual_seed(0)
    net = Live()
    m = functional(net)
    assert type(m).__name__ == "Live" and type(m) is functional_class(Live) and live_class(type(m)) is Live
    assert not {n for n, _ in m.named_parameters()} - {n for n, _ in net.named_parameters()}
    x = batch()
    out, after = jax.jit(lambda m, x, k: ptm.call(m, x, key=k))(m, x, jax.random.key(0))
    assert after.steps == 1 and after.norm.num_batches_tracked == 1 and after._structure is m._structure
    assert [a.dtype for a in after._leaves] == [a.dtype for a in m._leaves]

    quiet, quiet_net = m.eval(), net.eval()
    stepped = ptm.call(quiet, x)[0]
    np.testing.assert_allclose(stepped, quiet_net(ptt.tensor(x)).item(), rtol=1e-5)
    gradient = ptm.grad(lambda m: ptm.call(m, x)[0])(quiet)
    quiet_net(ptt.tensor(x)).backward()
    assert gradient.fc.bias is None
    for (name, a), (_, p) in zip(
        [(n, g) for n, g in gradient.named_parameters() if g is not None],
        [(n, p) for n, p in net.named_parameters() if p.requires_grad],
        strict=True,
    ):
        np.testing.assert_allclose(a, p.grad.numpy(), rtol=1e-4, atol=1e-6, err_msg=name)
    rows = jax.vmap(lambda x: ptm.call(quiet, x, extra=True)[0]["rows"])(np.stack([x, x]))
    assert rows.shape == (2, 4)


def test_there_and_back_from_a_live_class():
    m = functional(Live())
    net = stateful(m)
    assert type(net) is Live and not net.fc.bias.requires_grad
    same_leaves(functional(net), m)
    same_leaves(pickle.loads(pickle.dumps(m)), m)


def test_a_live_class_needs_ptm_call_and_a_key():
    m = functional(Live())
    with pytest.raises(RuntimeError, match=r"ptm.call\(model, x, key=key\)"):
        ptm.call(m, batch())
    with pytest.raises(AttributeError, match="cannot write buffer 'steps'"):
        m.eval()(batch())


def test_a_plain_list_of_live_modules_becomes_children():
    net = ptt.nn.Module()
    net.blocks = [ptt.nn.Linear(1, 1), {"w": ptt.nn.Parameter(ptt.ones(1))}]
    net.free = ptt.zeros(2)
    m = functional(net)
    assert set(m.state_dict()) == {"blocks.0.weight", "blocks.0.bias", "blocks.1.w"}
    assert [n for n, _ in m.named_buffers()] == ["free"]


# ---- refusals


def test_what_cannot_cross():
    with pytest.raises(TypeError, match="stateful: expected a module of pytreemod.nn, got Linear"):
        stateful(ptt.nn.Linear(1, 1))
    with pytest.raises(TypeError, match="functional: expected a module of pytreemod.torch.nn, got int"):
        functional(3)
    with pytest.raises(TypeError, match="expected an array of numbers at 'Linear.weight'"):
        stateful(jax.eval_shape(lambda: ptm.init(nn.Linear, 1, 1, key=jax.random.key(0))))
    loop = ptt.nn.Module()
    loop.me = [loop]
    with pytest.raises(ValueError, match=r"'Module.me.0' contains itself"):
        functional(loop)
    held = ptt.nn.Module()
    held.table = np.ones(3)
    with pytest.raises(TypeError, match="table"):
        functional(held)
    with pytest.raises(TypeError, match="live_class: expected a subclass"):
        live_class(int)
