"""Multi-head attention as a layer."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.nn.linear import Linear
from pytreemod.tree import Module, Parameter


class NonDynamicallyQuantizableLinear(Linear):
    """A ``Linear`` under the name that PyTorch shows for ``MultiheadAttention.out_proj``."""


class MultiheadAttention(Module):
    """Query (L, N, E), key (S, N, kdim), value (S, N, vdim) -> (L, N, E) and the weights (N, L, S) or None.

    N may be absent, and comes first with ``batch_first``. The projections start Xavier-uniform, their biases
    at 0; ``out_proj`` starts as a ``Linear`` does. Masks are true where a query may not look, or are added
    to the scores.

    Raises:
        ValueError: a size below 1.
        AssertionError: ``num_heads`` does not divide ``embed_dim``.
        ShapeError, DtypeError: on call, as ``F.multi_head_attention_forward``.
        RuntimeError: on call, dropout in training mode without a source of randomness.

    Source: Vaswani et al. 2017, arXiv:1706.03762.
    """

    in_proj_weight: Array | None  # (3 * embed_dim, embed_dim)
    q_proj_weight: Array | None  # (embed_dim, embed_dim); these three where kdim or vdim differs
    k_proj_weight: Array | None  # (embed_dim, kdim)
    v_proj_weight: Array | None  # (embed_dim, vdim)
    in_proj_bias: Array | None  # (3 * embed_dim,)
    bias_k: Array | None  # (1, 1, embed_dim)
    bias_v: Array | None  # (1, 1, embed_dim)

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        add_bias_kv: bool = False,
        add_zero_attn: bool = False,
        kdim: int | None = None,
        vdim: int | None = None,
        batch_first: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if embed_dim <= 0 or num_heads <= 0:
            raise ValueError(
                "MultiheadAttention: embed_dim and num_heads must be greater than 0, got "
                f"embed_dim={embed_dim} and num_heads={num_heads} instead"
            )
        if embed_dim % num_heads:
            raise AssertionError(
                "MultiheadAttention: embed_dim must be divisible by num_heads, got "
                f"embed_dim={embed_dim} and num_heads={num_heads}"
            )
        self.embed_dim = embed_dim
        self.kdim = embed_dim if kdim is None else kdim
        self.vdim = embed_dim if vdim is None else vdim
        self._qkv_same_embed_dim = self.kdim == embed_dim and self.vdim == embed_dim
        self.num_heads = num_heads
        self.dropout = dropout
        self.batch_first = batch_first
        self.head_dim = embed_dim // num_heads

        def projection(rows: int, columns: int) -> Parameter:
            return Parameter(init.empty((rows, columns), dtype))

        if self._qkv_same_embed_dim:
            self.in_proj_weight = projection(3 * embed_dim, embed_dim)
            for name in ("q_proj_weight", "k_proj_weight", "v_proj_weight"):
                self.register_parameter(name, None)
        else:
            self.q_proj_weight = projection(embed_dim, embed_dim)
            self.k_proj_weight = projection(embed_dim, self.kdim)
            self.v_proj_weight = projection(embed_dim, self.vdim)
            self.register_parameter("in_proj_weight", None)
        self.register_parameter("in_proj_bias", Parameter(init.empty((3 * embed_dim,), dtype)) if bias else None)
        for name in ("bias_k", "bias_v"):
            self.register_parameter(name, Parameter(init.empty((1, 1, embed_dim), dtype)) if add_bias_kv else None)
        self.out_proj = NonDynamicallyQuantizableLinear(embed_dim, embed_dim, bias=bias, device=device, dtype=dtype)
        self.add_zero_attn = add_zero_attn
        self._reset_parameters()

    def _reset_parameters(self) -> None:
        for name in ("in_proj_weight", "q_proj_weight", "k_proj_weight", "v_proj_weight"):
            old = getattr(self, name)
            if old is not None:
                setattr(self, name, Parameter(init.xavier_uniform(tuple(old.shape), dtype=old.dtype)))
        if self.in_proj_bias is not None:
            for owner, name in ((self, "in_proj_bias"), (self.out_proj, "bias")):
                old = getattr(owner, name)
                setattr(owner, name, Parameter(init.zeros(tuple(old.shape), dtype=old.dtype)))
        for name in ("bias_k", "bias_v"):
            old = getattr(self, name)
            if old is not None:
                setattr(self, name, Parameter(init.xavier_normal(tuple(old.shape), dtype=old.dtype)))

    def forward(
        self,
        query: Array,
        key: Array,
        value: Array,
        key_padding_mask: Array | None = None,
        need_weights: bool = True,
        attn_mask: Array | None = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
    ) -> tuple[Array, Array | None]:
        return F.multi_head_attention_forward(
            query,
            key,
            value,
            self.embed_dim,
            self.num_heads,
            self.in_proj_weight,
            self.in_proj_bias,
            self.bias_k,
            self.bias_v,
            self.add_zero_attn,
            self.dropout,
            self.out_proj.weight,
            self.out_proj.bias,
            training=self.training,
            key_padding_mask=key_padding_mask,
            need_weights=need_weights,
            attn_mask=attn_mask,
            use_separate_proj_weight=not self._qkv_same_embed_dim,
            q_proj_weight=self.q_proj_weight,
            k_proj_weight=self.k_proj_weight,
            v_proj_weight=self.v_proj_weight,
            average_attn_weights=average_attn_weights,
            is_causal=is_causal,
            batch_first=self.batch_first,
        )
