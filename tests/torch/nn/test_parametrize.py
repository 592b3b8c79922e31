"""Parametrized weights, normalized ones and fused layers, against PyTorch."""

import copy
import pickle

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt


def layer(t, rows=4, columns=3):
    m = t.nn.Linear(columns, rows)
    with t.no_grad():
        m.weight.copy_((t.arange(float(rows * columns)).reshape(rows, columns) ** 2 * 0.37).sin())
        m.bias.copy_(t.arange(float(rows)) / 4)
    return m


def classes(t):
    class Symmetric(t.nn.Module):
        def forward(self, x):
            return x.triu() + x.triu(1).mT

        def right_inverse(self, a):
            return a.triu()

    class Double(t.nn.Module):
        def forward(self, x):
            return 2 * x

    class Split(t.nn.Module):
        def forward(self, a, b):
            return a + b

        def right_inverse(self, x):
            return x / 2, x / 2

    return Symmetric, Double, Split


def trained(t, m, x, steps=2):
    opt = t.optim.SGD(m.parameters(), lr=0.1)
    for _ in range(steps):
        opt.zero_grad()
        (m(x) ** 2).sum().backward()
        opt.step()
    return m(x)


def test_register_read_assign_remove(agree):
    def run(t):
        P, (Symmetric, Double, _) = t.nn.utils.parametrize, classes(t)
        m = layer(t, 3, 3)
        weight = m.weight
        P.register_parametrization(m, "weight", Symmetric())
        seen = [P.is_parametrized(m), P.is_parametrized(m, "bias"), type(m).__name__, isinstance(m, t.nn.Linear)]
        seen += [P.type_before_parametrizations(m) is t.nn.Linear, m.parametrizations.weight.original is weight]
        seen += [repr(m), [n for n, _ in m.named_parameters()], list(m.state_dict())]
        m.weight = t.eye(3) * 4
        seen += [m.weight, weight.detach()]
        P.register_parametrization(m, "bias", Double())
        out = trained(t, m, t.ones(2, 3))
        other = copy.deepcopy(m)
        m.load_state_dict(other.state_dict())
        copied = other(t.ones(1, 3))
        P.remove_parametrizations(m, "bias", leave_parametrized=False)
        P.remove_parametrizations(m, "weight")
        seen += [m.weight is weight, type(m) is t.nn.Linear, list(m.state_dict()), hasattr(m, "parametrizations")]
        return seen, out, m.weight, m.bias, copied

    agree(run)


def test_several_originals_and_several_parametrizations(agree):
    def run(t):
        P, (_, Double, Split) = t.nn.utils.parametrize, classes(t)
        m = layer(t)
        P.register_parametrization(m, "weight", Split())
        P.register_parametrization(m, "weight", Double())
        out = trained(t, m, t.ones(2, 3), 1)
        names = [n for n, _ in m.named_parameters()]
        to = P.transfer_parametrizations_and_params(m, layer(t))
        P.remove_parametrizations(m, "weight")
        return out, names, m.weight, to.weight

    agree(run)


def test_a_copy_is_parametrized_whatever_happens_to_the_first():
    m = ptt.nn.utils.parametrize.register_parametrization(layer(ptt), "weight", classes(ptt)[1]())
    other = copy.deepcopy(m)
    ptt.nn.utils.parametrize.remove_parametrizations(m, "weight")
    np.testing.assert_allclose(other.weight.detach().numpy(), m.weight.detach().numpy())


def test_cached(agree):
    def run(t):
        P = t.nn.utils.parametrize
        calls = []

        class Counted(t.nn.Module):
            def forward(self, x):
                calls.append(1)
                return x + 1

        m = P.register_parametrization(layer(t), "weight", Counted(), unsafe=True)
        with P.cached():
            one, other = m.weight, m.weight
        same, before = one is other, len(calls)
        m(t.ones(1, 3))
        return same, before, len(calls)

    agree(run)


def test_a_buffer(agree):
    def run(t):
        m = t.nn.BatchNorm1d(2)
        t.nn.utils.parametrize.register_parametrization(m, "running_mean", classes(t)[1]())
        return list(m.state_dict()), m.running_mean, m.eval()(t.ones(3, 2))

    agree(run)


def registered(t, which, name="weight"):
    return t.nn.utils.parametrize.register_parametrization(layer(t), name, which)


def wider(t):
    class Wider(t.nn.Module):
        def forward(self, x):
            return x.double()

    return Wider()


REFUSED = {
    "no such tensor": lambda t: registered(t, wider(t), "missing"),
    "another dtype": lambda t: registered(t, wider(t)),
    "nothing to remove": lambda t: t.nn.utils.parametrize.remove_parametrizations(layer(t), "weight"),
    "several originals": lambda t: t.nn.utils.parametrize.remove_parametrizations(
        registered(t, classes(t)[2]()), "weight", leave_parametrized=False
    ),
    "no modules": lambda t: t.nn.utils.parametrize.ParametrizationList([], t.ones(1)),
    "a vector": lambda t: t.nn.utils.parametrizations.orthogonal(layer(t), "bias"),
    "an unknown map": lambda t: t.nn.utils.parametrizations.orthogonal(layer(t), orthogonal_map="other"),
    "no iterations": lambda t: t.nn.utils.parametrizations.spectral_norm(layer(t), n_power_iterations=0),
    "no inverse": lambda t: setattr(registered(t, classes(t)[1]()), "weight", t.ones(4, 3)),
    "a pickle": lambda t: pickle.dumps(registered(t, classes(t)[1]())),
    "no norm": lambda t: t.nn.utils.remove_weight_norm(layer(t)),
    "two norms": lambda t: t.nn.utils.weight_norm(t.nn.utils.weight_norm(layer(t))),
    "in training": lambda t: t.nn.utils.fuse_linear_bn_eval(layer(t), t.nn.BatchNorm1d(4)),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("what", REFUSED)
def test_refused_in_pytorchs_words(what):
    said = []
    for t in (torch, ptt):
        with pytest.raises(Exception) as error:  # noqa: PT011 (compared below)
            REFUSED[what](t)
        said.append((type(error.value).__name__, str(error.value).replace("`", "")))
    assert said[0] == said[1]


NORMALIZED = {
    "weight_norm": lambda t, m: t.nn.utils.parametrizations.weight_norm(m),
    "weight_norm of all": lambda t, m: t.nn.utils.parametrizations.weight_norm(m, dim=None),
    "weight_norm of columns": lambda t, m: t.nn.utils.parametrizations.weight_norm(m, dim=1),
    "former weight_norm": lambda t, m: t.nn.utils.weight_norm(m),
    "spectral_norm": lambda t, m: t.nn.utils.parametrizations.spectral_norm(m, n_power_iterations=2),
    "spectral_norm of a vector": lambda t, m: t.nn.utils.parametrizations.spectral_norm(m, "bias"),
    "former spectral_norm": lambda t, m: t.nn.utils.spectral_norm(m, dim=1),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", NORMALIZED)
def test_normalized_weights(agree, name):
    def run(t):
        t.manual_seed(3)
        m = NORMALIZED[name](t, layer(t))
        out = trained(t, m, t.ones(2, 3))
        state, text = m.state_dict(), repr(m)
        m.eval()
        still = m(t.ones(1, 3)), m(t.ones(1, 3))
        if name == "former weight_norm":
            t.nn.utils.remove_weight_norm(m)
        elif name == "former spectral_norm":
            t.nn.utils.remove_spectral_norm(m)
        else:
            t.nn.utils.parametrize.remove_parametrizations(m, "bias" if "vector" in name else "weight")
        return out, dict(state), text, still, dict(m.state_dict())

    agree(run, rtol=1e-4, atol=1e-5)


def test_old_checkpoints_of_weight_norm(agree):
    def run(t):
        old, new = t.nn.utils.weight_norm(layer(t)), t.nn.utils.parametrizations.weight_norm(t.nn.Linear(3, 4))
        return str(new.load_state_dict(old.state_dict())), new(t.ones(1, 3))

    agree(run)


@pytest.mark.parametrize("how", ["matrix_exp", "cayley", "householder"])
@pytest.mark.parametrize("shape", [(4, 4), (4, 3), (2, 5)])
def test_orthogonal(agree, how, shape):
    def run(t):
        t.manual_seed(1)
        m = t.nn.utils.parametrizations.orthogonal(layer(t, *shape), orthogonal_map=how)
        x = t.ones(2, shape[1])
        first = m.weight.detach()
        out = trained(t, m, x)
        q = m.weight if shape[0] < shape[1] else m.weight.mT
        return first, out, q @ q.mT

    agree(run, rtol=1e-3, atol=1e-4)


def test_orthogonal_householder_alone_and_assigned(agree):
    def run(t):
        orthogonal = t.nn.utils.parametrizations.orthogonal
        m = orthogonal(layer(t), use_trivialization=False)
        q, _ = t.linalg.qr((t.arange(12.0) ** 2).cos().reshape(4, 3))
        start = m.weight.detach()
        m.weight = q
        return start.abs(), m.weight - q, trained(t, m, t.ones(1, 3), 1)

    agree(run, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", ["conv", "transposed", "linear"])
def test_fused(agree, kind):
    def run(t):
        t.manual_seed(0)
        make = {"conv": t.nn.Conv1d, "transposed": t.nn.ConvTranspose1d}.get(kind)
        m, bn = (
            (t.nn.Linear(3, 4), t.nn.BatchNorm1d(4))
            if make is None
            else (make(3, 4, 2, bias=False), t.nn.BatchNorm1d(4))
        )
        x = t.randn(5, 3) if make is None else t.randn(2, 3, 6)
        bn(m(x))
        m.eval(), bn.eval()
        utils = t.nn.utils
        fused = (
            utils.fuse_linear_bn_eval(m, bn) if make is None else utils.fuse_conv_bn_eval(m, bn, kind == "transposed")
        )
        return fused(x), bn(m(x)) - fused(x), type(fused.bias).__name__, fused.bias.requires_grad

    agree(run, rtol=1e-4, atol=1e-5)


def test_former_names(agree):
    def run(t):
        t.manual_seed(0)
        p = t.nn.Parameter(t.ones(2, 3))
        with pytest.warns(FutureWarning, match="is now deprecated in favor of"):
            filled = t.nn.init.xavier_uniform(t.empty(2, 3))
        p.grad = t.ones(2, 3) * 3
        with pytest.warns(FutureWarning, match="clip_grad_norm"):
            total = t.nn.utils.clip_grad_norm([p], 1.0)
        m = layer(t)
        with pytest.warns(FutureWarning, match="functional_call"):
            out = t.nn.utils.stateless.functional_call(m, {"weight": t.zeros(4, 3)}, t.ones(1, 3))
        made = t.nn.utils.skip_init(t.nn.Linear, 3, 4)
        conv = t.nn.utils.convert_conv2d_weight_memory_format(t.nn.Conv2d(2, 2, 3), t.channels_last)
        return filled, total, p.grad, out, made.weight.shape, t.rand(2).shape, conv.weight.shape

    agree(run)
