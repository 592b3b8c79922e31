"""Names of PyTorch for sparse and quantised tensors: what there is none of says so, and what to use in its place."""

from collections.abc import Callable
from typing import Any

from pytreemod.torch.missing import refusing
from pytreemod.torch.ops.keywords import spelling
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.tensor import Tensor

_SPARSE = "sparse tensors are not implemented; use dense ones, where a zero is an element like any other"
_PRODUCT = "sparse tensors are not implemented; use {} of dense ones"
_QUANTISED = "quantised tensors are not implemented; use x.to(torch.int8) with a scale of your own"

ABSENT = {
    **dict.fromkeys(
        "sparse_coo_tensor sparse_csr_tensor sparse_csc_tensor sparse_bsr_tensor sparse_bsc_tensor "
        "sparse_compressed_tensor indices_copy values_copy crow_indices_copy col_indices_copy ccol_indices_copy "
        "row_indices_copy resize_as_sparse_".split(),
        _SPARSE,
    ),
    "native_norm": "PyTorch has it for sparse tensors alone; use torch.linalg.vector_norm",
    **dict.fromkeys("smm dsmm hsmm hspmm".split(), _PRODUCT.format("torch.mm")),
    **dict.fromkeys("saddmm sspaddmm".split(), _PRODUCT.format("torch.addmm")),
    **dict.fromkeys(
        "quantize_per_tensor quantize_per_tensor_dynamic quantize_per_channel empty_quantized int_repr q_scale "
        "q_zero_point q_per_channel_scales q_per_channel_zero_points q_per_channel_axis quantized_batch_norm "
        "quantized_gru_cell quantized_lstm_cell quantized_rnn_relu_cell quantized_rnn_tanh_cell quantized_max_pool1d "
        "quantized_max_pool2d quantized_max_pool3d fake_quantize_per_tensor_affine fake_quantize_per_channel_affine "
        "fused_moving_avg_obs_fake_quant choose_qparams_optimized".split(),
        _QUANTISED,
    ),
}
_METHODS = {
    **dict.fromkeys(
        "to_sparse to_sparse_coo to_sparse_csr to_sparse_csc to_sparse_bsr to_sparse_bsc sparse_mask sparse_resize_ "
        "sparse_resize_and_clear_ resize_as_sparse_".split(),
        _SPARSE,
    ),
    **dict.fromkeys("smm sspaddmm".split(), _PRODUCT.format("torch.mm or torch.addmm")),
    **dict.fromkeys(
        "int_repr q_scale q_zero_point q_per_channel_scales q_per_channel_zero_points q_per_channel_axis "
        "qscheme".split(),
        _QUANTISED,
    ),
    "to_mkldnn": "tensors of MKL-DNN are not implemented; a dense tensor serves in their place",
    "to_padded_tensor": "nested tensors are not implemented; torch.nn.utils.rnn.pad_sequence pads a list of tensors",
    "storage_type": "storages have no class for each dtype; use x.dtype",
    "xpu": "there are no such devices here; JAX chooses where programs run",
    "ipu": "there are no such devices here; JAX chooses where programs run",
    "mtia": "there are no such devices here; JAX chooses where programs run",
}


for _name, _why in ABSENT.items():
    FUNCTIONS[_name] = refusing(f"torch.{_name}", _why)
for _name, _why in _METHODS.items():
    setattr(Tensor, _name, refusing(f"Tensor.{_name}", _why))


# ---- what PyTorch itself refuses of a dense tensor, and what it answers


def _needs(name: str, layout: str) -> Callable:
    def refuse(self: Tensor) -> Any:
        raise RuntimeError(f"{name} expected {layout} tensor layout but got Strided")

    refuse.__name__ = name
    return refuse


for _name, _layout in {
    "coalesce": "sparse coordinate", "indices": "sparse coordinate", "values": "sparse", "crow_indices":
    "sparse row compressed", "col_indices": "sparse row compressed", "ccol_indices": "sparse column compressed",
    "row_indices": "sparse column compressed",
}.items():  # fmt: skip
    setattr(Tensor, _name, _needs(_name, _layout))


def to_dense(self: Tensor, dtype: Any = None, *, masked_grad: Any = None) -> Tensor:
    """The tensor itself, in another dtype if asked for."""
    return self if dtype is None else self.to(dtype)  # type: ignore[attr-defined]


def dequantize(input: Tensor) -> Tensor:
    """The tensor in float32, as nothing here is quantised."""
    return input.float()  # type: ignore[attr-defined]


Tensor.to_dense = to_dense  # type: ignore[attr-defined]
Tensor.dequantize = FUNCTIONS["dequantize"] = spelling(dequantize)  # type: ignore[attr-defined]
Tensor.sparse_dim = lambda self: 0  # type: ignore[attr-defined]
Tensor.dense_dim = lambda self: self.ndim  # type: ignore[attr-defined]
