"""torch.jit, torch.compiler and torch.futures: what is left of them where Python runs, against PyTorch."""

import itertools

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:ignore:FutureWarning")


def scripted(t):
    class Net(t.nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = t.nn.Linear(2, 2)

        def forward(self, x):
            if t.jit.is_scripting():
                return self.fc(x)
            return self.drawn(self.fc(x))

        @t.jit.unused
        def drawn(self, x):
            return x

    net = Net()
    return t.jit.freeze(t.jit.script(net).eval())(t.ones(1, 2)).detach(), t.jit.trace(net, t.ones(1, 2))(t.zeros(3, 2))


def forked(t):
    futures = [t.jit.fork(t.add, t.ones(2), k) for k in range(2)]
    later = t.futures.Future()
    after = later.then(lambda f: f.wait() + 1)
    later.set_result(3)
    return [t.jit.wait(f) for f in futures], after.wait(), after.done(), later.value()


def kinds(t):
    cases = [
        ([1, 2], list[int]), ([1, "a"], list[int]), ({"a": 1}, dict[str, int]), ({"a": "b"}, dict[str, int]),
        (None, int | None), ((1, "a"), tuple[int, str]), ((1,), tuple[int, str]), (1, (int, str)),
        ([], list[int]), ([[1]], list[list[int]]),
    ]  # fmt: skip
    return [t.jit.isinstance(x, kind) for x, kind in cases], t.jit.annotate(int, 3), t.jit.is_tracing()


def decorated(t):
    @t.jit.script_if_tracing
    def double(x):
        return x * 2

    @t.jit.ignore(drop=True)
    def triple(x):
        return x * 3

    return double(t.ones(1)), triple(t.ones(1)), t.jit.Attribute(3, int).value, t.jit.onednn_fusion_enabled()


@pytest.mark.parametrize("case", [scripted, forked, kinds, decorated], ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


@pytest.mark.parametrize(
    "case, phrase",
    [
        (lambda t: t.jit.freeze(t.jit.script(t.nn.Linear(2, 2))), "only implemented for modules in eval mode"),
        (lambda t: t.jit.trace(lambda x: {"a": x}, t.ones(1)), "Encountering a dict at the output of the tracer"),
        (lambda t: t.jit.isinstance([1], list), "Attempted to use list without a contained type"),
        (lambda t: t.jit.trace(lambda x: x, (t.ones(1), t.ones(1))), "takes 1 positional argument but 2 were given"),
        (lambda t: t.futures.Future().value(), ""),
    ],
)
def test_refused_as_in_pytorch(refuse, case, phrase):
    refuse(case, phrase)


def test_tracing_is_told_and_what_is_traced_is_handed_back():
    seen = []

    def function(x):
        seen.append((ptt.jit.is_tracing(), x.shape))
        return x

    assert ptt.jit.trace(function, ptt.ones(2), check_inputs=[ptt.ones(3)]) is function
    assert ptt.jit.script(function) is function
    function(ptt.ones(1))
    assert seen == [(True, (2,)), (True, (3,)), (False, (1,))]


def test_files_of_scripts_say_what_to_use_instead():
    with pytest.raises(NotImplementedError, match=r"torch\.save\(model\.state_dict"):
        ptt.jit.save(ptt.nn.Linear(1, 1), "file")


def test_stances_decide_whether_python_runs():
    runs = itertools.count()  # counts without being a value that a compiled function could lose

    @ptt.compile
    def step(x):
        next(runs)
        return x * 2

    with ptt.compiler.set_stance("force_eager"):
        step(ptt.ones(1))
        step(ptt.ones(1))
    assert repr(runs) == "count(2)"
    step(ptt.ones(1))
    with ptt.compiler.set_stance("fail_on_recompile"):
        assert step(ptt.ones(1)).tolist() == [2.0]
        with pytest.raises(RuntimeError, match="Detected recompile when torch.compile stance is 'fail_on_recompile'"):
            step(ptt.ones(2))
    assert repr(runs) == "count(3)"

    @ptt.compiler.set_stance("eager_on_recompile")
    def twice():
        return step(ptt.ones(3)), step(ptt.ones(3)), step(ptt.ones(1))

    twice()
    assert repr(runs) == "count(5)"
    step(ptt.ones(3))
    step(ptt.ones(3))
    assert repr(runs) == "count(6)"
    with pytest.raises(RuntimeError, match="invalid torch.compile stance"):
        ptt.compiler.set_stance("other")
    with pytest.raises(NotImplementedError, match="force_backend"):
        ptt.compiler.set_stance("default", force_backend="eager")


def test_decorators_of_the_compiler_change_nothing():
    def function(x):
        return x

    compiler = ptt.compiler
    for offered in (compiler.allow_in_graph, compiler.assume_constant_result, compiler.nested_compile_region):
        assert offered(function) is function
    assert compiler.nested_compile_region()(function) is function
    assert compiler.substitute_in_graph(len)(function) is function
    ptt._dynamo.reset()
    ptt._dynamo.config.cache_size_limit = 3
    ptt._inductor.config.triton.cudagraphs = True
    assert ptt._dynamo.config.cache_size_limit == 3


def test_numpy_functions_take_tensors(agree):
    agree(lambda t: t.compiler.wrap_numpy(lambda a, b: (np.sum(a * b), a))(t.arange(3.0), t.ones(3)))


def build(lib):
    @lib.jit.script
    def swish(x, beta: float = 2.0):
        return x * lib.sigmoid(beta * x)

    class Net(lib.nn.Module):
        size: lib.jit.Final[int]

        def __init__(self):
            super().__init__()
            self.size = 2

        @lib.jit.ignore
        def skipped(self):
            return {"weight"}

        @lib.jit.unused
        def debug(self):
            return "debug"

        @lib.jit.export
        def twice(self, x):
            return x * self.size

        @lib.jit.ignore(drop=True)
        def dropped(self):
            return 3

        def forward(self, x):
            parts = lib.jit.annotate(list, [])
            if lib.jit.is_scripting() or lib.jit.is_tracing():
                return x
            parts.append(swish(self.twice(x)))
            return parts[0]

    return Net()


def test_a_model_with_marks_runs_as_in_pytorch():
    found, expected = build(ptt), build(torch)
    x = ptt.linspace(-2, 2, 5, requires_grad=True)
    y = torch.linspace(-2, 2, 5, requires_grad=True)
    found(x).sum().backward()
    expected(y).sum().backward()
    assert x.grad.tolist() == pytest.approx(y.grad.tolist())
    assert found.skipped() == {"weight"} and found.debug() == "debug" and found.dropped() == 3


def test_a_scripted_module_is_the_module():
    net = ptt.nn.Linear(2, 2)
    assert ptt.jit.script(net) is net and ptt.jit.script_if_tracing(abs) is abs
