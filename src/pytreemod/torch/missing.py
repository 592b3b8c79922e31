"""What to do instead, for names of PyTorch that are not here: said by errors and by ``python -m pytreemod check``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

_SHARD = "shard the functional face over devices with jax.sharding (one process; see docs/faq.md)"
_COMPILE = "torch.compile makes one program of a whole step"
_CACHE = "jax.config.update('jax_compilation_cache_dir', folder) keeps compiled programs"
_EXPORT = "jax.export writes a jitted function of the functional face to a file"
_SPARSE = "jax.experimental.sparse has sparse matrices for the functional face"

ALTERNATIVES = {
    "torch._C": "PyTorch's C++ library is not used; its Python names are there",
    "torch._dynamo": _COMPILE,
    "torch._inductor": _COMPILE,
    "torch.ao": "jax.lax has integer products; quantisation itself is not there",
    "torch.autograd.forward_ad": "torch.func.jvp(function, primals, tangents)",
    "torch.autograd.graph.region_activation_memory_budget": "torch.utils.checkpoint.checkpoint",
    "torch.chalf": "torch.complex64: JAX has no complex numbers of 16-bit parts",
    "torch.complex32": "torch.complex64: JAX has no complex numbers of 16-bit parts",
    "torch.cuda.amp": "leave it out: torch.cuda.amp is disabled where there is no GPU",
    "torch.compiler.load_cache_artifacts": _CACHE,
    "torch.compiler.save_cache_artifacts": _CACHE,
    "torch.cuda.CUDAGraph": _COMPILE,
    "torch.cuda.graph": _COMPILE,
    "torch.cuda.make_graphed_callables": _COMPILE,
    "torch.cuda.nccl": _SHARD,
    "torch.distributed": _SHARD,
    "torch.export": _EXPORT,
    "torch.fx": "pytreemod.show_functional(function) shows a program as Python; jax.make_jaxpr as a jaxpr",
    "torch.float4_e2m1fn_x2": "torch.float8_e4m3fn, or jnp.float4_e2m1fn on the functional face",
    "torch.float8_e4m3fnuz": "torch.float8_e4m3fn",
    "torch.float8_e5m2fnuz": "torch.float8_e5m2",
    "torch.float8_e8m0fnu": "torch.float8_e5m2, or jnp.float8_e8m0fnu on the functional face",
    "torch.jit": _COMPILE,
    "torch.jit.load": "torch.load, and model.load_state_dict",
    "torch.jit.save": "torch.save(model.state_dict(), file)",
    "torch.monitor": "logging, or jax.profiler",
    "torch.mps": "JAX chooses the device: leave the call out",
    "torch.mtia": "JAX chooses the device: leave the call out",
    "torch.nested": "a padded tensor and a mask",
    "torch.nn.SyncBatchNorm": "nn.BatchNorm1d, 2d, 3d: in one program over sharded data their statistics are global",
    "torch.nn.attention.flex_attention": "nn.functional.scaled_dot_product_attention with attn_mask",
    "torch.nn.parallel.DistributedDataParallel": _SHARD,
    "torch.nn.parallel.distributed": _SHARD,
    "torch.nn.functional.scaled_grouped_mm": "nn.functional.grouped_mm of scaled matrices",
    "torch.nn.functional.scaled_mm": "torch.mm of matrices times their scales",
    "torch.nn.quantizable": "nn.LSTM, nn.MultiheadAttention without quantisation",
    "torch.nn.utils.parametrize": "calculate the weight in forward() from the parameters that train",
    "torch.onnx": _EXPORT,
    "torch.ops.aten": "the function of torch, torch.Tensor or torch.nn.functional that does the same",
    "torch.package": "torch.save(model.state_dict(), file)",
    "torch.profiler": "jax.profiler.trace(folder) records what runs",
    "torch.quantization": "jax.lax has integer products; quantisation itself is not there",
    "torch.sparse": _SPARSE,
    "torch.sparse_coo_tensor": _SPARSE,
    "torch.sparse_csr_tensor": _SPARSE,
    "torch.utils.bottleneck": "jax.profiler.trace(folder) records what runs",
    "torch.utils.cpp_extension": "jax.ffi calls functions of C++; pytreemod.lift makes them work on tensors",
    "torch.utils.mobile_optimizer": _EXPORT,
    "torch.xpu": "JAX chooses the device: leave the call out",
    "torch.Tensor.backward_hooks": "register_hook",
    "torch.Tensor.to_sparse": _SPARSE,
    "torch.Tensor.map_": "pytreemod.lift(jax.vmap(function))",
}


def alternative(name: str) -> str | None:
    """What to do instead of ``name`` ("torch.jit.script"), if something is known for it or for what it is in."""
    while name:
        if name in ALTERNATIVES:
            return ALTERNATIVES[name]
        name = name.rpartition(".")[0]
    return None


def told(name: str) -> str:
    """A sentence for an error: that ``name`` is not there, and what to do instead."""
    instead = alternative(name)
    return f"pytreemod does not have {name}" + (f"; instead: {instead}" if instead else " (see docs/status.md)")


def refusing(name: str, why: str) -> Callable:
    """A function that only raises ``why``: it is marked, so that its name does not count as there."""

    def refuse(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(f"{name}: {why}")

    refuse.__name__ = refuse.__qualname__ = name.rpartition(".")[2]
    refuse.__absent__ = why  # type: ignore[attr-defined]
    return refuse


def refusal_of(thing: Any) -> str | None:
    """Why a function or class does nothing but refuse; None if it does what it is for."""
    return getattr(thing, "__dict__", {}).get("__absent__")
