"""A table of vectors, read in bags and reduced."""

from typing import Any

import jax.numpy as jnp
from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter


class EmbeddingBag(Module):
    """Indices (B, N), or (N,) with offsets (B,) -> sums, means or maxima of rows of ``weight``: (B, embedding_dim).

    The weight starts standard normal; the row ``padding_idx`` starts at zero and counts for nothing.

    Raises:
        ValueError: ``padding_idx`` is out of range, ``_weight`` has another shape, or ``max_norm`` is given
            (it would write into the weight on every call).
        ShapeError, IndexError: on call, as ``F.embedding_bag``.
    """

    weight: Array  # (num_embeddings, embedding_dim)

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        _weight: Array | None = None,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
        device: Any = None,
        dtype: Any = None,
        _freeze: bool = False,
    ):
        super().__init__()
        if max_norm is not None:
            raise ValueError(
                "EmbeddingBag: max_norm rewrites the rows of weight while they are read, which an immutable "
                "layer cannot. Scale the rows after each update instead"
            )
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"EmbeddingBag: padding_idx must be within num_embeddings ({num_embeddings}), got {padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.padding_idx = padding_idx
        self.mode = mode
        self.sparse = sparse
        self.include_last_offset = include_last_offset
        if _weight is None:
            self.weight = Parameter(init.empty((num_embeddings, embedding_dim), dtype), requires_grad=not _freeze)
            self.reset_parameters()
            return
        if tuple(_weight.shape) != (num_embeddings, embedding_dim):
            raise ValueError(
                "EmbeddingBag: Shape of weight does not match num_embeddings and embedding_dim: "
                f"expected {(num_embeddings, embedding_dim)}, got {tuple(_weight.shape)}"
            )
        self.weight = Parameter(_weight, requires_grad=not _freeze)

    def reset_parameters(self) -> None:
        """Draw the rows anew; that of ``padding_idx`` is zero."""
        old = self.weight
        rows = init.normal(tuple(old.shape), dtype=old.dtype)
        if self.padding_idx is not None:
            rows = jnp.asarray(rows).at[self.padding_idx].set(0)
        self.weight = Parameter(rows)

    @classmethod
    def from_pretrained(
        cls,
        embeddings: Array,
        freeze: bool = True,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        mode: str = "mean",
        sparse: bool = False,
        include_last_offset: bool = False,
        padding_idx: int | None = None,
    ) -> "EmbeddingBag":
        """The layer whose weight is ``embeddings`` (count, width), frozen unless told.

        Raises:
            ValueError: ``embeddings`` is not of 2 dimensions.
        """
        if len(embeddings.shape) != 2:
            raise ValueError(
                f"EmbeddingBag: Embeddings parameter is expected to be 2-dimensional, got {tuple(embeddings.shape)}"
            )
        return cls(
            *embeddings.shape,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            mode=mode,
            sparse=sparse,
            _weight=embeddings,
            include_last_offset=include_last_offset,
            padding_idx=padding_idx,
            _freeze=freeze,
        )

    def forward(self, input: Array, offsets: Array | None = None, per_sample_weights: Array | None = None) -> Array:
        return F.embedding_bag(
            input,
            self.weight,
            offsets,
            self.max_norm,
            self.norm_type,
            self.scale_grad_by_freq,
            self.mode,
            self.sparse,
            per_sample_weights,
            self.include_last_offset,
            self.padding_idx,
        )

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        parts.append(f"mode={self.mode!r}")
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        return ", ".join(parts)
