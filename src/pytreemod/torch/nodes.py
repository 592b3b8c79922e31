"""What autograd calls the functions that both faces share: PyTorch's backward node, and what it keeps for it.

A function that is missing here is called after itself and keeps its inputs. ``saves`` decides only which in-place
change before ``backward()`` is an error, as in PyTorch.
"""

NODES: dict[str, tuple[str, str]] = {
    "linear": ("AddmmBackward0", "others"),
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
    "embedding": ("EmbeddingBackward0", "none"),
}
