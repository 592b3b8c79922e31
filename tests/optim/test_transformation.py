"""Rules as optax transformations: traced numbers, schedules, any tree, derivatives, one compilation."""

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
import torch

import pytreemod as ptm
from pytreemod import optim

PARAMS = {
    "fc": {"weight": jnp.asarray([[1.0, -2.0]], "float32"), "bias": None},
    "scale": jnp.asarray(0.5, "float32"),
}
GRADS = {
    "fc": {"weight": jnp.asarray([[0.3, 0.4]], "float32"), "bias": None},
    "scale": jnp.asarray(-1.0, "float32"),
}


def aval(tree):
    return [(x.shape, x.dtype, x.weak_type) for x in jax.tree.leaves(tree)]


@pytest.mark.parametrize("name", sorted(optim.RULES.keys() - {"muon"}))
def test_state_keeps_its_structure_and_types(name):
    rule = getattr(optim, name)()
    state = rule.init(PARAMS)
    updates, after = rule.update(GRADS, state, PARAMS)
    assert jax.tree.structure(updates) == jax.tree.structure(PARAMS)
    assert aval(after) == aval(state)
    assert aval(updates) == aval(GRADS)


@pytest.mark.parametrize("name", sorted(optim.RULES.keys() - {"muon"}))
def test_state_of_a_weakly_typed_parameter_is_strongly_typed(name):
    """Or the second step would be compiled again."""
    weak = {"w": jnp.asarray(1.0)}
    assert jax.tree.leaves(weak)[0].weak_type
    assert not any(weakly for _, _, weakly in aval(getattr(optim, name)().init(weak)))


@pytest.mark.parametrize("x64", [False, True])
@pytest.mark.parametrize("name", sorted(optim.RULES.keys() - {"muon"}))
def test_traced_numbers_of_one_compiled_program(name, x64):
    """Every number is an argument; changing it does not compile again; values are those of python numbers."""
    rule = optim.RULES[name]
    traces = []

    @jax.jit
    def step(numbers, grads, state, params):
        traces.append(1)
        return getattr(optim, name)(**numbers).update(grads, state, params)

    def run(numbers, update):
        dtype = "float64" if x64 else "float32"
        traced = jax.tree.map(lambda x: jnp.asarray(x, dtype), numbers)
        state, params = getattr(optim, name)(**traced).init(PARAMS), PARAMS
        for grads in (GRADS, jax.tree.map(lambda g: -0.7 * g, GRADS), GRADS):
            updates, state = update(traced, grads, state, params)
            params = optax.apply_updates(params, updates)
        return params

    numbers, _ = rule.split({})
    changed = {**numbers, "lr": 0.03, **({"weight_decay": 0.2} if "weight_decay" in numbers else {})}
    if "momentum" in numbers:
        changed["momentum"] = 0.6
    with jax.enable_x64(x64):
        for values in (numbers, changed):
            params = run(values, step)
            plain, other = getattr(optim, name)(**values), PARAMS
            state = plain.init(other)
            for grads in (GRADS, jax.tree.map(lambda g: -0.7 * g, GRADS), GRADS):
                updates, state = plain.update(grads, state, other)
                other = optax.apply_updates(other, updates)
            # float32 cannot hold beta2 = 0.999 better than to 1e-8, of which 1 - beta2 is 1e-5
            jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6 if x64 else 5e-6), params, other)
    assert len(traces) == 1


@pytest.mark.parametrize("name", sorted(optim.RULES.keys() - {"muon"}))
def test_float32_programs_hold_no_float64(name):
    with jax.enable_x64(True):
        rule = getattr(optim, name)()
        state = rule.init(PARAMS)
        program = str(jax.make_jaxpr(rule.update)(GRADS, state, PARAMS))
        numbers = {"lr": jnp.asarray(0.1, "float32")}
        traced = jax.make_jaxpr(lambda n, *a: getattr(optim, name)(**n).update(*a))
        assert "f64" not in program
        assert "f64" not in str(traced(numbers, GRADS, state, PARAMS))


def test_a_missing_gradient_leaves_its_slots_alone():
    rule = optim.adam()
    state = rule.init(PARAMS)
    updates, after = rule.update({**GRADS, "scale": None}, state, PARAMS)
    assert updates["scale"] is None
    assert float(after.slots["exp_avg"]["scale"]) == 0.0
    assert float(after.slots["exp_avg"]["fc"]["weight"][0, 0]) != 0.0


def test_a_schedule_is_the_learning_rate_of_its_step():
    rule = optim.sgd(optax.linear_schedule(1.0, 0.0, 4), momentum=0.5)
    params, state = {"w": jnp.asarray([1.0])}, None
    state = rule.init(params)
    other = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([other], lr=1.0, momentum=0.5)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda epoch: max(0.0, 1 - epoch / 4))
    for _ in range(6):
        updates, state = rule.update({"w": jnp.asarray([0.1])}, state, params)
        params = optax.apply_updates(params, updates)
        other.grad = torch.tensor([0.1])
        optimizer.step()
        schedule.step()
        np.testing.assert_allclose(params["w"], other.detach().numpy(), rtol=1e-6)


def test_parts_of_optax_fit():
    rule = optax.chain(optax.clip_by_global_norm(0.5), optim.adamw(0.1))
    state = rule.init(PARAMS)
    updates, _ = jax.jit(rule.update)(GRADS, state, PARAMS)
    scale = 0.5 / float(np.sqrt(0.3**2 + 0.4**2 + 1.0))
    clipped = jax.tree.map(lambda g: g * scale, GRADS)
    alone, _ = optim.adamw(0.1).update(clipped, optim.adamw(0.1).init(PARAMS), PARAMS)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-6), updates, alone)

    injected = optax.inject_hyperparams(optim.sgd)(lr=0.1, momentum=0.9)
    state = injected.init(PARAMS)
    state.hyperparams["lr"] = jnp.asarray(1.0)
    updates, _ = injected.update(GRADS, state, PARAMS)
    np.testing.assert_allclose(updates["scale"], 1.0, rtol=1e-6)

    ones = optax.tree_map_params(optim.adam(), jnp.ones_like, optim.adam().init(PARAMS))
    assert float(ones.slots["exp_avg"]["scale"]) == 1.0
    assert float(ones.clock["step"]) == 0.0


def test_sgd_without_decay_needs_no_parameters():
    updates, _ = optim.sgd(0.1).update(GRADS, optim.sgd(0.1).init(PARAMS))
    np.testing.assert_allclose(updates["scale"], 0.1, rtol=1e-6)


def test_updates_are_not_rounded_by_the_parameter():
    params, grads = {"w": jnp.asarray(1000.0)}, {"w": jnp.asarray(1e-7)}
    updates, _ = optim.sgd(0.1).update(grads, optim.sgd(0.1).init(params), params)
    np.testing.assert_allclose(updates["w"], -1e-8, rtol=1e-6)


def test_momentum_turned_on_later_equals_torch():
    rule = optim.SGD
    other = torch.nn.Parameter(torch.tensor([1.0]))
    optimizer = torch.optim.SGD([other], lr=0.1, dampening=0.5)
    param = jnp.asarray([1.0])
    numbers, static = rule.split({"lr": 0.1, "dampening": 0.5})
    state = rule.init_leaf(param, numbers, static)
    for step in range(6):
        if step == 3:
            numbers["momentum"] = optimizer.param_groups[0]["momentum"] = 0.9
            state = rule.complete_leaf(state, param, numbers, static)
        other.grad = torch.tensor([0.3 + step])
        optimizer.step()
        param, state = rule.step_leaf(jnp.asarray([0.3 + step]), param, state, numbers, static)
        np.testing.assert_allclose(param, other.detach().numpy(), rtol=1e-6)


class Two(ptm.nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = ptm.nn.Linear(3, 4), ptm.nn.Linear(4, 1)
        self.norm = ptm.nn.BatchNorm1d(4)  # with buffers, which no gradient reaches


def labels_of(params):
    """Which transformation each parameter of a sealed module gets, by its path."""
    return jax.tree.map_with_path(lambda path, _: "bias" if "bias" in jax.tree_util.keystr(path) else "weight", params)


def weights_only(params):
    return jax.tree.map(lambda label: label == "weight", labels_of(params))


WRAPPED = {
    "chain": lambda rule: optax.chain(optax.clip_by_global_norm(0.1), rule, optax.scale(0.5)),
    "by path": lambda rule: optax.multi_transform({"weight": rule, "bias": optax.set_to_zero()}, labels_of),
    "masked": lambda rule: optax.masked(rule, weights_only),
    "injected": lambda rule: optax.inject_hyperparams(lambda scale: optax.chain(rule, optax.scale(scale)))(scale=0.5),
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [*[(name, "by path") for name in sorted(optim.RULES.keys() - {"muon"})], *[("adamw", kind) for kind in WRAPPED]],
)
def test_inside_a_transformation_of_optax_on_a_sealed_module(name, kind):
    """What the wrapped rule does to a module is what it does to a dict of the same arrays, in one program."""
    model = ptm.trainable(ptm.init(Two, key=jax.random.key(0)))
    tx = WRAPPED[kind](getattr(optim, name)())
    plain = dict(model.state_dict())
    states = [tx.init(model), tx.init(plain)]
    step = jax.jit(lambda grads, state, params: tx.update(grads, state, params))
    for k in range(3):
        grads = jax.tree.map(lambda leaf, k=k: jnp.cos(leaf + k), model)
        updates, states[0] = step(grads, states[0], model)
        others, states[1] = step({path: jnp.cos(leaf + k) for path, leaf in plain.items()}, states[1], plain)
        model, plain = ptm.apply_updates(model, updates), optax.apply_updates(plain, others)
        for path, leaf in model.state_dict().items():
            np.testing.assert_allclose(leaf, plain[path], rtol=1e-6, atol=1e-7, err_msg=path)
        if kind == "by path":
            assert all(not u.any() for path, u in updates.state_dict().items() if path.endswith("bias"))
    assert step._cache_size() == 2
