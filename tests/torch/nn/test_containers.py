"""Live containers against PyTorch's: text, order, names, refusals."""

from collections import OrderedDict

import numpy as np
import pytest

import pytreemod.torch as ptt


def lin(t):
    return t.nn.Linear(2, 3)


def seq(t, n=3):
    return t.nn.Sequential(*(lin(t) if k % 2 == 0 else t.nn.Dropout(0.5) for k in range(n)))


def parameter(t):
    return t.nn.Parameter(t.ones(2, 3))


def changed(t):
    s = seq(t)
    s[1] = t.nn.Identity()
    s += t.nn.Sequential(t.nn.Dropout())
    del s[0]
    return s, list(s.state_dict())


def dictionary(t):
    d = t.nn.ParameterDict({"a": parameter(t)})
    d["b"] = t.ones(2, 3)
    d.update({"c": parameter(t)})
    e = d.copy()
    e.setdefault("z", parameter(t))
    d |= e
    return d, d.popitem()[0], d.get("q"), list(reversed(d)), list(d | e), d.fromkeys(["x"], 3), list(d.state_dict())


def module_dict(t):
    d = t.nn.ModuleDict([["a", lin(t)], ("b", t.nn.Dropout())])
    d["c"] = lin(t)
    gone = d.pop("a")
    return d, gone, list(d), len(d), "a" in d, "c" in d, [type(v).__name__ for v in d.values()]


@pytest.mark.parametrize(
    "act",
    [
        lambda t: seq(t),
        lambda t: t.nn.Sequential(OrderedDict(first=lin(t), second=t.nn.Dropout())),
        lambda t: t.nn.Sequential(OrderedDict(a=lin(t))) + t.nn.Sequential(lin(t)),
        lambda t: seq(t, 2) * 2,
        lambda t: 2 * seq(t, 1),
        lambda t: seq(t)[1:],
        lambda t: seq(t)[-1],
        lambda t: seq(t)[3],
        lambda t: seq(t).append(lin(t)).insert(0, t.nn.Dropout()).extend([lin(t)]),
        lambda t: seq(t).insert(9, lin(t)),
        lambda t: seq(t).pop(0),
        lambda t: t.nn.Sequential(3),
        lambda t: t.nn.Sequential(),
        changed,
        lambda t: t.nn.ModuleList([lin(t) for _ in range(3)]),
        lambda t: t.nn.ModuleList([lin(t), t.nn.Dropout(), lin(t)])[1:],
        lambda t: t.nn.ModuleList([lin(t)]) + [t.nn.Dropout()],
        lambda t: t.nn.ModuleList([lin(t)]).extend(3),
        lambda t: t.nn.ModuleList([lin(t)])(3),
        module_dict,
        lambda t: t.nn.ModuleDict({"a": lin(t)}).pop("b"),
        lambda t: t.nn.ModuleDict(3),
        lambda t: t.nn.ModuleDict({"a.b": lin(t)}),
        lambda t: t.nn.ModuleDict({3: lin(t)}),
        lambda t: t.nn.ModuleDict({"a": 3}),
        lambda t: t.nn.ParameterList([parameter(t), t.ones(2), 3, "text"]),
        lambda t: [n for n, _ in t.nn.ParameterList([parameter(t), t.ones(2)]).named_parameters()],
        lambda t: t.nn.ParameterList([parameter(t), parameter(t)])[1:],
        lambda t: t.nn.ParameterList([parameter(t)])[7],
        lambda t: t.nn.ParameterList([parameter(t)])(1),
        lambda t: t.nn.ParameterDict({"b": parameter(t), "a": 3}),
        lambda t: t.nn.ParameterDict()(1),
    ],
)
def test_containers_are_pytorchs(same, act):
    same(act)


def test_a_dict_of_parameters_has_the_methods_of_a_dict():
    found, last, missing, backwards, joined, keys, names = dictionary(ptt)
    assert last == "z" and missing is None and backwards == ["c", "b", "a"] and joined == ["a", "b", "c", "z"]
    assert list(keys.values()) == [3] and names == ["a", "b", "c"]
    with pytest.raises(TypeError, match="cannot be used as a key as it is not a string"):
        found[3] = ptt.ones(1)
    with pytest.raises(KeyError):
        ptt.nn.ParameterDict().popitem()


def test_a_tensor_in_a_parameter_list_shares_its_storage():
    w = ptt.zeros(2)
    held = ptt.nn.ParameterList([w])
    w.fill_(3.0)
    np.testing.assert_array_equal(held[0].detach().numpy(), [3.0, 3.0])


def test_sequential_runs_and_trains():
    s = ptt.nn.Sequential(ptt.nn.Linear(2, 3), ptt.nn.Linear(3, 1))
    s(ptt.ones(4, 2)).sum().backward()
    assert s[0].weight.grad.shape == (3, 2) and s[1].bias.grad.tolist() == [4.0]


@pytest.mark.parametrize("count, kind, text", [(0, ValueError, "Non-positive"), (1.5, TypeError, "unsupported")])
def test_a_bad_factor(count, kind, text):
    with pytest.raises(kind, match=text):
        seq(ptt) * count
