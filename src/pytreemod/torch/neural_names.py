"""Functions of networks under ``torch`` itself: that of ``torch.nn.functional``, the arguments in another order.

Here the weights of a normalisation come before the statistics, reductions and modes are numbers, and the recurrent
networks take packed data too. Without a reduction these losses are not reduced, although PyTorch's signatures promise
the mean: that is what PyTorch 2.13 computes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import pytreemod.functional as F
from pytreemod.functional.embedding_bag import first_maxima
from pytreemod.functional.recurrent_packed import recurrent
from pytreemod.torch.creation import zeros
from pytreemod.torch.nn import functional
from pytreemod.torch.ops.registry import composite, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap

_REDUCTIONS = ("none", "mean", "sum")
_MODES = ("sum", "mean", "max")


def _reduction(number: Any) -> str:
    """The name of a reduction that is given as PyTorch's number."""
    if number not in (0, 1, 2):
        raise ValueError(f"expected a reduction of 0 (none), 1 (mean) or 2 (sum), got {number!r}")
    return _REDUCTIONS[number]


def _recurrent(kind: str) -> None:
    plain = getattr(F, kind)

    def function(input: Tensor, second: Any, third: Any, fourth: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(third, (tuple, list)) and isinstance(fourth, bool):
            return plain(input, second, tuple(third), fourth, *args, **kwargs)
        batch = int(second[0])  # data, batch_sizes, hx, params, has_biases, ...
        return recurrent(kind, input, second, batch, third, tuple(fourth), *args, **kwargs)

    function.__name__ = function.__qualname__ = kind
    function.__doc__ = (
        f"``{kind}(input, hx, params, has_biases, num_layers, dropout, train, bidirectional, batch_first)``"
        ", or packed: "
        f"``{kind}(data, batch_sizes, hx, params, has_biases, num_layers, dropout, train, bidirectional)``."
    )
    composite(method=False)(function)


for _name in ("lstm", "gru", "rnn_tanh", "rnn_relu"):
    _recurrent(_name)
for _name in ("lstm_cell", "gru_cell", "rnn_tanh_cell", "rnn_relu_cell"):
    composite(method=False)(getattr(F, _name))


@composite(method=False)
def batch_norm(
    input: Tensor,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    training: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """As ``torch.nn.functional.batch_norm``."""
    return functional.batch_norm(input, running_mean, running_var, weight, bias, training, momentum, eps)


@composite(method=False)
def instance_norm(
    input: Tensor,
    weight: Any,
    bias: Any,
    running_mean: Any,
    running_var: Any,
    use_input_stats: bool,
    momentum: float,
    eps: float,
    cudnn_enabled: bool = True,
) -> Tensor:
    """As ``torch.nn.functional.instance_norm``."""
    return functional.instance_norm(input, running_mean, running_var, weight, bias, use_input_stats, momentum, eps)


@composite(method=False)
def ctc_loss(
    log_probs: Tensor,
    targets: Tensor,
    input_lengths: Any,
    target_lengths: Any,
    blank: int = 0,
    reduction: int = 0,
    zero_infinity: bool = False,
) -> Tensor:
    """As ``torch.nn.functional.ctc_loss``."""
    return F.ctc_loss(log_probs, targets, input_lengths, target_lengths, blank, _reduction(reduction), zero_infinity)


@composite(method=False)
def embedding_bag(
    weight: Tensor,
    indices: Tensor,
    offsets: Tensor,
    scale_grad_by_freq: bool = False,
    mode: int = 0,
    sparse: bool = False,
    per_sample_weights: Any = None,
    include_last_offset: bool = False,
    padding_idx: Any = None,
) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """``torch.nn.functional.embedding_bag``, the bag of each index, the length of each bag, and where maxima are from.

    Raises:
        ValueError: a mode that is none of 0 (sum), 1 (mean) and 2 (max).
    """
    if mode not in (0, 1, 2):
        raise ValueError(f"embedding_bag: expected a mode of 0 (sum), 1 (mean) or 2 (max), got {mode!r}")
    out = F.embedding_bag(
        indices,
        weight,
        offsets,
        scale_grad_by_freq=scale_grad_by_freq,
        mode=_MODES[mode],
        sparse=sparse,
        per_sample_weights=per_sample_weights,
        include_last_offset=include_last_offset,
        padding_idx=padding_idx,
    )
    quick = mode == 0 and padding_idx is None and weight.dtype.itemsize <= 4  # where PyTorch keeps nothing
    padding = None if padding_idx is None else padding_idx % weight.shape[0]
    kept = wrap(call(_BAGS, (weight, indices, offsets, mode, include_last_offset, padding)))
    return out, zeros(0, dtype=indices.dtype) if quick else kept[0], *kept[1:]


def _bags(weight: Any, indices: Any, offsets: Any, mode: int, include_last_offset: bool, padding: Any) -> tuple:
    """(the bag of each index, the length of each bag unless it is a sum, for maxima the row of each, else those)."""
    bags = offsets.shape[0] - include_last_offset
    at = jnp.arange(indices.shape[0])
    of_bag = jnp.searchsorted(offsets[:bags], at.astype(offsets.dtype), side="right") - 1
    counted = jnp.ones(indices.shape, bool) if padding is None else indices != padding
    lengths = jax.ops.segment_sum(counted.astype(indices.dtype), of_bag, bags)
    lengths = lengths if mode else jnp.zeros_like(lengths)
    if mode < 2:
        return of_bag.astype(indices.dtype), lengths, lengths
    if not indices.shape[0]:
        return of_bag.astype(indices.dtype), lengths, jnp.zeros((bags, weight.shape[1]), indices.dtype)
    first = first_maxima(weight[indices], of_bag, counted, bags)
    rows = jnp.take(jnp.append(indices, jnp.zeros((1,), indices.dtype)), jnp.minimum(first, indices.shape[0]))
    return of_bag.astype(indices.dtype), lengths, rows


_BAGS = operation(saves="none", method=False, function=False)(_bags)


@composite(method=False)
def kl_div(input: Tensor, target: Tensor, reduction: int = 0, *, log_target: bool = False) -> Tensor:
    """As ``torch.nn.functional.kl_div``."""
    return F.kl_div(input, target, reduction=_reduction(reduction), log_target=log_target)


@composite(method=False)
def binary_cross_entropy_with_logits(
    input: Tensor, target: Tensor, weight: Any = None, pos_weight: Any = None, reduction: int = 0
) -> Tensor:
    """As ``torch.nn.functional.binary_cross_entropy_with_logits``."""
    return F.binary_cross_entropy_with_logits(
        input, target, weight, reduction=_reduction(reduction), pos_weight=pos_weight
    )


@composite(method=False)
def poisson_nll_loss(input: Tensor, target: Tensor, log_input: bool, full: bool, eps: float, reduction: int) -> Tensor:
    """As ``torch.nn.functional.poisson_nll_loss``."""
    return F.poisson_nll_loss(input, target, log_input, full, eps=eps, reduction=_reduction(reduction))


def _numbered(function: Callable) -> None:
    """A loss whose settings are the same, but that the reduction is a number and comes last."""

    def loss(*args: Any, reduction: int = 0, **kwargs: Any) -> Tensor:
        settings = dict(zip(names, args[tensors:], strict=False)) | kwargs
        reduction = settings.pop("reduction", reduction)
        return function(*args[:tensors], **settings, reduction=_reduction(reduction))

    tensors, names = _LOSSES[function.__name__]
    loss.__name__ = loss.__qualname__ = function.__name__
    loss.__doc__ = f"As ``torch.nn.functional.{function.__name__}``."
    composite(method=False)(loss)


_LOSSES = {  # how many tensors a loss takes, and its settings in the order of torch
    "hinge_embedding_loss": (2, ("margin", "reduction")),
    "margin_ranking_loss": (3, ("margin", "reduction")),
    "cosine_embedding_loss": (3, ("margin", "reduction")),
    "triplet_margin_loss": (3, ("margin", "p", "eps", "swap", "reduction")),
}
for _name in _LOSSES:
    _numbered(getattr(F, _name))
