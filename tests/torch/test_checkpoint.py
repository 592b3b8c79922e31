"""Checkpointed parts: values, gradients, randomness and memory, against PyTorch."""

import pytest
import torch

import pytreemod.torch as ptt


def network(t, dropout=0.0):
    t.manual_seed(0)
    layers = [t.nn.Linear(4, 8), t.nn.Tanh(), t.nn.LayerNorm(8), t.nn.Dropout(dropout), t.nn.Linear(8, 4), t.nn.GELU()]
    return t.nn.Sequential(*layers), (t.arange(12.0).reshape(3, 4) / 7).requires_grad_()


@pytest.mark.parametrize("use_reentrant", [True, False])
def test_values_gradients_and_steps(agree, use_reentrant):
    def run(t):
        net, x = network(t)
        opt = t.optim.SGD(net.parameters(), lr=0.1)
        losses = []
        for _ in range(3):
            opt.zero_grad()
            y = t.utils.checkpoint.checkpoint(net, x * 2, use_reentrant=use_reentrant)
            loss = (y**2).sum() + y.mean()
            loss.backward()
            opt.step()
            losses.append(loss.detach())
        return losses, x.grad, [p.detach() for p in net.parameters()]

    agree(run, rtol=1e-4, atol=1e-5)


def test_keywords_several_results_and_what_is_detached(agree):
    def run(t):
        w = t.ones(3, requires_grad=True)

        def f(a, scale, *, b=None, names=("x",)):
            c = (a * w * scale).exp()
            return {"sum": c + b.detach(), "rest": [c * b, a], names[0]: 3}

        a, b = t.arange(3.0).requires_grad_(), (t.arange(3.0) + 1).requires_grad_()
        out = t.utils.checkpoint.checkpoint(f, a, 0.5, b=b, names=("y",), use_reentrant=False)
        (out["sum"].sum() + out["rest"][0].sum() + out["rest"][1].sum()).backward()
        return out, a.grad, b.grad, w.grad

    agree(run)


def test_higher_orders(agree):
    def run(t):
        x = t.arange(3.0).requires_grad_()
        y = t.utils.checkpoint.checkpoint(lambda x: x.sin() * x, x, use_reentrant=False).sum()
        (g,) = t.autograd.grad(y, x, create_graph=True)
        return g, t.autograd.grad(g.sum(), x)[0]

    agree(run)


def test_the_same_random_numbers_in_both_runs():
    for preserve in (True, False):
        net, x = network(ptt, 0.5)
        results = []
        for checkpointed in (True, False):
            ptt.manual_seed(7)
            x.grad = None
            f = ptt.utils.checkpoint.checkpoint if checkpointed else lambda f, x, **_: f(x)
            out = f(net, x, use_reentrant=False, preserve_rng_state=preserve)
            out.sum().backward()
            results.append((out.detach(), x.grad))
        for one, other in zip(*results, strict=True):
            assert ptt.allclose(one, other)


def test_sequential(agree):
    def run(t):
        net, x = network(t)
        y = t.utils.checkpoint.checkpoint_sequential(net, 3, x, use_reentrant=False)
        y.sum().backward()
        return y, x.grad, net[0].weight.grad

    agree(run, rtol=1e-4, atol=1e-5)


def test_hooks_still_run():
    x, seen = ptt.ones(2, requires_grad=True), []

    def f(x):
        y = x * 3
        y.register_hook(lambda g: seen.append(g.tolist()))
        return y * y

    ptt.utils.checkpoint.checkpoint(f, x, use_reentrant=False).sum().backward()
    assert seen == [[6.0, 6.0]] and x.grad.tolist() == [18.0, 18.0]


def test_nothing_within_is_kept_for_the_gradient():
    """The program with a checkpoint computes the inner functions a second time."""
    import jax

    from pytreemod.torch.folding import _checkpoint
    from pytreemod.torch.record import OPS

    x = ptt.ones(3, requires_grad=True)
    y = ptt.utils.checkpoint.checkpoint(lambda x: x.sin().cos().exp(), x, use_reentrant=False)
    spec = y._read()[0].inputs[0].spec
    assert spec.op is OPS[_checkpoint]
    program = str(jax.make_jaxpr(jax.grad(lambda a: spec.call([a])[0].sum()))(jax.numpy.ones(3)))
    assert "remat" in program or "checkpoint" in program


def test_compiled():
    net, x = network(ptt)
    plain = net(x.detach()).sum()

    @ptt.compile
    def f(x):
        return ptt.utils.checkpoint.checkpoint(net, x, use_reentrant=False).sum()

    net.eval(), net.train()
    assert ptt.allclose(f(x.detach()), plain)


@pytest.mark.filterwarnings("error")
def test_refused_and_warned():
    for t in (torch, ptt):
        checkpoint, x = t.utils.checkpoint.checkpoint, t.ones(2)
        with pytest.raises(UserWarning, match="use_reentrant parameter should be passed explicitly"):
            checkpoint(lambda x: x, x)
        with pytest.raises(UserWarning, match="None of the inputs have requires_grad=True. Gradients will be None"):
            checkpoint(lambda x: x * 2, x, use_reentrant=True)
        with pytest.raises(ValueError, match="Unexpected keyword arguments: other"):
            checkpoint(lambda x: x, x, use_reentrant=True, other=1)
        with pytest.raises(ValueError, match="is only supported when use_reentrant=False"):
            checkpoint(lambda x: x, x, use_reentrant=True, debug=True)
    with pytest.raises(NotImplementedError, match="context_fn is not implemented"):
        ptt.utils.checkpoint.checkpoint(lambda x: x, x, use_reentrant=False, context_fn=lambda: (1, 2))


def test_attention_kernels(agree):
    def run(t):
        from_, q = t.nn.attention, t.arange(12.0).reshape(1, 3, 4) / 10
        with from_.sdpa_kernel([from_.SDPBackend.MATH]):
            out = t.nn.functional.scaled_dot_product_attention(q, q, q)
        with (
            pytest.raises(AssertionError, match="Backend must be an instance of SDPBackend or a list"),
            from_.sdpa_kernel("math"),
        ):
            pass
        return out, from_.SDPBackend.FLASH_ATTENTION.name

    agree(run)
