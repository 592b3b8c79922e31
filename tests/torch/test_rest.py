"""Names that few scripts use: each answers as a PyTorch for the CPU does, or says why it does not."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ours
from pytreemod.torch.missing import refusal_of


def outcome(call, t):
    try:
        return call(t)
    except Exception as error:
        return type(error), str(error)


@pytest.mark.parametrize(
    "call",
    [
        lambda t: t.cpu.Event().query(),
        lambda t: t.cuda.host_memory_stats(),
        lambda t: t.cuda.memory_stats_as_nested_dict(),
        lambda t: t.cuda.caching_allocator_enable(True),
        lambda t: t.cuda.current_blas_handle(),
        lambda t: t.cuda.set_sync_debug_mode(1),
        lambda t: t.cuda.caching_allocator_alloc(8),
        lambda t: t.cuda.get_per_process_memory_fraction(),
        lambda t: t.cuda.CUDAGraph(),
        lambda t: t.cuda.MemPool(),
        lambda t: t.accelerator.current_stream(),
        lambda t: t.accelerator.memory_reserved(),
        lambda t: t.accelerator.empty_host_cache(),
        lambda t: t.accelerator.get_device_capability(),
        lambda t: t.accelerator.device_index(None).__enter__(),
        lambda t: t.backends.mps.is_macos13_or_newer(),
        lambda t: t.backends.mps.is_macos_or_newer(13, 0),
        lambda t: t.backends.cuda.preferred_linalg_library().name,
        lambda t: t.backends.cuda.preferred_linalg_library("cusolver").name,
        lambda t: t.backends.cuda.preferred_linalg_library("heuristic"),
        lambda t: t.backends.cuda.preferred_blas_library().name,
        lambda t: t.backends.cuda.preferred_blas_library("cublas").name,
        lambda t: t.backends.cuda.preferred_blas_library("cublaslt"),
        lambda t: t.backends.cuda.preferred_blas_library("best"),
        lambda t: t.backends.cuda.is_flash_attention_available(),
        lambda t: t.backends.cuda.fp16_bf16_reduction_math_sdp_allowed(),
        lambda t: t.nn.attention.current_flash_attention_impl(),
        lambda t: t.thread_safe_generator(),
        lambda t: t.Tag.pointwise.name,
        lambda t: t.nn.factory_kwargs({"dtype": 1, "factory_kwargs": {"device": 2}}),
        lambda t: t.nn.factory_kwargs(None),
        lambda t: t.nn.factory_kwargs({"a": 1}),
        lambda t: t.nn.factory_kwargs({"dtype": 1, "factory_kwargs": {"dtype": 2}}),
        lambda t: t.utils.checkpoint.DefaultDeviceType.get_device_type(),
        lambda t: [each.value for each in t.utils.checkpoint.CheckpointPolicy],
    ],
)
def test_as_a_pytorch_for_the_cpu(call):
    assert outcome(call, ours) == outcome(call, torch)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_container():
    for t in (ours, torch):
        with pytest.warns(FutureWarning, match="nn.Container.* is deprecated"):
            net = t.nn.Container(first=t.nn.Linear(2, 3), second=t.nn.ReLU())
        assert [name for name, _ in net.named_children()] == ["first", "second"]
        assert list(net.state_dict()) == ["first.weight", "first.bias"]


def test_streams_of_the_cpu():
    for t in (ours, torch):
        before, other = t.cpu.current_stream(), t.cpu.Stream()
        with t.cpu.stream(other):
            assert t.cpu.current_stream() is other
        with t.cpu.stream(None):
            assert t.cpu.current_stream() is before


def test_a_checkpoint_function():
    for t in (ours, torch):
        x = t.ones(2, requires_grad=True)
        t.utils.checkpoint.CheckpointFunction.apply(lambda x: x * 3, True, x).sum().backward()
        assert x.grad.tolist() == [3.0, 3.0]


@pytest.mark.parametrize(
    "options", [{"size": 3}, {"size": 0}, {"size": 4, "dtype": "uint8"}, {"size": 2, "dtype": "int64"}]
)
def test_a_tensor_of_a_file(tmp_path, options):
    np.arange(16, dtype=np.uint8).tofile(tmp_path / "file")
    found = []
    for t in (ours, torch):
        chosen = options | ({"dtype": getattr(t, options["dtype"])} if "dtype" in options else {})
        x = t.from_file(str(tmp_path / "file"), **chosen)
        found.append((x.tolist(), str(x.dtype)))
    assert found[0] == found[1]


def test_a_file_that_does_not_fit(tmp_path):
    (tmp_path / "file").write_bytes(bytes(8))
    for name, size in (("nothing", 1), ("file", 3)):
        mine, theirs = (outcome(lambda t: t.from_file(str(tmp_path / name), size=size), t) for t in (ours, torch))  # noqa: B023
        assert mine == theirs and mine[0] is RuntimeError
    with pytest.raises(NotImplementedError, match="shared"):
        ours.from_file(str(tmp_path / "file"), shared=True, size=1)


@pytest.mark.parametrize(
    "find, says",
    [
        (lambda: ours.jit.save, "torch.save"),
        (lambda: ours.jit.load, "torch.load"),
        (lambda: ours.jit.export_opnames, "show_functional"),
        (lambda: ours.utils.checkpoint.create_selective_checkpoint_contexts, "jax.checkpoint"),
        (lambda: ours.nn.attention.activate_flash_attention_impl, "dot_product_attention"),
        (lambda: ours.Tensor.storage_type, "dtype"),
    ],
)
def test_what_is_refused_says_why(find, says):
    assert says in refusal_of(find())
    with pytest.raises(NotImplementedError, match=says):
        find()(None)


def test_refusals_of_cuda_do_not_count_as_there():
    for name in ("CUDAGraph", "graph", "MemPool", "cudart", "utilization"):
        assert refusal_of(getattr(ours.cuda, name))
    with pytest.raises(AttributeError, match="nonsense"):
        ours.cuda.nonsense  # noqa: B018
