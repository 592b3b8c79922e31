"""The raw words of PyTorch's CPU generator: MT19937, held by numpy, exchanged in PyTorch's byte layout.

Layout of ``torch.get_rng_state()`` (5056 bytes, little endian): initial seed (uint64) · words left before the next
twist (int32) · seeded (int32) · words used (uint64) · 624 words, each in a uint64 · three float64, of which the
second is the normal value kept for the next call · whether it is there (int32), 4 spare · a float32 value and its
flag that the CPU generator never sets.
"""

import math
import os
from typing import Any

import numpy as np

BLOCK = 624
BYTES = 5056
_LAYOUT = np.dtype(
    {
        "names": ["seed", "left", "seeded", "next", "words", "kept", "has_kept"],
        "formats": ["<u8", "<i4", "<i4", "<u8", ("<u8", BLOCK), "<f8", "<i4"],
        "offsets": [0, 8, 12, 16, 24, 5024, 5040],
        "itemsize": BYTES,
    }
)


class Words:
    """The state of the generator: the stream of 32-bit words, and the normal value kept between calls."""

    def __init__(self, seed: Any = 67280421310721):  # PyTorch's default seed
        self.kept: float | None = None
        self.manual_seed(seed)

    def manual_seed(self, seed: Any) -> None:
        """Start the stream of ``seed``; negative seeds count from 2**64 down, the words see the low 32 bits.

        Raises:
            ValueError: ``seed`` is outside [-2**63, 2**64).
        """
        seed = int(seed)
        if not -(2**63) <= seed < 2**64:
            raise ValueError(
                f"manual_seed: Overflow when unpacking long long: expected -2**63 to 2**64 - 1, got {seed}"
            )
        self._seed = seed % 2**64
        self._random = np.random.RandomState(self._seed & 0xFFFFFFFF)
        self._untouched = True
        self.kept = None

    def seed(self) -> int:
        """Start from a seed of the operating system's, which is returned."""
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 11)
        return self._seed

    def initial_seed(self) -> int:
        """The seed that this stream was started from, as an unsigned 64-bit number."""
        return self._seed

    def draw(self, count: int) -> np.ndarray:
        """(count,) uint32: the next words."""
        self._untouched &= count == 0
        return self._random.randint(0, 2**32, count, dtype=np.uint32)

    def position(self) -> tuple[np.ndarray, int]:
        """The current 624 words before tempering, and how many of them are used up."""
        state = self._random.get_state(legacy=False)["state"]
        return state["key"].astype(np.uint32), int(state["pos"])

    def place(self, key: np.ndarray, position: int) -> None:
        """Continue from ``position`` in the 624 words ``key``."""
        self._random.set_state(("MT19937", np.asarray(key, np.uint32), int(position)))
        self._untouched = False

    def program_state(self) -> np.ndarray:
        """(629,) uint32: the state as ``ProgramStream`` takes it: 624 words, the position, and the value kept.

        That value stands as a flag and the bits of three float32 whose sum it is.
        """
        key, position = self.position()
        parts = []
        rest = self.kept or 0.0
        for _ in range(3):
            parts.append(np.float32(rest))
            rest -= float(parts[-1])
        tail = [np.uint32(position), np.uint32(self.kept is not None), *np.array(parts).view(np.uint32)]
        return np.concatenate([key, np.array(tail, np.uint32)])

    def load_program_state(self, state: Any) -> None:
        """Continue where a ``ProgramStream`` with this ``state`` stands; the initial seed stays.

        Raises:
            ValueError: ``state`` is not of shape (629,).
        """
        state = np.array(state, np.uint32)
        if state.shape != (BLOCK + 5,):
            raise ValueError(f"load_program_state: expected shape ({BLOCK + 5},), got {state.shape}")
        self.place(state[:BLOCK], int(state[BLOCK]))
        self.kept = math.fsum(state[BLOCK + 2 :].view(np.float32).tolist()) if state[BLOCK + 1] else None

    def get_state(self) -> np.ndarray:
        """(5056,) uint8: the state in PyTorch's layout."""
        key, position = self.position()
        record = np.zeros((), _LAYOUT)
        record["seed"], record["seeded"], record["words"] = self._seed, 1, key
        record["next"] = 0 if self._untouched else position
        record["left"] = 1 if self._untouched else BLOCK + 1 - position
        record["kept"], record["has_kept"] = self.kept or 0.0, self.kept is not None
        return np.frombuffer(record.tobytes(), np.uint8).copy()

    def set_state(self, state: Any) -> None:
        """Continue from a state of ``get_state``, or of PyTorch's CPU generator.

        Raises:
            TypeError: ``state`` holds no bytes.
            RuntimeError: it is no state of this generator; the stream stays as it was.
        """
        state = np.ascontiguousarray(state)
        if state.dtype != np.uint8:
            raise TypeError(f"set_state: RNG state must be a torch.ByteTensor, got dtype {state.dtype}")
        if state.size != BYTES:
            raise RuntimeError(f"set_state: RNG state is wrong size: expected {BYTES} bytes, got {state.size}")
        record = np.frombuffer(state.tobytes(), _LAYOUT)[0]
        left, position = int(record["left"]), int(record["next"])
        if record["seeded"] != 1 or not 0 < left <= BLOCK or position > BLOCK:
            raise RuntimeError("set_state: Invalid mt19937 state")
        # left counts down to the next twist, which is what decides: a seeded, unused state has next = 0, left = 1
        self.place(record["words"].astype(np.uint32), BLOCK + 1 - left)
        self._untouched = position == 0
        self._seed = int(record["seed"])
        self.kept = float(record["kept"]) if record["has_kept"] else None

    def __deepcopy__(self, memo: dict) -> "Words":
        return self._copy()

    def _copy(self) -> "Words":
        other = type(self)()
        other.set_state(self.get_state())
        return other

    def __reduce__(self) -> tuple:
        return _restore, (type(self), self.get_state())


def _restore(kind: type, state: np.ndarray) -> Words:
    words = kind()
    words.set_state(state)
    return words
