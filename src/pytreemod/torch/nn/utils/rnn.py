"""``torch.nn.utils.rnn``: sequences of several lengths, padded to one or packed without gaps.

How long sequences are decides the shape of what is packed, so lengths are read on the host. The values are gathered
by one index, and gradients go back through it.
"""

from __future__ import annotations

import warnings
from collections import namedtuple
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pytreemod.torch.creation import as_tensor
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.tensor import Tensor

_Fields = namedtuple("PackedSequence", ["data", "batch_sizes", "sorted_indices", "unsorted_indices"])


class PackedSequence(_Fields):
    """All steps of several sequences, step by step, longest sequence first: data (sum, ...), batch_sizes (T,).

    ``sorted_indices`` says which sequence is the first, second, ... longest, ``unsorted_indices`` is its inverse; both
    are None where the sequences came sorted.

    Raises:
        ValueError: ``batch_sizes`` is missing.
    """

    __slots__ = ()
    __module__ = "torch.nn.utils.rnn"

    def __new__(
        cls, data: Any, batch_sizes: Any = None, sorted_indices: Any = None, unsorted_indices: Any = None
    ) -> PackedSequence:
        if unsorted_indices is None:
            unsorted_indices = invert_permutation(sorted_indices)
        if batch_sizes is None:
            if not (isinstance(data, (list, tuple)) and len(data) == 2):
                raise ValueError("PackedSequence: expected data and batch_sizes, or a pair of both")
            data, batch_sizes = data
        return super().__new__(cls, data, batch_sizes, sorted_indices, unsorted_indices)

    def to(self, *args: Any, **kwargs: Any) -> PackedSequence:
        """With the data of another dtype or on another device; itself where nothing changes."""
        data = self.data.to(*args, **kwargs)
        return self if data is self.data else self._replace(data=data)

    def _cast(self, name: str) -> PackedSequence:
        return self._replace(data=getattr(self.data, name)())

    @property
    def is_cuda(self) -> bool:
        return self.data.is_cuda

    def is_pinned(self) -> bool:
        return self.data.is_pinned()

    def pin_memory(self) -> PackedSequence:
        return self


def _method(name: str) -> Any:
    def method(self: PackedSequence, *args: Any, **kwargs: Any) -> PackedSequence:
        return self._cast(name)

    method.__name__ = method.__qualname__ = name
    return method


for _name in ("double", "float", "half", "long", "int", "short", "char", "byte", "cpu", "cuda"):
    setattr(PackedSequence, _name, _method(_name))


def invert_permutation(permutation: Tensor | None) -> Tensor | None:
    """The permutation that undoes this one; of None, None."""
    return None if permutation is None else _like(np.argsort(_numbers(permutation)))


def pack_padded_sequence(
    input: Tensor, lengths: Any, batch_first: bool = False, enforce_sorted: bool = True
) -> PackedSequence:
    """Sequences padded to one length, (T, N, ...) or (N, T, ...), without the padding.

    Raises:
        RuntimeError: lengths that are not all from 1 to T, not N of them, or not sorted although ``enforce_sorted``.
    """
    sizes = np.asarray(_numbers(lengths), np.int64)
    order = None
    if not enforce_sorted:
        order = np.argsort(-sizes, kind="stable")
        sizes = sizes[order]
        input = input[:, _like(order)] if not batch_first else input[_like(order)]
    if batch_first:
        input = input.transpose(0, 1)  # type: ignore[attr-defined]
    steps, batch = input.shape[:2]
    if sizes.ndim != 1 or len(sizes) != batch:
        raise RuntimeError(
            f"Expected `len(lengths)` to be equal to batch_size, but got {sizes.size} (batch_size={batch})"
        )
    if not len(sizes):
        raise RuntimeError("Cannot pack empty tensors.")
    if (np.diff(sizes) > 0).any():
        raise RuntimeError(
            "`lengths` array must be sorted in decreasing order when `enforce_sorted` is True. You can pass "
            "`enforce_sorted=False` to pack_padded_sequence and/or pack_sequence to sidestep this requirement if "
            "you do not need ONNX exportability."
        )
    if sizes[-1] <= 0:
        raise RuntimeError(
            "Length of all samples has to be greater than 0, but found an element in 'lengths' that is <= 0"
        )
    if sizes[0] > steps:
        raise RuntimeError(f"Expected lengths of at most {steps}, the padded length, but got {sizes[0]}")
    alive = np.arange(sizes[0])[:, None] < sizes
    data = input.reshape(steps * batch, *input.shape[2:])[_like(np.flatnonzero(alive))]
    indices = None if order is None else _like(order)
    return PackedSequence(data, _like(alive.sum(1)), indices, None)


def pad_packed_sequence(
    sequence: PackedSequence, batch_first: bool = False, padding_value: float = 0.0, total_length: int | None = None
) -> tuple[Tensor, Tensor]:
    """The padded sequences (T, N, ...) or (N, T, ...), in their first order, and their lengths (N,).

    Raises:
        ValueError: ``total_length`` is less than the longest sequence.
    """
    data, batch_sizes, _, unsorted = sequence
    sizes = _numbers(batch_sizes)
    steps = len(sizes)
    if total_length is not None:
        if total_length < steps:
            raise ValueError(
                "Expected total_length to be at least the length of the longest sequence in input, but got "
                f"total_length={total_length} and max sequence length being {steps}"
            )
        steps = total_length
    back = None if unsorted is None else _numbers(unsorted)
    batch = int(sizes[0])
    alive = np.zeros((steps, batch), bool)
    alive[: len(sizes)] = np.arange(batch) < sizes[:, None]
    rows = np.where(alive, np.cumsum(alive).reshape(alive.shape) - 1, 0)
    if back is not None:
        alive, rows = alive[:, back], rows[:, back]
    lengths = alive.sum(0)
    if batch_first:
        alive, rows = alive.T, rows.T
    padded = data[_like(rows)]
    wide = as_tensor(alive.reshape(*alive.shape, *(1,) * (padded.ndim - 2)))
    return padded.masked_fill(~wide, padding_value), _like(lengths)


def pad_sequence(
    sequences: Any, batch_first: bool = False, padding_value: float = 0.0, padding_side: str = "right"
) -> Tensor:
    """Sequences (L, ...) of several lengths as one tensor, (T, N, ...) or (N, T, ...) with ``batch_first``.

    Raises:
        RuntimeError: no iterable, no sequences, dimensions that differ, or an unknown side.
    """
    if not isinstance(sequences, Iterable):
        raise RuntimeError(
            f"pad_sequence: Expected iterable for input sequences, but got arg of type: {type(sequences)}"
        )
    if padding_side not in ("left", "right"):
        raise RuntimeError(f"Expected padding_side to be one of left or right, but got {padding_side}.")
    parts = list(sequences)
    if not parts:
        raise RuntimeError("received an empty list of sequences")
    longest = max(part.shape[0] for part in parts)
    rest = tuple(parts[0].shape[1:])
    padded = []
    for part in parts:
        if tuple(part.shape[1:]) != rest:
            raise RuntimeError(
                f"pad_sequence: the sequences must have equal sizes after the first dimension, got {list(rest)} and "
                f"{list(part.shape[1:])}"
            )
        missing = longest - part.shape[0]
        if missing:
            filler = part.new_full((missing, *rest), padding_value)
            part = FUNCTIONS["cat"]([filler, part] if padding_side == "left" else [part, filler])
        padded.append(part)
    return FUNCTIONS["stack"](padded, 0 if batch_first else 1)


def unpad_sequence(padded_sequences: Tensor, lengths: Any, batch_first: bool = False) -> list[Tensor]:
    """The sequences of ``pad_sequence``, each with its own length."""
    parts = padded_sequences if batch_first else padded_sequences.transpose(0, 1)  # type: ignore[attr-defined]
    return [parts[i, : int(length)] for i, length in enumerate(_numbers(lengths))]


def pack_sequence(sequences: Sequence[Tensor], enforce_sorted: bool = True) -> PackedSequence:
    """Sequences (L, ...) of several lengths, packed; longest first unless ``enforce_sorted`` is False.

    Raises: as ``pack_padded_sequence``.
    """
    lengths = [part.shape[0] for part in sequences]
    return pack_padded_sequence(pad_sequence(sequences), lengths, enforce_sorted=enforce_sorted)


def unpack_sequence(packed_sequences: PackedSequence) -> list[Tensor]:
    """The sequences that were packed."""
    return unpad_sequence(*pad_packed_sequence(packed_sequences, batch_first=True), batch_first=True)


def _numbers(values: Any) -> np.ndarray:
    if isinstance(values, Tensor):
        return np.asarray(values._array())
    if isinstance(values, np.ndarray):
        return values
    if any(isinstance(v, Tensor) for v in values):
        warnings.warn("pack_padded_sequence: a list of tensors as lengths is read one by one", stacklevel=3)
    return np.asarray([int(v) for v in values], np.int64)


def _like(numbers: np.ndarray) -> Tensor:
    return as_tensor(np.ascontiguousarray(numbers, np.int64))


__all__ = [
    "PackedSequence",
    "invert_permutation",
    "pack_padded_sequence",
    "pack_sequence",
    "pad_packed_sequence",
    "pad_sequence",
    "unpack_sequence",
    "unpad_sequence",
]
