"""What autograd calls the functions that both faces share: PyTorch's backward node, and what it keeps for it.

A function that is missing here is called after itself and keeps its inputs. ``saves`` decides only which in-place
change before ``backward()`` is an error, as in PyTorch.
"""

from typing import Any

from pytreemod.torch.tape.value import IN


def _linear(value: Any) -> str:
    """As PyTorch goes about it: a matrix product for matrices, reshaped around it for anything else."""
    spec = value.spec
    given = (*spec.args, *(arg for _, arg in spec.kwargs))
    dims, biased = len(value.aval.shape), sum(arg is IN for arg in given) > 2
    if dims == 2:
        return "AddmmBackward0" if biased else "MmBackward0"
    return "ViewBackward0" if biased else "SqueezeBackward4" if dims == 1 else "UnsafeViewBackward0"


NODES: dict[str, tuple[Any, str]] = {
    "linear": (_linear, "others"),
    "batch_norm_train": ("NativeBatchNormBackward0", "inputs"),
    "avg_pool1d": ("SqueezeBackward1", "inputs"),
    "avg_pool2d": ("AvgPool2DBackward0", "inputs"),
    "avg_pool3d": ("AvgPool3DBackward0", "inputs"),
    "max_pool1d": ("SqueezeBackward1", "inputs"),
    "max_pool3d": ("MaxPool3DWithIndicesBackward0", "inputs"),
    "pad": ("ConstantPadNdBackward0", "none"),
    "dropout_with": ("MulBackward0", "others"),
    "normalize": ("DivBackward0", "inputs"),
    "cosine_similarity": ("SumBackward1", "inputs"),
    "logsigmoid": ("LogSigmoidBackward0", "inputs"),
    "relu": ("ReluBackward0", "output"),
    "sigmoid": ("SigmoidBackward0", "output"),
    "tanh": ("TanhBackward0", "output"),
    "softmax": ("SoftmaxBackward0", "output"),
    "log_softmax": ("LogSoftmaxBackward0", "output"),
    "cross_entropy": ("NllLossBackward0", "inputs"),
    "nll_loss": ("NllLossBackward0", "inputs"),
    "mse_loss": ("MseLossBackward0", "inputs"),
    "l1_loss": ("MeanBackward0", "inputs"),
    "smooth_l1_loss": ("SmoothL1LossBackward0", "inputs"),
    "layer_norm": ("NativeLayerNormBackward0", "inputs"),
    "group_norm": ("NativeGroupNormBackward0", "inputs"),
    "batch_norm": ("NativeBatchNormBackward0", "inputs"),
    "conv1d": ("ConvolutionBackward0", "others"),
    "conv2d": ("ConvolutionBackward0", "others"),
    "conv3d": ("ConvolutionBackward0", "others"),
    "max_pool2d": ("MaxPool2DWithIndicesBackward0", "inputs"),
    "flatten": ("ReshapeAliasBackward0", "none"),
    "silu": ("SiluBackward0", "inputs"),
    "gelu": ("GeluBackward0", "inputs"),
    "embedding": ("EmbeddingBackward0", "indices"),
}
