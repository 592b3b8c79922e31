"""Which functions and methods of PyTorch return one tensor, whatever they are given: the common ones, by name."""

from __future__ import annotations

_MADE = (
    "arange as_tensor empty empty_like eye from_numpy full full_like linspace logspace ones ones_like rand rand_like "
    "randint randint_like randn randn_like randperm scalar_tensor tensor tril_indices triu_indices zeros zeros_like "
    "bernoulli multinomial normal"
)
_BOTH = (
    "abs acos add addmm argmax argmin argsort asin atan atan2 baddbmm bmm ceil clamp clamp_max clamp_min "
    "clone cos cosh cross cumprod cumsum detach diag diagonal div dot einsum eq erf exp expm1 flatten flip floor fmod "
    "gather ge gt index_select isfinite isinf isnan le lerp log log10 log1p log2 logical_and logical_not logical_or "
    "logical_xor logsumexp lt masked_fill masked_select matmul maximum mean minimum mm movedim mul mv ne neg outer "
    "permute pow prod reciprocal relu remainder repeat_interleave reshape roll round rsqrt scatter scatter_add "
    "sigmoid sign sin sinh softmax log_softmax sqrt square squeeze sub sum swapaxes t take tan tanh trace transpose "
    "tril triu trunc unsqueeze"
)
_FUNCTIONS = "cat stack hstack vstack dstack concat concatenate cdist combinations cartesian_prod tensordot"
_METHODS = (
    "bfloat16 bool byte char clamp_ contiguous copy_ cpu cuda double expand expand_as fill_ float half int long "
    "new_empty new_full new_ones new_tensor new_zeros normal_ pin_memory repeat requires_grad_ short to type_as "
    "uniform_ view view_as zero_ add_ sub_ mul_ div_"
)
_NEURAL = (
    "relu gelu silu elu selu leaky_relu softplus softmax log_softmax sigmoid tanh linear conv1d conv2d conv3d "
    "embedding dropout layer_norm group_norm batch_norm cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss "
    "huber_loss binary_cross_entropy binary_cross_entropy_with_logits kl_div one_hot pad normalize cosine_similarity "
    "interpolate scaled_dot_product_attention avg_pool1d avg_pool2d"
)

_RETURN_TENSORS = frozenset(
    [f"torch.{name}" for name in f"{_MADE} {_BOTH} {_FUNCTIONS}".split()]
    + [f"torch.Tensor.{name}" for name in f"{_BOTH} {_METHODS}".split()]
    + [f"torch.nn.functional.{name}" for name in _NEURAL.split()]
    + ["torch.nn.Parameter", "torch.nn.parameter.Parameter", "torch.autograd.Variable"]
)


def returns_tensor(name: str) -> bool:
    """Is a call of this dotted name a tensor, for sure?"""
    return name in _RETURN_TENSORS
