"""A table of vectors, read by index."""

from typing import Any

import jax.numpy as jnp
from jax import Array

import pytreemod.functional as F
from pytreemod.nn import init
from pytreemod.tree import Module, Parameter


class Table(Module):
    """What layers that read rows of a table have in common: ``weight``, and its row ``padding_idx`` of zeros."""

    weight: Array  # (num_embeddings, embedding_dim)

    def __init__(self, num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse):
        super().__init__()
        if padding_idx is not None:
            if not -num_embeddings <= padding_idx < num_embeddings:
                raise ValueError(
                    f"{type(self).__name__}: {self.padding_name} must be within num_embeddings ({num_embeddings}), "
                    f"got {padding_idx}"
                )
            padding_idx %= num_embeddings
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = padding_idx
        self.max_norm = max_norm
        self.norm_type = norm_type
        self.scale_grad_by_freq = scale_grad_by_freq
        self.sparse = sparse

    def _fill(self, weight: Array | None, freeze: bool, dtype: Any) -> None:
        shape = self.num_embeddings, self.embedding_dim
        if weight is None:
            self.weight = Parameter(init.empty(shape, dtype), requires_grad=not freeze)
            self.reset_parameters()
            return
        if tuple(weight.shape) != shape:
            raise ValueError(
                f"{type(self).__name__}: Shape of weight does not match num_embeddings and embedding_dim: "
                f"expected {shape}, got {tuple(weight.shape)}"
            )
        self.weight = Parameter(weight, requires_grad=not freeze)

    def reset_parameters(self) -> None:
        """Draw the rows anew; that of ``padding_idx`` is zero."""
        old = self.weight
        rows = init.normal(tuple(old.shape), dtype=old.dtype)
        if self.padding_idx is not None:
            rows = jnp.asarray(rows).at[self.padding_idx].set(0)
        self.weight = Parameter(rows)

    def _changed(self, *names: str) -> list[str]:
        """The settings, of those named, that are not as they are by default, as ``repr`` shows them."""
        usual = {"padding_idx": None, "max_norm": None, "norm_type": 2, "scale_grad_by_freq": False, "sparse": False}
        return [f"{name}={getattr(self, name)}" for name in names if getattr(self, name) != usual[name]]


class Embedding(Table):
    """Indices (...) -> rows of ``weight``: (..., embedding_dim).

    The weight starts standard normal; the row ``padding_idx`` starts at zero and gets no gradient. With ``max_norm``
    a live layer shortens, in the weight, the rows it reads.

    Raises:
        ValueError: ``padding_idx`` is out of range, or ``_weight`` has another shape; on call, when ``max_norm`` is
            given and the layer is immutable.
        IndexError: on call, when an index is out of range; under ``jax.jit`` such an index reads NaN.
    """

    padding_name = "Padding_idx"

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
        super().__init__(num_embeddings, embedding_dim, padding_idx, max_norm, norm_type, scale_grad_by_freq, sparse)
        self._fill(_weight, _freeze, dtype)

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
        changed = self._changed("padding_idx", "max_norm", "norm_type", "scale_grad_by_freq", "sparse")
        return ", ".join([f"{self.num_embeddings}, {self.embedding_dim}", *changed])
