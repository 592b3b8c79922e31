"""Autocast: which function gives which type, and training in it; GradScaler; against PyTorch."""

import pickle

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

x, m, b = (
    (lambda t, d: t.arange(3.0).to(d) + 1),
    (lambda t, d: t.ones(2, 3).to(d)),
    (lambda t, d: t.ones(1, 2, 2).to(d)),
)
FUNCTIONS = {
    "linear": lambda t, d: t.nn.functional.linear(m(t, d), m(t, d)),
    "matmul": lambda t, d: m(t, d) @ x(t, d),
    "mm": lambda t, d: t.mm(m(t, d), m(t, d).T),
    "mv": lambda t, d: t.mv(m(t, d), x(t, d)),
    "dot": lambda t, d: t.dot(x(t, d), x(t, d)),
    "bmm": lambda t, d: t.bmm(b(t, d), b(t, d)),
    "addmm": lambda t, d: t.addmm(b(t, d)[0], b(t, d)[0], b(t, d)[0]),
    "einsum": lambda t, d: t.einsum("ij,kj->ik", m(t, d), m(t, d)),
    "conv1d": lambda t, d: t.nn.functional.conv1d(b(t, d), b(t, d)),
    "prelu": lambda t, d: t.nn.functional.prelu(m(t, d), t.ones(1).to(d)),
    "attention": lambda t, d: t.nn.functional.scaled_dot_product_attention(b(t, d), b(t, d), b(t, d)),
    "lstm": lambda t, d: t.nn.LSTM(3, 3).to(d)(m(t, d))[0],
    "gru": lambda t, d: t.nn.GRU(3, 3).to(d)(m(t, d))[0],
    "multi-head": lambda t, d: t.nn.MultiheadAttention(2, 1).to(d)(b(t, d), b(t, d), b(t, d))[0],
    "layer_norm": lambda t, d: t.nn.functional.layer_norm(m(t, d), (3,)),
    "batch_norm": lambda t, d: t.nn.functional.batch_norm(m(t, d), t.ones(3), t.ones(3), t.ones(3), t.ones(3)),
    "softmax": lambda t, d: m(t, d).softmax(1),
    "exp": lambda t, d: x(t, d).exp(),
    "sum": lambda t, d: x(t, d).sum(),
    "prod": lambda t, d: x(t, d).prod(),
    "trace": lambda t, d: b(t, d)[0].trace(),
    "cross_entropy": lambda t, d: t.nn.functional.cross_entropy(m(t, d), t.tensor([0, 1])),
    "mse_loss": lambda t, d: t.nn.functional.mse_loss(x(t, d), x(t, d)),
    "bce with logits": lambda t, d: t.nn.functional.binary_cross_entropy_with_logits(x(t, d), x(t, d)),
    "gaussian_nll": lambda t, d: t.nn.functional.gaussian_nll_loss(x(t, d), x(t, d), x(t, d)),
    "avg_pool2d": lambda t, d: t.nn.functional.avg_pool2d(b(t, d), 2),
    "avg_pool3d": lambda t, d: t.nn.functional.avg_pool3d(b(t, d)[None], (1, 2, 2)),
    "reflect": lambda t, d: t.nn.functional.pad(b(t, d), (1, 1), mode="reflect"),
    "zeros": lambda t, d: t.nn.functional.pad(b(t, d), (1, 1)),
    "inv": lambda t, d: t.linalg.inv(t.eye(2).to(d)),
    "cat": lambda t, d: t.cat([x(t, d), x(t, t.float32)]),
    "add": lambda t, d: x(t, d) + x(t, t.float32),
    "embedding": lambda t, d: t.nn.functional.embedding(t.tensor([0]), m(t, d)),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("given", ["float32", "bfloat16", "float64"])
def test_types(name, given):
    def run(t):
        with t.autocast("cpu"):
            return str(FUNCTIONS[name](t, getattr(t, given)).dtype)

    try:
        wanted = run(torch)
    except RuntimeError:
        pytest.skip("PyTorch cannot")
    assert run(ptt) == wanted


def test_training(agree):
    def run(t):
        t.manual_seed(0)
        net = t.nn.Sequential(t.nn.Linear(3, 8), t.nn.LayerNorm(8), t.nn.GELU(), t.nn.Linear(8, 2))
        opt = t.optim.SGD(net.parameters(), lr=0.1)
        losses = []
        for _ in range(3):
            opt.zero_grad()
            with t.amp.autocast("cpu", dtype=t.bfloat16):
                out = net(t.ones(4, 3))
                loss = t.nn.functional.mse_loss(out, t.zeros(4, 2))
            loss.backward()
            opt.step()
            losses.append(loss.detach())
        return out.dtype, losses, [p.grad.dtype for p in net.parameters()]

    agree(run, rtol=3e-2, atol=1e-2)


def test_state(agree):
    def run(t):
        def now():
            return t.is_autocast_enabled("cpu"), t.get_autocast_dtype("cpu"), t.is_autocast_cpu_enabled()

        seen = [now(), t.amp.is_autocast_available("cpu"), t.is_autocast_cache_enabled()]
        with t.autocast("cpu", dtype=t.float16):
            seen.append(now())
            with t.autocast(device_type="cpu", enabled=False):
                seen += [now(), (m(t, t.float32) @ x(t, t.float32)).dtype]
            seen.append((m(t, t.float32) @ x(t, t.float32)).dtype)

        @t.autocast("cpu")
        def f():
            return now(), (m(t, t.float32) @ x(t, t.float32)).dtype

        with t.cpu.amp.autocast():
            seen.append(now())
        with t.cuda.amp.autocast():
            seen.append(now())
        t.set_autocast_enabled("cpu", True)
        seen.append(now())
        t.set_autocast_enabled("cpu", False)
        return seen, f(), now(), t.get_autocast_dtype("cuda")

    agree(run)


@pytest.mark.filterwarnings("error")
def test_refused_and_warned():
    for t in (torch, ptt):
        with pytest.raises(ValueError, match="Expected `device_type` of type `str`, got"):
            t.autocast(t.device("cpu"))
        with pytest.raises(
            UserWarning, match="CPU autocast, but the target dtype is not supported. Disabling autocast"
        ):
            t.autocast("cpu", dtype=t.float32)
        with pytest.raises(UserWarning, match="CUDA is not available or torch_xla is imported. Disabling autocast"):
            t.autocast("cuda")
        with pytest.raises(FutureWarning, match="is deprecated. Please use"):
            t.cuda.amp.GradScaler()
    with pytest.raises(RuntimeError, match="unsupported autocast device_type 'other'"):
        ptt.autocast("other")


def test_functions_of_the_user(agree):
    def run(t):
        class Product(t.autograd.Function):
            @staticmethod
            @t.amp.custom_fwd(device_type="cpu", cast_inputs=t.float32)
            def forward(ctx, a, b):
                ctx.save_for_backward(a, b)
                return a @ b

            @staticmethod
            @t.amp.custom_bwd(device_type="cpu")
            def backward(ctx, g):
                a, b = ctx.saved_tensors
                return g @ b.T, a.T @ g

        a = t.ones(2, 2, requires_grad=True)
        with t.autocast("cpu"):
            out = Product.apply(a * 2, a)
        out.sum().backward()
        return out.dtype, out, a.grad

    agree(run)


def test_a_compiled_function_notices_autocast():
    f = ptt.compile(lambda a, b: a @ b)
    a = ptt.ones(2, 2)
    assert f(a, a).dtype is ptt.float32
    with ptt.autocast("cpu"):
        assert f(a, a).dtype is ptt.bfloat16
    assert f(a, a).dtype is ptt.float32


def test_grad_scaler(agree):
    def run(t):
        p = t.nn.Parameter(t.ones(2))
        opt = t.optim.SGD([p], lr=0.1)
        scaler = t.amp.GradScaler("cpu", init_scale=8.0, growth_interval=2)
        seen = [scaler.get_scale(), scaler.state_dict()]
        for k in range(5):
            opt.zero_grad()
            loss = (p * (float("inf") if k == 3 else 2.0)).sum()
            scaler.scale(loss).backward()
            if k == 1:
                scaler.unscale_(opt)
                seen.append(p.grad)
            scaler.step(opt)
            scaler.update()
            seen += [p.detach().clone(), scaler.get_scale()]
        other = t.amp.GradScaler("cpu")
        other.load_state_dict(scaler.state_dict())
        copied = pickle.loads(pickle.dumps(scaler))
        scaler.update(3.0)
        return seen, other.state_dict(), copied.state_dict(), scaler.get_scale(), scaler.scale([loss.detach() * 0])

    agree(run)


def test_grad_scaler_refuses_in_pytorchs_words():
    said = []
    for t in (torch, ptt):
        p = t.nn.Parameter(t.ones(2))
        opt, scaler = t.optim.SGD([p], lr=0.1), t.amp.GradScaler("cpu")
        own = []

        def note(act, own=own):
            with pytest.raises(Exception) as error:  # noqa: PT011 (compared below)
                act()
            own.append((type(error.value).__name__, str(error.value)))

        note(lambda s=scaler, o=opt: s.step(o))
        note(lambda t=t: t.amp.GradScaler("cpu", growth_factor=1.0))
        note(lambda s=scaler: s.load_state_dict({}))
        scaler.scale(p.sum()).backward()
        note(lambda s=scaler: s.update())
        scaler.unscale_(opt)
        note(lambda s=scaler, o=opt: s.unscale_(o))
        note(lambda s=scaler: pickle.dumps(s))
        scaler.step(opt)
        note(lambda s=scaler, o=opt: s.step(o))
        note(lambda s=scaler, o=opt: s.step(o, closure=max))
        said.append(own)
    assert said[0] == said[1]


def test_a_disabled_scaler_does_nothing():
    p = ptt.nn.Parameter(ptt.ones(2))
    opt, scaler = ptt.optim.SGD([p], lr=0.1), ptt.amp.GradScaler("cpu", enabled=False)
    scaler.scale(p.sum()).backward()
    scaler.unscale_(opt), scaler.step(opt), scaler.update()
    np.testing.assert_allclose(p.detach().numpy(), 0.9)
    assert scaler.state_dict() == {} and scaler.get_scale() == 1.0 and not scaler.is_enabled()
