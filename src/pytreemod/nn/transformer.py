"""The encoder of the transformer: its layer, and a stack of them."""

import copy
from collections.abc import Callable
from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.functional.attention import dropout_time_first
from pytreemod.nn.attention import MultiheadAttention
from pytreemod.nn.containers import ModuleList
from pytreemod.nn.dropout import Dropout
from pytreemod.nn.linear import Linear
from pytreemod.nn.norm import LayerNorm
from pytreemod.tree import Module

_ACTIVATIONS = {"relu": F.relu, "gelu": F.gelu}


def activation_named(activation: str | Callable) -> Callable:
    """The function of that name; a function is itself.

    Raises:
        RuntimeError: the name is neither "relu" nor "gelu".
    """
    if not isinstance(activation, str):
        return activation
    if activation not in _ACTIVATIONS:
        raise RuntimeError(f"activation should be relu/gelu, not {activation}")
    return _ACTIVATIONS[activation]


class TransformerEncoderLayer(Module):
    """Self-attention and two affine maps, with shortcuts and LayerNorms: (T, N, d_model) -> (T, N, d_model).

    ``src`` is (N, T, d_model) with ``batch_first`` and may lack N. ``norm_first`` normalises what enters a
    part instead of the sum behind it. The masks are those of ``MultiheadAttention``.

    Raises: as ``MultiheadAttention``; RuntimeError for an unknown activation.
    Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.1.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Array], Array] = F.relu,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        where: dict[str, Any] = {"device": device, "dtype": dtype}
        self.self_attn = MultiheadAttention(
            d_model, nhead, dropout=dropout, bias=bias, batch_first=batch_first, **where
        )
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.activation = activation_named(activation)

    def forward(
        self,
        src: Array,
        src_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool = False,
    ) -> Array:
        def attend(x: Array) -> Array:
            out, _ = self.self_attn(
                x,
                x,
                x,
                attn_mask=src_mask,
                key_padding_mask=src_key_padding_mask,
                need_weights=False,
                is_causal=is_causal,
            )
            if self.self_attn.batch_first and out.ndim == 3:
                return dropout_time_first(out, self.dropout1.p, self.dropout1.training)
            return self.dropout1(out)

        def feed(x: Array) -> Array:
            return self.dropout2(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        if self.norm_first:
            src = src + attend(self.norm1(src))
            return src + feed(self.norm2(src))
        src = self.norm1(src + attend(src))
        return self.norm2(src + feed(src))


class TransformerEncoder(Module):
    """``num_layers`` copies of a ``TransformerEncoderLayer``, then ``norm``: (T, N, d_model), the same.

    The copies start with equal weights, as in PyTorch. ``enable_nested_tensor`` and ``mask_check`` change
    nothing here: they steer a path of PyTorch's for inference.
    """

    def __init__(
        self,
        encoder_layer: Module,
        num_layers: int,
        norm: Module | None = None,
        enable_nested_tensor: bool = True,
        mask_check: bool = True,
    ):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(encoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm
        self.enable_nested_tensor = enable_nested_tensor
        self.mask_check = mask_check

    def forward(
        self,
        src: Array,
        mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        is_causal: bool | None = None,
    ) -> Array:
        for layer in self.layers:
            src = layer(src, src_mask=mask, src_key_padding_mask=src_key_padding_mask, is_causal=bool(is_causal))
        return src if self.norm is None else self.norm(src)
