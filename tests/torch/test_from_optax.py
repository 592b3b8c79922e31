"""``torch.optim.from_optax``: any transformation of optax as a stateful optimizer, against the plain loop of optax."""

import copy
import io

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

import pytreemod as ptm
import pytreemod.torch as ptt
from pytreemod.torch.tape.compiled import compilations, programs

x = (np.arange(18, dtype=np.float32) % 5 - 2).reshape(6, 3)
y = x.sum(1, keepdims=True)


def net_of(seed=0):
    ptt.manual_seed(seed)
    return ptt.nn.Sequential(ptt.nn.Linear(3, 4), ptt.nn.Tanh(), ptt.nn.Linear(4, 1))


def steps(net, opt, n=1, after=lambda: None):
    for _ in range(n):
        opt.zero_grad()
        ((net(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean().backward()
        opt.step()
        after()


def values(net):
    return {name: np.asarray(p.tolist(), np.float32) for name, p in net.named_parameters()}


def plain_loop(tx, n, before=lambda state, k: None):
    """The parameters after ``n`` steps on the functional face, by path."""
    model = ptm.functional(net_of())
    state = tx.init(ptm.trainable(model))

    @jax.jit
    def step(model, state):
        grads = ptm.grad(lambda model: ((model(x) - y) ** 2).mean())(model)
        updates, state = tx.update(grads, state, ptm.trainable(model))
        return ptm.apply_updates(model, updates), state

    for k in range(n):
        before(state, k)
        model, state = step(model, state)
    return {name: np.asarray(v) for name, v in model.state_dict().items()}


def close(a, b, **tolerance):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], **(tolerance or {"rtol": 1e-6, "atol": 1e-6}), err_msg=name)


SCHEDULE = optax.cosine_decay_schedule(0.1, 10)


def by_path(params):
    return jax.tree.map_with_path(lambda path, _: "bias" if "bias" in jax.tree_util.keystr(path) else "weight", params)


TRANSFORMATIONS = {
    "adam": lambda: optax.adam(0.05),
    "lion": lambda: optax.lion(0.01),
    "adamw with a schedule": lambda: optax.adamw(SCHEDULE, weight_decay=0.1),
    "clipped adam": lambda: optax.chain(optax.clip_by_global_norm(0.1), optax.adam(0.05)),
    "injected": lambda: optax.inject_hyperparams(optax.adam)(learning_rate=0.05, b1=0.8),
    "injected schedule": lambda: optax.inject_hyperparams(optax.adamw)(learning_rate=SCHEDULE),
    "adafactor": lambda: optax.adafactor(0.05, min_dim_size_to_factor=2),
    "by path": lambda: optax.multi_transform({"weight": optax.adam(0.05), "bias": optax.sgd(0.1)}, by_path),
    "masked": lambda: optax.masked(
        optax.sgd(0.1, momentum=0.9), lambda params: jax.tree.map(lambda label: label == "weight", by_path(params))
    ),
    "every second step": lambda: optax.MultiSteps(optax.adam(0.05), 2).gradient_transformation(),
    "our own rule": lambda: optax.chain(optax.clip(0.1), ptm.optim.adamw(0.05)),
    "without state": lambda: optax.scale(-0.1),
    "noise": lambda: optax.chain(optax.add_noise(0.1, 0.5, jax.random.key(3)), optax.sgd(0.1)),
}


@pytest.mark.parametrize("name", [n for n in TRANSFORMATIONS if n != "noise"])
def test_ten_steps_equal_the_plain_loop(name):
    tx = TRANSFORMATIONS[name]()
    net = net_of()
    opt = ptt.optim.from_optax(tx, net.named_parameters())
    assert isinstance(opt, ptt.optim.OptaxOptimizer) and isinstance(opt, ptt.optim.Optimizer)
    steps(net, opt, 10)
    close(values(net), plain_loop(tx, 10))


@pytest.mark.parametrize("name", TRANSFORMATIONS)
def test_twenty_steps_are_one_program(name):
    net = net_of()
    opt = ptt.optim.from_optax(TRANSFORMATIONS[name](), net.named_parameters())
    steps(net, opt)
    before, made = compilations["programs"], list(programs.values())[-1]
    steps(net, opt, 19)
    assert compilations["programs"] == before
    assert made.function._cache_size() == 1


def test_parameters_and_states_are_given_to_the_program():
    net = net_of()
    opt = ptt.optim.from_optax(optax.adam(0.1), net.named_parameters())

    def places():
        tensors = [net[0].weight, net[2].weight, *opt.state[net[0].weight].values(), *opt.state[net[2].weight].values()]
        return {t._cell.value.array.unsafe_buffer_pointer() for t in tensors}

    steps(net, opt, 2)
    before = places()
    steps(net, opt)
    assert places() == before and len(before) == 6


def test_the_state_is_that_of_optax_by_parameter_and_group():
    net = net_of()
    opt = ptt.optim.from_optax(optax.adam(0.1), net.parameters())
    assert not opt.state
    steps(net, opt, 3)
    assert sorted(opt.state[net[0].weight]) == ["0.mu", "0.nu"]
    assert opt.state[net[0].weight]["0.mu"].shape == net[0].weight.shape
    assert opt.state["group 0"]["0.count"].item() == 3
    assert "OptaxOptimizer" in repr(opt)


def test_injected_numbers_stand_in_the_group_and_schedulers_write_them():
    tx = optax.inject_hyperparams(optax.adam)(learning_rate=0.1, b1=0.8)
    net = net_of()
    opt = ptt.optim.from_optax(tx, net.named_parameters())
    group = opt.param_groups[0]
    assert (group["lr"], group["b1"], group["b2"]) == (0.1, 0.8, 0.999)
    schedule = ptt.optim.lr_scheduler.StepLR(opt, 1, gamma=0.9)
    steps(net, opt, 1, schedule.step)
    before = compilations["programs"]
    steps(net, opt, 9, schedule.step)
    assert compilations["programs"] == before

    def before_step(state, k):
        state.hyperparams["learning_rate"] = jnp.asarray(0.1 * 0.9**k, jnp.float32)

    close(values(net), plain_loop(tx, 10, before_step))
    np.testing.assert_allclose(group["lr"], 0.1 * 0.9**10)


def test_a_number_may_be_a_tensor():
    finals = []
    for rate in (0.1, ptt.tensor(0.1)):
        net = net_of()
        opt = ptt.optim.from_optax(
            optax.inject_hyperparams(optax.sgd)(learning_rate=0.5), [{"params": net.named_parameters(), "lr": rate}]
        )
        steps(net, opt, 3)
        finals.append(values(net))
    close(*finals)


def test_a_number_given_twice_keeps_its_path():
    inner = optax.inject_hyperparams(optax.sgd)
    tx = optax.multi_transform({"weight": inner(learning_rate=0.1), "bias": inner(learning_rate=0.2)}, by_path)
    group = ptt.optim.from_optax(tx, net_of().named_parameters()).param_groups[0]
    rates = {name: rate for name, rate in group.items() if name.endswith("learning_rate")}
    assert sorted(rates.values()) == [0.1, 0.2] and all("bias" in n or "weight" in n for n in rates), rates


def test_groups_have_states_and_numbers_of_their_own():
    tx = optax.inject_hyperparams(
        lambda learning_rate: optax.chain(optax.clip_by_global_norm(0.1), optax.sgd(learning_rate))
    )
    net, twin = net_of(), net_of()
    opt = ptt.optim.from_optax(tx(0.1), [{"params": net[0].parameters()}, {"params": net[2].parameters(), "lr": 0.01}])
    assert [g["lr"] for g in opt.param_groups] == [0.1, 0.01]
    pair = [ptt.optim.from_optax(tx(rate), twin[k].parameters()) for k, rate in ((0, 0.1), (2, 0.01))]
    steps(net, opt, 4)
    for _ in range(4):
        twin.zero_grad()
        ((twin(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean().backward()
        for single in pair:
            single.step()
    close(values(net), values(twin))


def test_a_parameter_without_gradient_rests():
    """As a leaf that ``optax.masked`` leaves out: it keeps its value and its state, and is in no norm."""
    net, twin = net_of(), net_of()
    tx = optax.chain(optax.clip_by_global_norm(0.1), optax.adam(0.1))
    opt = ptt.optim.from_optax(tx, net.named_parameters())
    steps(net, opt, 2)
    resting = net[0].weight
    kept, state = resting.tolist(), {k: v.tolist() for k, v in opt.state[resting].items()}
    for k in range(3):
        opt.zero_grad()
        ((net(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean().backward()
        resting.grad = None
        opt.step()
        if k == 0:
            before = compilations["programs"]
    assert compilations["programs"] == before
    assert resting.tolist() == kept and {k: v.tolist() for k, v in opt.state[resting].items()} == state
    assert opt.state["group 0"]["1.0.count"].item() == 5
    steps(net, opt, 2)
    assert resting.tolist() != kept

    frozen = ptt.optim.from_optax(tx, twin.named_parameters())
    twin[0].weight.requires_grad_(False)
    steps(twin, frozen, 2)
    assert not frozen.state.get(twin[0].weight)
    names = ("0.bias", "2.weight", "2.bias")

    def masked(params):
        return {name: name in names for name in params}

    dicts = {k: jnp.asarray(v) for k, v in values(net_of()).items()}
    state = optax.masked(tx, masked).init(dicts)
    for _ in range(2):
        grads = jax.grad(
            lambda p: ((jnp.tanh(x @ p["0.weight"].T + p["0.bias"]) @ p["2.weight"].T + p["2.bias"] - y) ** 2).mean()
        )(dicts)
        updates, state = optax.masked(tx, masked).update(grads, state, dicts)
        dicts = {k: v + updates[k] if k in names else v for k, v in dicts.items()}
    close(values(twin), {k: np.asarray(v) for k, v in dicts.items()})


@pytest.mark.parametrize("saved", [False, True])
def test_a_state_goes_on_where_it_was_saved(saved):
    tx = optax.inject_hyperparams(optax.adamw)(learning_rate=0.1)
    net = net_of()
    opt = ptt.optim.from_optax(tx, net.named_parameters())
    steps(net, opt, 3)
    opt.param_groups[0]["lr"] = 0.05
    state, weights = opt.state_dict(), net.state_dict()
    if saved:
        file = io.BytesIO()
        ptt.save([state, weights], file)
        file.seek(0)
        state, weights = ptt.load(file)
    state, weights = copy.deepcopy(state), copy.deepcopy(weights)
    steps(net, opt, 3)
    other = net_of(1)
    again = ptt.optim.from_optax(tx, other.named_parameters())
    again.load_state_dict(state)
    other.load_state_dict(weights)
    assert again.param_groups[0]["lr"] == 0.05
    assert again.state["group 0"]["inner_state.0.count"].dtype == ptt.int32
    steps(other, again, 3)
    close(values(other), values(net))


def test_closures_and_hooks_and_zero_grad():
    net, twin = net_of(), net_of()
    opt, plain = (ptt.optim.from_optax(optax.adam(0.1), n.named_parameters()) for n in (net, twin))
    seen = []
    opt.register_step_pre_hook(lambda *_: seen.append("before"))
    opt.register_step_post_hook(lambda *_: seen.append("after"))

    def closure():
        opt.zero_grad(set_to_none=False)
        loss = ((net(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean()
        loss.backward()
        return loss

    losses = [opt.step(closure).item() for _ in range(3)]
    steps(twin, plain, 3)
    close(values(net), values(twin))
    assert losses[2] < losses[0] and seen == ["before", "after"] * 3


def test_what_a_transformation_asks_for_besides_is_given_to_step():
    tx = optax.chain(optax.adam(0.1), optax.contrib.reduce_on_plateau(factor=0.5, patience=1))
    net, twin = net_of(), net_of()
    opt, other = (ptt.optim.from_optax(tx, n.named_parameters()) for n in (net, twin))
    for _ in range(4):
        opt.zero_grad()
        loss = ((net(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean() * 0 + 1.0
        (loss + ((net(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean()).backward()
        opt.step(value=loss)
        other.zero_grad()
        ((twin(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean().backward()
        other.step(value=1.0)
    close(values(net), values(twin))
    assert opt.state["group 0"]["1.scale"].item() == other.state["group 0"]["1.scale"].item() < 1

    last = []

    def closure():
        opt.zero_grad()
        last.append(((net(ptt.tensor(x)) - ptt.tensor(y)) ** 2).mean())
        last[-1].backward()
        return last[-1]

    opt.step(closure)  # its loss is the value
    best = opt.state["group 0"]["1.best_value"].item()
    np.testing.assert_allclose(best, min(1.0, last[0].item()), rtol=1e-5)


def test_a_compiled_step():
    tx = optax.inject_hyperparams(optax.adam)(learning_rate=0.1)
    net, twin = net_of(), net_of()
    opt, plain = (ptt.optim.from_optax(tx, n.named_parameters()) for n in (net, twin))

    @ptt.compile
    def step(x, y):
        opt.zero_grad()
        loss = ((net(x) - y) ** 2).mean()
        loss.backward()
        opt.step()
        return loss

    step(ptt.tensor(x), ptt.tensor(y))
    before = compilations["compiled functions"]
    for _ in range(4):
        opt.param_groups[0]["lr"] *= 0.5
        step(ptt.tensor(x), ptt.tensor(y))
    assert compilations["compiled functions"] == before
    steps(twin, plain)
    for _ in range(4):
        plain.param_groups[0]["lr"] *= 0.5
        steps(twin, plain)
    close(values(net), values(twin))
    assert opt.state["group 0"]["count"].item() == 5


def test_double_precision_and_half():
    for dtype in (ptt.float64, ptt.bfloat16):
        net = net_of().to(dtype)
        opt = ptt.optim.from_optax(optax.adam(0.1), net.named_parameters())
        for _ in range(2):
            opt.zero_grad()
            net(ptt.tensor(x).to(dtype)).sum().backward()
            opt.step()
        assert net[0].weight.dtype is dtype and opt.state[net[0].weight]["0.mu"].dtype is dtype


@pytest.mark.parametrize(
    ("tx", "params", "kind", "message"),
    [
        (
            optax.adam,
            None,
            TypeError,
            r"expected an optax.GradientTransformation, got <function adam.*Write optax\.adam\(1e-3\)",
        ),
        (optax.MultiSteps(optax.adam(0.1), 2), None, TypeError, r"gradient_transformation\(\)"),
        (optax.adam(0.1), [], ValueError, "optimizer got an empty parameter list"),
        (optax.adam(0.1), "twice", ValueError, r"from_optax: expected a name for each parameter, got 'w' twice"),
    ],
)
def test_what_cannot_be_made_is_refused(tx, params, kind, message):
    net = net_of()
    if params is None:
        params = net.parameters()
    elif params == "twice":
        params = [("w", net[0].weight), ("w", net[2].weight)]
    with pytest.raises(kind, match=message):
        ptt.optim.from_optax(tx, params)


def test_what_fails_in_a_step_is_named_and_changes_nothing():
    net = net_of()
    opt = ptt.optim.from_optax(optax.contrib.reduce_on_plateau(), net.named_parameters())
    before = values(net)
    with pytest.raises(TypeError, match=r"'value'"):
        steps(net, opt)
    close(values(net), before, rtol=0)
    assert not opt.state

    def grows(updates, state, params=None):
        return updates, {"a": state["a"], "b": jnp.zeros(())}

    opt = ptt.optim.from_optax(
        optax.GradientTransformation(lambda params: {"a": jnp.zeros(())}, grows), net.parameters()
    )
    with pytest.raises(ValueError, match=r"from_optax: expected update to return a state as init makes it"):
        steps(net, opt)
