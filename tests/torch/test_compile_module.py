"""torch.compile(net): a module call as one program, with gradients, buffers and copies."""

import copy
import itertools
import pickle

import pytreemod.torch as ptt


def data(t, n=6):
    x = (t.arange(n * 3, dtype=t.float32) % 5 - 2).reshape(n, 3)
    return x, (x.sum(1, keepdim=True) * 0.3).detach()


def network(t, *extra):
    t.manual_seed(1)
    return t.nn.Sequential(t.nn.Linear(3, 4), *extra, t.nn.ReLU(), t.nn.Linear(4, 1))


def test_under_no_grad_and_back():
    net = ptt.compile(network(ptt))
    x, _ = data(ptt)
    with ptt.no_grad():
        assert not net(x).requires_grad
    assert net(x).requires_grad


def test_a_compiled_module_gives_outputs_gradients_and_buffers(agree):
    def run(t):
        net = network(t, t.nn.BatchNorm1d(4))
        if t is ptt:
            assert t.compile(net) is net
        x, y = data(t)
        x.requires_grad_()
        out = []
        for _ in range(3):
            loss = ((net(x) - y) ** 2).mean()
            loss.backward()
            out.append(loss.detach())
        net.eval()
        return out, [p.grad for p in net.parameters()], x.grad, dict(net.state_dict()), net(x)

    agree(run, rtol=1e-4)


def test_a_call_of_a_compiled_module_runs_python_once():
    calls = itertools.count()

    class Net(ptt.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = ptt.nn.Linear(3, 2)

        def forward(self, x):
            next(calls)
            return self.fc(x)

    net = ptt.compile(Net())
    x, _ = data(ptt)
    a, b = net(x), net(x)
    assert next(calls) == 1 and a.tolist() == b.tolist()
    assert type(a.grad_fn).__name__ == "CompiledFunctionBackward"
    net(x[:2])
    assert next(calls) == 3  # with the count of the assertion above
    assert list(net.state_dict()) == ["fc.weight", "fc.bias"]


def test_a_compiled_module_can_be_copied_and_pickled():
    net = ptt.compile(network(ptt))
    x, _ = data(ptt)
    expected = net(x).tolist()
    for other in (copy.deepcopy(net), pickle.loads(pickle.dumps(net))):
        assert other(x).tolist() == expected
        with ptt.no_grad():
            other[0].weight.zero_()
        assert other(x).tolist() != expected
        assert net(x).tolist() == expected


def test_a_hook_of_all_modules_reaches_a_function_compiled_before():
    net = network(ptt)
    run = ptt.compile(lambda x: net(x))
    x, _ = data(ptt)
    before = run(x)
    handle = ptt.nn.modules.module.register_module_forward_hook(
        lambda module, args, out: out + 1 if module is net else None
    )
    try:
        ptt.testing.assert_close(run(x), before + 1)
    finally:
        handle.remove()
    assert run(x).tolist() == before.tolist()
