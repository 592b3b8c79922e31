"""state_dict and load_state_dict of live modules: PyTorch's reports, and all or nothing."""

from collections import OrderedDict

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod.torch as ptt


def two(t):
    return t.nn.Sequential(OrderedDict(a=t.nn.Linear(2, 2), b=t.nn.BatchNorm1d(2)))


def values(t, **changes):
    make = t.tensor
    state = {
        "a.weight": make([[1.0, 2.0], [3.0, 4.0]]),
        "a.bias": make([5.0, 6.0]),
        "b.weight": make([1.0, 1.0]),
        "b.bias": make([0.0, 0.0]),
        "b.running_mean": make([7.0, 8.0]),
        "b.running_var": make([1.0, 2.0]),
        "b.num_batches_tracked": make(9),
    }
    for name, value in changes.items():
        name = name.replace("__", ".")
        if value is None:
            del state[name]
        else:
            state[name] = make(value)
    return state


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"a__bias": None},
        {"zzz": [1.0]},
        {"a__zzz": [1.0], "b__bias": None, "a__weight": [1.0]},
        {"a__bias__deep": [1.0]},
        {"b__running_mean": [[1.0]]},
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_reports_are_pytorchs(same, changes, strict):
    same(lambda t: two(t).load_state_dict(values(t, **changes), strict=strict))


@pytest.mark.parametrize("bad", [3, [("a.weight", 1)]])
def test_what_is_no_mapping(same, bad):
    same(lambda t: two(t).load_state_dict(bad))


def test_a_failed_load_leaves_everything_as_it_was():
    m = two(ptt)
    before = {k: v.numpy() for k, v in m.state_dict().items()}
    versions = [p._version for p in m.parameters()]
    cells = [p._cell.value for p in m.parameters()]
    with pytest.raises(RuntimeError, match="size mismatch for b.running_var"):
        m.load_state_dict(values(ptt, b__running_var=[1.0]))
    with pytest.raises(RuntimeError, match="Missing key"):
        m.load_state_dict(values(ptt, b__bias=None), assign=True)
    for name, value in m.state_dict().items():
        np.testing.assert_array_equal(value.numpy(), before[name], err_msg=name)
    assert versions == [p._version for p in m.parameters()]
    assert all(p._cell.value is c for p, c in zip(m.parameters(), cells, strict=True))


def test_a_failed_load_undoes_what_a_users_own_loading_did():
    class Own(ptt.nn.Linear):
        def _load_from_state_dict(self, state, prefix, *args):
            super()._load_from_state_dict(state, prefix, *args)
            with ptt.no_grad():
                self.bias.fill_(3.0)
            raise KeyError("broken")

    m = Own(2, 2)
    before = m.weight.detach().clone().numpy(), m.bias.detach().clone().numpy()
    with pytest.raises(KeyError, match="broken"):
        m.load_state_dict({"weight": np.ones((2, 2)), "bias": np.ones(2)})
    np.testing.assert_array_equal(m.weight.detach().numpy(), before[0])
    np.testing.assert_array_equal(m.bias.detach().numpy(), before[1])


@pytest.mark.parametrize("make", [np.asarray, jnp.asarray, lambda x: torch.tensor(np.asarray(x))])
def test_arrays_of_other_libraries(make):
    m = ptt.nn.Linear(2, 1)
    given = make(np.array([[1.0, 2.0]], np.float32))
    m.load_state_dict({"weight": given, "bias": make(np.array([3.0], np.float32))})
    np.testing.assert_array_equal(m.weight.detach().numpy(), [[1.0, 2.0]])
    assert m.weight.dtype is ptt.float32 and m.weight.requires_grad


def test_a_numpy_checkpoint_is_copied():
    m, given = ptt.nn.Linear(2, 1), np.ones((1, 2), np.float32)
    m.load_state_dict({"weight": given, "bias": np.zeros(1, np.float32)})
    given[:] = 9.0
    np.testing.assert_array_equal(m.weight.detach().numpy(), [[1.0, 1.0]])


def test_bfloat16_of_pytorch():
    m = ptt.nn.Linear(2, 1, dtype=ptt.bfloat16)
    theirs = torch.nn.Linear(2, 1, dtype=torch.bfloat16)
    m.load_state_dict(theirs.state_dict())
    assert m.weight.dtype is ptt.bfloat16
    np.testing.assert_array_equal(m.weight.float().detach().numpy(), theirs.weight.float().detach().numpy())


def test_identity_is_kept_and_assign_replaces():
    m = ptt.nn.Linear(2, 1)
    weight = m.weight
    state = {"weight": ptt.ones(1, 2), "bias": ptt.zeros(1)}
    m.load_state_dict(state)
    assert m.weight is weight
    m.load_state_dict(state, assign=True)
    assert m.weight is not weight and isinstance(m.weight, ptt.nn.Parameter)


def test_assign_keeps_ties():
    m = ptt.nn.Sequential(ptt.nn.Linear(2, 2, bias=False), ptt.nn.Linear(2, 2, bias=False))
    m[1].weight = m[0].weight
    state = {"0.weight": ptt.ones(2, 2), "1.weight": ptt.ones(2, 2)}
    m.load_state_dict(state, assign=True)
    assert m[0].weight is m[1].weight and len(list(m.parameters())) == 1


def test_state_dict_shares_storage_and_keep_vars_shares_objects():
    m = ptt.nn.Linear(2, 1)
    shared, own = m.state_dict(), m.state_dict(keep_vars=True)
    assert own["weight"] is m.weight and not shared["weight"].requires_grad
    with ptt.no_grad():
        m.weight.zero_()
    np.testing.assert_array_equal(shared["weight"].numpy(), [[0.0, 0.0]])


def hooked(t):
    seen = []
    m = two(t)
    m.a.register_state_dict_pre_hook(lambda mod, prefix, keep: seen.append(("pre", prefix, keep)))

    def drop(module, state, prefix, metadata):
        seen.append((prefix, metadata))
        del state[prefix + "b.bias"]

    m.register_state_dict_post_hook(drop)
    return list(m.state_dict()), seen


def test_state_dict_hooks(same):
    same(hooked)


def post_hook(t):
    m = two(t)
    m.register_load_state_dict_post_hook(lambda mod, keys: keys.missing_keys.clear())
    return m.load_state_dict(values(t, a__bias=None))


def pre_hook(t):
    m = two(t)

    def rename(module, state, prefix, *rest):
        state[prefix + "bias"] = state.pop(prefix + "shift")

    m.a.register_load_state_dict_pre_hook(rename)
    given = values(t)
    given["a.shift"] = given.pop("a.bias")
    return m.load_state_dict(given), m.a.bias.tolist()


def extra(t):
    class Extra(t.nn.Module):
        state = 3

        def get_extra_state(self):
            return self.state

        def set_extra_state(self, state):
            self.state = state

    m = Extra()
    saved = m.state_dict()
    m.state = 0
    return list(saved), m.load_state_dict(saved), m.state


@pytest.mark.parametrize("act", [post_hook, pre_hook, extra])
def test_loading_hooks_and_extra_state(same, act):
    same(act)
