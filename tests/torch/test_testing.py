"""``torch.testing``, ``torch.compiler``, lists of safe globals and ``DistributedSampler``, against PyTorch's."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ours

COMPARISONS = """
A(t([1.0, 2.0]), t([1.0, 2.0]))
A(t([1.0, 2.0]), t([1.0, 2.0 + 1e-6]))
A(t([1.0, 2.0]), t([1.0, 2.5]))
A(t([[1.0, 2.0], [3.0, 4.0]]), t([[1.0, 2.5], [0.0, 4.0]]))
A(t(1.0), t(2.0))
A(t(1), t(2))
A(t([1.0]), t([1.05]), rtol=0.1, atol=0)
A(t([1.0]), t([1.5]), rtol=0, atol=0)
A(t([1, 2]), t([1, 3]))
A(t([1, 2]), t([1, 3]), rtol=0.5, atol=0)
A(t([True, True]), t([True, False]))
A(t([float("inf"), 1.0]), t([1.0, 1.0]))
A(t([float("inf")]), t([float("inf")]))
A(t([float("nan")]), t([float("nan")]))
A(t([float("nan")]), t([float("nan")]), equal_nan=True)
A(t([1.0, 2.0]).half(), t([1.0, 2.5]).half())
A(t([1.0, 2.0]).bfloat16(), t([1.0, 2.5]).bfloat16())
A(t([1.0, 2.0]).double(), t([1.0, 2.5]).double())
A(t([1 + 1j]), t([1 + 2j]))
A(T.ones(2), T.ones(3))
A(T.ones(2), T.ones(2).double())
A(T.ones(2), T.ones(2).half() * 1.01, check_dtype=False)
A(T.ones(2, 3).t(), T.ones(3, 2), check_stride=True)
A(T.ones(0), T.ones(0))
A(T.ones(2), [1.0, 1.0])
A(T.ones(1), 1.0)
A(T.nn.Parameter(T.ones(2)), T.ones(2))
A(np.ones(2), np.zeros(2))
A(1.0, 2.0)
A(1, 2)
A(1, 1.0)
A(1, 1.0, check_dtype=False)
A(1 + 1j, 1 + 2j)
A(1.0, 1.0 + 1e-9)
A(float("nan"), float("nan"))
A(float("nan"), float("nan"), equal_nan=True)
A(True, False)
A(None, None)
A(None, 1)
A("a", "a")
A([1, 2], [1])
A([1, 2], (1, 3))
A([T.ones(2)], [T.zeros(2)])
A({"a": 1}, {"b": 1})
A({"a": [1, 2.0]}, {"a": [1, 3.0]})
A({1: T.ones(2)}, {1: T.ones(2)})
A(T.ones(2), T.zeros(2), msg="words")
A(T.ones(2), T.zeros(2), msg=lambda m: "more: " + m)
A(1.0, 2.0, rtol=0.1)
""".strip().splitlines()


def outcome(expression, module):
    names = {"T": module, "t": module.tensor, "A": module.testing.assert_close, "np": np}
    try:
        return eval(expression, names)
    except Exception as error:
        return type(error).__name__, str(error).replace("pytreemod.torch.tensor.Tensor", "torch.Tensor")


@pytest.mark.parametrize("expression", COMPARISONS)
def test_assert_close_says_what_pytorchs_says(expression):
    assert outcome(expression, ours) == outcome(expression, torch)


MADE = """
(2, 3), dtype=T.float32
2, 3, dtype=T.float64, low=0, high=1
5, dtype=T.int64
5, dtype=T.uint8
5, dtype=T.bool
4, dtype=T.complex64
4, dtype=T.float16
6, dtype=T.int64, low=0, high=3, exclude_zero=True
4, 3, dtype=T.float32, requires_grad=True
4, 3, dtype=T.float32, noncontiguous=True
4, dtype=T.float32, low=1, high=0
4, dtype=T.bool, low=5, high=7
4, dtype=T.int64, low=float("nan"), high=7
4, dtype=T.int64, requires_grad=True
""".strip().splitlines()


@pytest.mark.parametrize("arguments", MADE)
def test_make_tensor_draws_pytorchs_values(arguments):
    def made(module):
        module.manual_seed(0)
        try:
            x = eval(f"T.testing.make_tensor({arguments}, device='cpu')", {"T": module})
        except Exception as error:
            return type(error).__name__, str(error)
        return x.dtype, x.stride(), x.requires_grad, x.detach().resolve_conj().numpy()

    found, expected = made(ours), made(torch)
    assert [str(f) for f in found[:-1]] == [str(e) for e in expected[:-1]]
    if isinstance(expected[-1], str):
        assert found == expected
    else:
        np.testing.assert_allclose(found[-1], expected[-1], rtol=1e-5)


def test_a_compiled_function_can_ask_whether_it_is():
    asked = []

    @ours.compile
    def f(x):
        asked.append(ours.compiler.is_compiling())
        return x + 1

    f(ours.ones(2))
    assert asked == [True] and not ours.compiler.is_compiling() and not ours.compiler.is_exporting()
    assert ours.compiler.disable(len) is len and ours.compiler.disable(recursive=False)(len) is len


@pytest.mark.parametrize("module", [ours, torch], ids=["ours", "torch"])
def test_safe_globals_are_a_list(module):
    before = module.serialization.get_safe_globals()
    with module.serialization.safe_globals([dict]):
        module.serialization.add_safe_globals([set])
        assert {dict, set} <= set(module.serialization.get_safe_globals())
    assert dict not in module.serialization.get_safe_globals()
    module.serialization.clear_safe_globals()
    module.serialization.add_safe_globals(before)


@pytest.mark.parametrize("length, replicas", [(10, 3), (9, 3), (2, 5), (7, 2)])
@pytest.mark.parametrize("options", [{}, {"drop_last": True}, {"shuffle": False}, {"seed": 4}], ids=str)
def test_every_rank_gets_pytorchs_indices(length, replicas, options):
    for rank in range(replicas):
        pair = [
            module.utils.data.DistributedSampler(range(length), num_replicas=replicas, rank=rank, **options)
            for module in (ours, torch)
        ]
        for epoch in range(2):
            for sampler in pair:
                sampler.set_epoch(epoch)
            assert list(pair[0]) == list(pair[1]) and len(pair[0]) == len(pair[1])


def test_a_sampler_asks_for_its_rank():
    with pytest.raises(RuntimeError, match="process_count"):
        ours.utils.data.DistributedSampler(range(3))
    with pytest.raises(ValueError, match="Invalid rank 3"):
        ours.utils.data.DistributedSampler(range(3), 2, 3)


@pytest.mark.parametrize(
    "module, name, says",
    [
        (ours, "package", "state_dict"),
        (ours, "onnx", "jax.export"),
        (ours.utils, "bottleneck", "profiler"),
        (ours.cuda, "nccl", "shard"),
        (ours.backends, "quantized", "expected one of"),
    ],
)
def test_a_missing_name_says_what_to_do_instead(module, name, says):
    with pytest.raises(AttributeError, match=says):
        getattr(module, name)
