"""The data of the examples, read from ``examples/data`` with numpy and the standard library."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import numpy as np

FOLDER = Path(__file__).parent / "data"


def digits(images: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """1500 digits to learn from and 297 to judge by: (x, y, test_x, test_y).

    x float32 in [0, 1], shape (n, 64), or (n, 1, 8, 8) as ``images``; y int64 in 0..9.
    """
    with gzip.open(FOLDER / "digits.csv.gz", "rt") as file:
        table = np.loadtxt(file, delimiter=",", dtype=np.float32)
    x, y = table[:, :-1] / 16, table[:, -1].astype(np.int64)
    x = x.reshape(-1, 1, 8, 8) if images else x
    return x[:1500], y[:1500], x[1500:], y[1500:]


def sonnets() -> tuple[np.ndarray, str]:
    """Shakespeare's sonnets as character numbers (int64), and the alphabet they index."""
    text = (FOLDER / "sonnets.txt").read_text(encoding="utf-8")
    alphabet = "".join(sorted(set(text)))
    number = {character: i for i, character in enumerate(alphabet)}
    return np.array([number[character] for character in text], dtype=np.int64), alphabet


def sunspots() -> np.ndarray:
    """Yearly sunspot numbers 1700-2008, float32, scaled to mean 0 and deviation 1, shape (309,)."""
    table = np.loadtxt(FOLDER / "sunspots.csv", delimiter=",", skiprows=1, dtype=np.float32)
    return (table[:, 1] - table[:, 1].mean()) / table[:, 1].std()


def batches(n: int, size: int, steps: int, seed: int) -> Iterator[np.ndarray]:
    """Which rows each of ``steps`` batches takes: shuffled passes over ``n`` rows, whole batches only."""
    random = np.random.RandomState(seed)
    order = np.arange(0)
    for _ in range(steps):
        if len(order) < size:
            order = random.permutation(n)
        yield order[:size]
        order = order[size:]
