"""A table of vectors, read in bags and reduced."""

from typing import Any

from jax import Array

import pytreemod.functional as F
from pytreemod.nn.embedding import Table


class EmbeddingBag(Table):
    """Indices (B, N), or (N,) with offsets (B,) -> sums, means or maxima of rows of ``weight``: (B, embedding_dim).

    The weight starts standard normal; the row ``padding_idx`` starts at zero and counts for nothing. With ``max_norm``
    a live layer shortens, in the weight, the rows it reads.

    Raises:
        ValueError: ``padding_idx`` is out of range, or ``_weight`` has another shape; on call, when ``max_norm`` is
            given and the layer is immutable.
        ShapeError, IndexError: on call, as ``F.embedding_bag``.
    """

    padding_name = "padding_idx"

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
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        self.mode = mode
        self.include_last_offset = include_last_offset
        self._fill(_weight, _freeze, dtype)

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
        changed = self._changed("max_norm", "norm_type", "scale_grad_by_freq"), self._changed("padding_idx")
        return ", ".join(
            [f"{self.num_embeddings}, {self.embedding_dim}", *changed[0], f"mode={self.mode!r}", *changed[1]]
        )
