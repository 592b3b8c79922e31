"""Devices as on PyTorch's build for the CPU; and what is said where JAX computes on a GPU."""

import warnings

import jax
import pytest
import torch

import pytreemod.torch as ours
from pytreemod.torch import backend, size

SAME = """
x.cuda()
x.cuda(0)
x.cuda("cuda:0")
x.xpu()
x.to("cuda")
x.to("cuda", torch.float64)
x.to("cuda:0")
x.to(0)
x.to(torch.device("cuda"))
x.to(device="cuda")
x.to("mps")
x.to("xla")
x.to("cpu").device
x.to("cpu:0", torch.float64).dtype
x.cpu().device
x.pin_memory()
x.is_cuda, x.is_cpu, x.get_device(), x.is_pinned()
x.type("torch.cuda.FloatTensor")
torch.zeros(2, device="cuda")
torch.zeros(2, device="cpu").device
torch.tensor([1.0], device="mps")
torch.randn(2, device="cuda")
torch.randperm(2, device="cuda")
torch.arange(3, device=torch.device("cuda", 0))
torch.zeros(2, pin_memory=True)
torch.device(0)
torch.Generator().device
torch.nn.Linear(2, 2).cuda()
torch.nn.Linear(2, 2).to("cuda")
torch.nn.Linear(2, 2).to("cuda", torch.float64)
torch.nn.Linear(2, 2).to(torch.device("mps"))
torch.nn.Linear(2, 2, device="cuda")
torch.nn.Linear(2, 2, device="cpu").weight.device
torch.get_default_device()
torch.get_device_module().__name__.split(".")[-1]
torch.get_device_module("cuda").__name__.split(".")[-1]
torch.cuda.is_available(), torch.cuda.device_count(), torch.cuda.is_initialized(), torch.cuda.is_bf16_supported()
torch.cuda.current_device()
torch.cuda.get_device_name(0)
torch.cuda.get_device_properties(0)
torch.cuda.synchronize()
torch.cuda.set_device(-1)
torch.cuda.init()
torch.cuda.Stream()
torch.cuda.Event(enable_timing=True)
torch.cuda.current_stream()
torch.cuda.stream(None).__enter__()
torch.cuda.device(0).__enter__()
torch.cuda.device_of(x).__enter__()
torch.cuda.manual_seed(1), torch.cuda.manual_seed_all(1), torch.cuda.seed()
torch.cuda.get_rng_state()
torch.cuda.get_rng_state_all()
torch.cuda.initial_seed()
torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated(), torch.cuda.memory_reserved()
torch.cuda.memory_stats()
torch.cuda.memory_cached()
torch.cuda.mem_get_info()
torch.cuda.empty_cache()
torch.cuda.get_arch_list(), torch.cuda.get_gencode_flags()
torch.cuda.FloatTensor(2)
isinstance(x, torch.cuda.FloatTensor)
torch.cuda.has_half
torch.accelerator.is_available(), torch.accelerator.device_count(), torch.accelerator.current_accelerator()
torch.accelerator.current_device_index()
torch.accelerator.set_device_index(0)
torch.accelerator.synchronize()
torch.accelerator.memory_allocated()
torch.accelerator.empty_cache()
torch.cpu.is_available(), torch.cpu.device_count(), torch.cpu.synchronize(), torch.cpu.current_device()
torch.mps.is_available(), torch.mps.device_count(), torch.xpu.is_available(), torch.xpu.device_count()
torch.mps.synchronize()
torch.backends.cuda.is_built(), torch.backends.cudnn.is_available(), torch.backends.cudnn.version()
torch.backends.mps.is_available(), torch.backends.mps.is_built()
torch.backends.cudnn.enabled, torch.backends.cudnn.benchmark, torch.backends.cudnn.deterministic
torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32, torch.backends.mkldnn.enabled
torch.backends.cuda.flash_sdp_enabled(), torch.backends.cuda.math_sdp_enabled()
torch.version.cuda, torch.version.hip, torch.version.debug
next(iter(torch.utils.data.DataLoader(torch.arange(3), pin_memory=True)))
""".strip().splitlines()


def outcome(expression, module):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = repr(eval(expression, {"torch": module, "x": module.ones(2)}))
        except Exception as error:
            found = (type(error).__name__, str(error).partition(" PyTorch splits")[0].rstrip("."))
    return found, [str(w.message) for w in told]


DIFFERENT_WORDS = ("pin_memory=True", "torch.cuda.FloatTensor")


@pytest.mark.parametrize("expression", SAME)
def test_without_an_accelerator_it_is_as_in_pytorchs_build_for_the_cpu(expression):
    (found, warned), (expected, also) = outcome(expression, ours), outcome(expression, torch)
    assert warned == also
    if isinstance(expected, tuple) and any(words in expression for words in DIFFERENT_WORDS):
        assert isinstance(found, tuple)
        return
    assert found == expected


def test_a_device_is_a_context():
    with ours.device("cpu"):
        assert ours.zeros(2).device == ours.device("cpu")
    with pytest.raises(AssertionError, match="not compiled with CUDA"):
        ours.device("cuda").__enter__()


def test_a_tensor_without_values_is_refused_with_the_way_to_go():
    with pytest.raises(NotImplementedError, match="eval_shape"):
        ours.zeros(2, device="meta")


def test_settings_keep_what_was_set():
    ours.backends.cudnn.benchmark = True
    with ours.backends.cudnn.flags(enabled=False, deterministic=True):
        assert not ours.backends.cudnn.enabled and ours.backends.cudnn.deterministic
    assert ours.backends.cudnn.enabled and ours.backends.cudnn.benchmark
    ours.backends.cudnn.benchmark = False
    ours.backends.cuda.enable_flash_sdp(False)
    assert not ours.backends.cuda.flash_sdp_enabled()
    ours.backends.cuda.enable_flash_sdp(True)


@pytest.fixture
def gpu(monkeypatch):
    """JAX says that it computes on a GPU; it does not."""
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    backend.accelerator_type.cache_clear()
    yield
    monkeypatch.undo()
    backend.accelerator_type.cache_clear()


@pytest.mark.parametrize("space", ["cuda", "accelerator"])
def test_synchronize_computes_what_was_recorded(gpu, space):
    w = ours.ones(2, requires_grad=True)
    (w * 2).sum().backward()
    with ours.no_grad():
        w -= w.grad
    assert w._read()[0].array is None
    getattr(ours, space).synchronize()
    assert w._read()[0].array is not None and w.tolist() == [-1, -1]


def test_where_jax_computes_on_a_gpu_tensors_are_there(gpu):
    x = ours.ones(2)
    assert str(x.device) == "cuda:0" and x.is_cuda and not x.is_cpu and x.get_device() == 0
    assert x.cuda() is x.to("cuda") is x.to(0) is x.cpu() is x.pin_memory() is x
    assert ours.cuda.is_available() and ours.cuda.device_count() == 1 and ours.cuda.current_device() == 0
    assert ours.accelerator.current_accelerator() == ours.device("cuda") and isinstance(x, ours.cuda.FloatTensor)
    assert ours.cuda.get_device_name(0) == jax.devices()[0].device_kind
    ours.cuda.synchronize()
    ours.cuda.manual_seed(3)
    assert ours.initial_seed() == 3
    layer = ours.nn.Linear(2, 2, device="cuda")
    assert layer.cuda() is layer.to("cuda:0") is layer
    with pytest.raises(NotImplementedError, match="perf_counter"):
        ours.cuda.Event(enable_timing=True)
    with pytest.raises(RuntimeError, match="invalid device ordinal"):
        ours.cuda.set_device(1)
    with pytest.raises(RuntimeError, match="not linked"):
        x.to("mps")


def test_the_device_is_read_from_jax_and_the_default_is_kept(gpu):
    assert size.own_device() == ours.get_default_device() == ours.device("cuda", 0)
    ours.set_default_device("cuda")
    ours.set_default_device("cpu")
