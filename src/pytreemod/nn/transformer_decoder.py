"""The decoder of the transformer, and the transformer of encoder and decoder."""

import copy
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
from jax import Array

import pytreemod.functional as F
from pytreemod.functional.attention import dropout_time_first
from pytreemod.nn import init
from pytreemod.nn.attention import MultiheadAttention
from pytreemod.nn.containers import ModuleList
from pytreemod.nn.dropout import Dropout
from pytreemod.nn.linear import Linear
from pytreemod.nn.norm import LayerNorm
from pytreemod.nn.transformer import TransformerEncoder, TransformerEncoderLayer, activation_named
from pytreemod.tree import Module, Parameter


class TransformerDecoderLayer(Module):
    """Self-attention, attention to ``memory`` and two affine maps: (T, N, d_model), (S, N, d_model) -> (T, N, d_model).

    N comes first with ``batch_first`` and may be absent. ``norm_first`` normalises what enters a part instead of
    the sum behind it. The masks are those of ``MultiheadAttention``.

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
        heads: dict[str, Any] = {"dropout": dropout, "batch_first": batch_first, "bias": bias, **where}
        self.self_attn = MultiheadAttention(d_model, nhead, **heads)
        self.multihead_attn = MultiheadAttention(d_model, nhead, **heads)
        self.linear1 = Linear(d_model, dim_feedforward, bias=bias, **where)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias=bias, **where)
        self.norm_first = norm_first
        self.norm1 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm2 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.norm3 = LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)
        self.dropout3 = Dropout(dropout)
        self.activation = activation_named(activation)

    def forward(
        self,
        tgt: Array,
        memory: Array,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
    ) -> Array:
        def attend(attention: Any, x: Array, to: Array, masks: tuple, dropout: Any) -> Array:
            mask, padding, causal = masks
            out, _ = attention(
                x, to, to, attn_mask=mask, key_padding_mask=padding, need_weights=False, is_causal=causal
            )
            if attention.batch_first and out.ndim == 3:
                return dropout_time_first(out, dropout.p, dropout.training)
            return dropout(out)

        def look(x: Array) -> Array:
            masks = tgt_mask, tgt_key_padding_mask, tgt_is_causal
            return attend(self.self_attn, x, x, masks, self.dropout1)

        def remember(x: Array) -> Array:
            masks = memory_mask, memory_key_padding_mask, memory_is_causal
            return attend(self.multihead_attn, x, memory, masks, self.dropout2)

        def feed(x: Array) -> Array:
            return self.dropout3(self.linear2(self.dropout(self.activation(self.linear1(x)))))

        x = tgt
        for part, norm in ((look, self.norm1), (remember, self.norm2), (feed, self.norm3)):
            x = x + part(norm(x)) if self.norm_first else norm(x + part(x))
        return x


class TransformerDecoder(Module):
    """``num_layers`` copies of a ``TransformerDecoderLayer``, then ``norm``: (T, N, d_model), (S, N, d_model).

    The copies start with equal weights, as in PyTorch.
    """

    def __init__(self, decoder_layer: Module, num_layers: int, norm: Module | None = None):
        super().__init__()
        self.layers = ModuleList([copy.deepcopy(decoder_layer) for _ in range(num_layers)])
        self.num_layers = num_layers
        self.norm = norm

    def forward(
        self,
        tgt: Array,
        memory: Array,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Array:
        for layer in self.layers:
            tgt = layer(
                tgt,
                memory,
                tgt_mask=tgt_mask,
                memory_mask=memory_mask,
                tgt_key_padding_mask=tgt_key_padding_mask,
                memory_key_padding_mask=memory_key_padding_mask,
                tgt_is_causal=bool(tgt_is_causal),
                memory_is_causal=memory_is_causal,
            )
        return tgt if self.norm is None else self.norm(tgt)


class Transformer(Module):
    """An encoder and a decoder: src (S, N, d_model), tgt (T, N, d_model) -> (T, N, d_model).

    N comes first with ``batch_first`` and may be absent. All weights of two and more dimensions start Xavier-uniform,
    those of ``custom_encoder`` and ``custom_decoder`` too.

    Raises:
        RuntimeError: on call, batches or numbers of features that differ; else as ``MultiheadAttention``.
    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Callable[[Array], Array] = F.relu,
        custom_encoder: Any = None,
        custom_decoder: Any = None,
        layer_norm_eps: float = 1e-5,
        batch_first: bool = False,
        norm_first: bool = False,
        bias: bool = True,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        layer = d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps, batch_first, norm_first, bias
        where: dict[str, Any] = {"device": device, "dtype": dtype}

        def norm() -> Module:
            return LayerNorm(d_model, eps=layer_norm_eps, bias=bias, **where)

        if custom_encoder is not None:
            self.encoder = custom_encoder
        else:
            encoder_layer = TransformerEncoderLayer(*layer, **where)
            self.encoder = TransformerEncoder(encoder_layer, num_encoder_layers, norm())
        if custom_decoder is not None:
            self.decoder = custom_decoder
        else:
            decoder_layer = TransformerDecoderLayer(*layer, **where)
            self.decoder = TransformerDecoder(decoder_layer, num_decoder_layers, norm())
        self._reset_parameters()
        self.d_model = d_model
        self.nhead = nhead
        self.batch_first = batch_first

    def _reset_parameters(self) -> None:
        for name, parameter in list(self.named_parameters()):
            if len(parameter.shape) > 1:
                path, _, last = name.rpartition(".")
                drawn = init.xavier_uniform(tuple(parameter.shape), dtype=parameter.dtype)
                setattr(self.get_submodule(path), last, Parameter(drawn))

    def forward(
        self,
        src: Array,
        tgt: Array,
        src_mask: Array | None = None,
        tgt_mask: Array | None = None,
        memory_mask: Array | None = None,
        src_key_padding_mask: Array | None = None,
        tgt_key_padding_mask: Array | None = None,
        memory_key_padding_mask: Array | None = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
    ) -> Array:
        batch = 0 if self.batch_first else 1
        if src.ndim == 3 and tgt.ndim == 3 and src.shape[batch] != tgt.shape[batch]:
            raise RuntimeError(
                f"Transformer: the batch number of src and tgt must be equal, got {tuple(src.shape)} "
                f"and {tuple(tgt.shape)}"
            )
        if src.shape[-1] != self.d_model or tgt.shape[-1] != self.d_model:
            raise RuntimeError(
                f"Transformer: the feature number of src and tgt must be equal to d_model ({self.d_model}), "
                f"got {tuple(src.shape)} and {tuple(tgt.shape)}"
            )
        memory = self.encoder(src, mask=src_mask, src_key_padding_mask=src_key_padding_mask, is_causal=src_is_causal)
        return self.decoder(
            tgt,
            memory,
            tgt_mask=tgt_mask,
            memory_mask=memory_mask,
            tgt_key_padding_mask=tgt_key_padding_mask,
            memory_key_padding_mask=memory_key_padding_mask,
            tgt_is_causal=tgt_is_causal,
            memory_is_causal=memory_is_causal,
        )

    @staticmethod
    def generate_square_subsequent_mask(sz: int, device: Any = None, dtype: Any = None) -> Array:
        """(sz, sz): -inf where a step would look at a later one, else 0."""
        kind = jnp.dtype("float32" if dtype is None else dtype)
        return jnp.where(jnp.tri(sz, dtype=bool), jnp.zeros((), kind), jnp.full((), -jnp.inf, kind))
