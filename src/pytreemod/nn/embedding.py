"""A table of vectors, read by index."""

from typing import Any

import jax.numpy as jnp
from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter


class Embedding(Module):
    """Indices (...) -> rows of ``weight``: (..., embedding_dim).

    The weight starts standard normal; the row ``padding_idx`` starts at zero and gets no gradient.

    Raises:
        ValueError: ``padding_idx`` is out of range, ``_weight`` has another shape, or ``max_norm`` is given
            (it would write into the weight on every call).
        IndexError: on call, when an index is out of range; under ``jax.jit`` such an index reads NaN.
    """

    weight: Array  # (num_embeddings, embedding_dim)

    def __init__(
        self,
        num_embeddings: int,
        embedding_dim: int,
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
        _weight: Array | None = None,
        _freeze: bool = False,
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__()
        if max_norm is not None:
            raise ValueError(
                "Embedding: max_norm rewrites the rows of weight while they are read, which an immutable "
                "layer cannot. Scale the rows after each update instead"
            )
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"Embedding: Padding_idx must be within num_embeddings ({num_embeddings}), got {padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse
        if _weight is None:
            self.weight = Parameter(init.empty((num_embeddings, embedding_dim), dtype), requires_grad=not _freeze)
            self.reset_parameters()
            return
        if tuple(_weight.shape) != (num_embeddings, embedding_dim):
            raise ValueError(
                f"Embedding: Shape of weight does not match num_embeddings and embedding_dim: "
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
        padding_idx: int | None = None,
        max_norm: float | None = None,
        norm_type: float = 2.0,
        scale_grad_by_freq: bool = False,
        sparse: bool = False,
    ) -> "Embedding":
        """The layer whose weight is ``embeddings`` (count, width), frozen unless told.

        Raises:
            ValueError: ``embeddings`` is not of 2 dimensions.
        """
        if len(embeddings.shape) != 2:
            raise ValueError(
                f"Embedding: Embeddings parameter is expected to be 2-dimensional, got {tuple(embeddings.shape)}"
            )
        return cls(
            *embeddings.shape,
            padding_idx=padding_idx,
            max_norm=max_norm,
            norm_type=norm_type,
            scale_grad_by_freq=scale_grad_by_freq,
            sparse=sparse,
            _weight=embeddings,
            _freeze=freeze,
        )

    def forward(self, input: Array) -> Array:
        settings = self.padding_idx, self.max_norm, self.norm_type, self.scale_grad_by_freq, self.sparse
        return F.embedding(input, self.weight, *settings)

    def extra_repr(self) -> str:
        parts = [f"{self.num_embeddings}, {self.embedding_dim}"]
        if self.padding_idx is not None:
            parts.append(f"padding_idx={self.padding_idx}")
        if self.norm_type != 2:
            parts.append(f"norm_type={self.norm_type}")
        if self.scale_grad_by_freq:
            parts.append(f"scale_grad_by_freq={self.scale_grad_by_freq}")
        if self.sparse:
            parts.append("sparse=True")
        return ", ".join(parts)
