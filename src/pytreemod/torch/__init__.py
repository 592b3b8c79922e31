"""The stateful face: PyTorch's Tensor, Module and Optimizer on a recorded program that JAX compiles.

``import pytreemod.torch as torch`` runs a PyTorch training script.
"""

from importlib import import_module
from importlib.util import find_spec
from math import e, inf, nan, pi  # noqa: F401
from typing import Any

from pytreemod.quick import uncollected

with uncollected():
    from pytreemod.torch import (  # noqa: F401  (imported for what they attach to Tensor)
        attributes,
        autograd,
        backward,
        cuda,
        facts,
        func,
        index_values,
        indexing,
        linalg,
        messages,
        neural_names,
        nn,
        ops,
        optim,
        reading,
        sampling,
        text,
        utils,
        version,
    )
    from pytreemod.torch.autograd.mode import (
        enable_grad,
        inference_mode,
        is_grad_enabled,
        is_inference_mode_enabled,
        no_grad,
        set_grad_enabled,
    )
    from pytreemod.torch.bridge import lift  # noqa: F401
    from pytreemod.torch.compiling import compile
    from pytreemod.torch.control_flow import cond, while_loop
    from pytreemod.torch.creation import (
        as_tensor,
        empty,
        empty_like,
        from_numpy,
        full,
        full_like,
        is_complex,
        is_floating_point,
        is_tensor,
        numel,
        ones,
        ones_like,
        tensor,
        zeros,
        zeros_like,
    )
    from pytreemod.torch.dtypes import (
        bfloat16,
        cdouble,
        cfloat,
        complex64,
        complex128,
        double,
        dtype,
        float8_e4m3fn,
        float8_e5m2,
        float16,
        float32,
        float64,
        get_default_dtype,
        half,
        int8,
        int16,
        int32,
        int64,
        long,
        set_default_dtype,
        short,
        uint8,
        uint16,
        uint32,
        uint64,
    )
    from pytreemod.torch.dtypes import bool as bool_
    from pytreemod.torch.dtypes import float as float_
    from pytreemod.torch.dtypes import int as int_
    from pytreemod.torch.facts import TypedStorage, UntypedStorage, is_storage
    from pytreemod.torch.func import vmap  # noqa: F401
    from pytreemod.torch.legacy import (
        BFloat16Tensor,
        BoolTensor,
        ByteTensor,
        CharTensor,
        DoubleTensor,
        FloatTensor,
        HalfTensor,
        IntTensor,
        LongTensor,
        ShortTensor,
        set_default_tensor_type,
    )
    from pytreemod.torch.missing import told
    from pytreemod.torch.ops.registry import FUNCTIONS
    from pytreemod.torch.printing import set_printoptions
    from pytreemod.torch.promotion import can_cast, promote_types, result_type
    from pytreemod.torch.random import (
        Generator,
        bernoulli,
        default_generator,
        get_rng_state,
        initial_seed,
        manual_seed,
        multinomial,
        normal,
        rand,
        rand_like,
        randint,
        randint_like,
        randn,
        randn_like,
        randperm,
        seed,
        set_rng_state,
    )
    from pytreemod.torch.ranges import (
        arange,
        eye,
        linspace,
        logspace,
        range,
        scalar_tensor,
        tril_indices,
        triu_indices,
    )
    from pytreemod.torch.reading import from_dlpack, to_dlpack
    from pytreemod.torch.sampling import binomial, poisson
    from pytreemod.torch.serialization import load, save
    from pytreemod.torch.settings import (
        __version__,  # noqa: F401
        are_deterministic_algorithms_enabled,
        compiled_with_cxx11_abi,
        get_default_device,
        get_deterministic_debug_mode,
        get_device_module,
        get_float32_matmul_precision,
        get_num_interop_threads,
        get_num_threads,
        init_num_threads,
        is_deterministic_algorithms_warn_only_enabled,
        is_warn_always_enabled,
        set_default_device,
        set_deterministic_debug_mode,
        set_float32_matmul_precision,
        set_flush_denormal,
        set_num_interop_threads,
        set_num_threads,
        set_warn_always,
        typename,
        use_deterministic_algorithms,
    )
    from pytreemod.torch.size import (
        Size,
        _mkldnn,  # noqa: F401
        channels_last,
        channels_last_3d,
        contiguous_format,
        device,
        jagged,
        layout,
        memory_format,
        preserve_format,
        sparse_bsc,
        sparse_bsr,
        sparse_coo,
        sparse_csc,
        sparse_csr,
        strided,
    )
    from pytreemod.torch.tensor import Tensor
    from pytreemod.torch.type_info import finfo, iinfo

bool, int, float = bool_, int_, float_
globals().update({name: function for name, function in FUNCTIONS.items() if name not in globals()})

__all__ = [
    name for name in globals() if not name.startswith("_") and name not in ("find_spec", "import_module", "told")
]


# loaded at first use: few programs need them
_LAZY = frozenset(
    "_dynamo _inductor accelerator amp backends compiler cpu distributions fft futures hub jit masked mps "
    "multiprocessing overrides profiler signal sparse special testing xpu".split()
)
_LATE = dict.fromkeys(
    (
        "autocast autocast_decrement_nesting autocast_increment_nesting clear_autocast_cache get_autocast_cpu_dtype "
        "get_autocast_dtype get_autocast_gpu_dtype is_autocast_cache_enabled is_autocast_cpu_enabled "
        "is_autocast_enabled set_autocast_cache_enabled set_autocast_cpu_dtype set_autocast_cpu_enabled "
        "set_autocast_dtype set_autocast_enabled set_autocast_gpu_dtype"
    ).split(),
    "amp.autocast_mode",
) | {
    "fork": "jit", "wait": "jit", "GradScaler": "amp.grad_scaler", "Tag": "tags", "from_file": "files",
    "thread_safe_generator": "random",
}  # fmt: skip  # functions and classes of such modules


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"{__name__}.{_LATE[name]}"), name)
    if name in _LAZY and find_spec(f"{__name__}.{name}"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module 'torch' has no attribute '{name}': {told(f'torch.{name}')}")
