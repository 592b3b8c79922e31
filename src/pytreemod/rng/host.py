"""PyTorch's CPU stream on the host: every draw gives the numbers that PyTorch 2.13 gives from the same seed.

Bit for bit where PyTorch's arithmetic is on integers or a fused multiply-add; to about 1e-6 where it goes
through ``log`` and ``cos``, whose last bits differ between libraries.
"""

import math
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.rng import intel
from pytreemod.rng.bits import affine, pairs, unit_double, unit_float
from pytreemod.rng.integers import bounds, offsets
from pytreemod.rng.multinomial import multinomial
from pytreemod.rng.truncated import rounds
from pytreemod.rng.words import Words

Shape = tuple[int, ...]
LONGEST = (2**32 - 1) // 20  # permutations below this length take one word a step


class HostStream(Words):
    """A source of numpy arrays with PyTorch's numbers: ``HostStream(seed)`` follows ``torch.manual_seed(seed)``.

    Beside the draws of every source: ``random`` (PyTorch's ``random_``), ``exponential``, ``geometric``, ``cauchy``,
    ``log_normal``, ``multinomial``; ``get_state`` and ``set_state`` exchange states with PyTorch.
    """

    def uniform(self, shape: Shape, low: Any = 0.0, high: Any = 1.0, dtype: Any = "float32") -> np.ndarray:
        """``shape``, uniform in [low, high), for real and complex ``dtype``.

        Raises:
            RuntimeError: ``low`` exceeds ``high``.
            TypeError: ``dtype`` is no floating type.
        """
        kind = floating(dtype, "uniform")
        if not low <= high:
            raise RuntimeError(f"uniform_ expects to return a [from, to) range, but found from={low} > to={high}")
        if kind.kind == "c":
            return self.uniform((*shape, 2), low, high, _real(kind)).view(kind)[..., 0]
        count = math.prod(shape)
        unit = unit_double(self.draw(2 * count)) if kind == np.float64 else unit_float(self.draw(count))
        value = affine(unit, low, high).astype(kind, copy=False)
        # rounding may reach the excluded end
        return np.where(value == kind.type(high), kind.type(low), value).reshape(shape)

    def normal(self, shape: Shape, mean: Any = 0.0, std: Any = 1.0, dtype: Any = "float32") -> np.ndarray:
        """``shape``, normal; ``mean`` and ``std`` are numbers or arrays that broadcast to it.

        Raises:
            RuntimeError: ``std`` is negative.
            TypeError: ``dtype`` is no floating type.
        """
        kind = floating(dtype, "normal")
        if np.any(np.asarray(std) < 0):
            raise RuntimeError(f"normal expects std >= 0.0, but found std {np.min(std)}")
        if isinstance(std, np.ndarray):
            return self.normal(shape, 0.0, 1.0, kind) * std.astype(kind) + np.asarray(mean, kind)
        if isinstance(mean, np.ndarray):
            return self.normal(shape, 0.0, std, kind) + mean.astype(kind)
        if kind.kind == "c":
            flat = self.normal((*shape, 2), 0.0, float(std) * math.sqrt(0.5), _real(kind))
            return flat.view(kind)[..., 0] + kind.type(mean)
        count = math.prod(shape)
        if count < 16:
            return (self._polar(count) * std + mean).astype(kind).reshape(shape)
        wide = np.float64 if kind == np.float64 else np.float32
        value = _blocks(self._unit(count - count % 16, wide))
        if count % 16:  # the last 16 are drawn anew; a 16-bit type never draws the incomplete block
            self._unit(count % 16 if kind == wide else 0, wide)
            value = np.concatenate([value[: count - 16], _blocks(self._unit(16, wide))])
        return (value * wide(std) + wide(mean)).astype(kind, copy=False).reshape(shape)

    def bernoulli(self, p: Any, shape: Shape) -> np.ndarray:
        """``shape``, bool: True with probability ``p``, a number, or an array that broadcasts to ``shape``.

        As in PyTorch a number and an array take different words of the stream.

        Raises:
            RuntimeError: ``p`` is not within [0, 1].
        """
        count = math.prod(shape)
        if not np.all((np.asarray(p) >= 0) & (np.asarray(p) <= 1)):
            raise RuntimeError(f"bernoulli expects p to be in [0, 1], but got p={p}")
        if not isinstance(p, np.ndarray):
            if count and intel.is_intel():
                return (intel.units(int(self.draw(1)[0]), count) < float(p)).reshape(shape)
            return (unit_double(self.draw(2 * count)) < float(p)).reshape(shape)
        wide = np.float64 if p.dtype == np.float64 else np.float32
        return self._unit(count, wide).reshape(shape) < p.astype(wide)

    def randint(self, low: int, high: int, shape: Shape, dtype: Any = "int64") -> np.ndarray:
        """``shape``, integers in [low, high), in any numeric ``dtype``.

        Raises:
            RuntimeError: the range is empty or ``dtype`` does not hold it.
        """
        return self.random(shape, "int64" if dtype is None else dtype, low, high)

    def random(self, shape: Shape, dtype: Any = "int64", low: int | None = None, high: int | None = None) -> np.ndarray:
        """``shape``, PyTorch's ``random_``: [low, high), or [low, the type's largest], or all that is not negative.

        For floating types "largest" is the last of the integers that they all hold. Raises: as ``randint``.
        """
        count = math.prod(shape)
        span, low, wide = bounds(jnp.dtype(dtype), low, high)
        words = pairs(self.draw(2 * count)) if wide else self.draw(count)
        return offsets(words, span, low).astype(jnp.dtype(dtype)).reshape(shape)

    def permutation(self, n: int) -> np.ndarray:
        """(n,) int64: the numbers 0 to n - 1, shuffled as ``torch.randperm`` does.

        Raises:
            RuntimeError: ``n`` is negative, or so large that PyTorch shuffles in another way.
        """
        if n < 0:
            raise RuntimeError(f"randperm: Trying to create tensor with negative dimension {n}")
        if n >= LONGEST:
            raise RuntimeError(f"randperm: expected n below {LONGEST}, got {n}")
        values = list(range(n))
        words = self.draw(max(n - 1, 0))
        for i, j in enumerate((words % np.arange(n, 1, -1, dtype=np.uint32)).tolist()):
            values[i], values[i + j] = values[i + j], values[i]
        return np.array(values, np.int64)

    def exponential(self, shape: Shape, rate: float = 1.0, dtype: Any = "float32") -> np.ndarray:
        """``shape``, exponential with mean 1 / ``rate``. Raises: RuntimeError for ``rate`` <= 0."""
        if not rate > 0:
            raise RuntimeError(f"exponential_ expects lambda > 0.0, but found lambda={rate}")
        kind = floating(dtype, "exponential")
        return (-1.0 / rate * np.log1p(-self._unit(math.prod(shape), np.float64))).astype(kind).reshape(shape)

    def geometric(self, shape: Shape, p: float, dtype: Any = "float32") -> np.ndarray:
        """``shape``, trials until the first success of probability ``p``. Raises: RuntimeError unless 0 < p < 1."""
        if not 0 < p < 1:
            raise RuntimeError(f"geometric_ expects p to be in (0, 1), but got p={p}")
        with np.errstate(divide="ignore"):
            trials = np.ceil(np.log(self._unit(math.prod(shape), np.float64)) / math.log1p(-p))
        return trials.astype(jnp.dtype(dtype)).reshape(shape)

    def cauchy(self, shape: Shape, median: float = 0.0, sigma: float = 1.0, dtype: Any = "float32") -> np.ndarray:
        """``shape``, Cauchy. Raises: RuntimeError for ``sigma`` <= 0."""
        if not sigma > 0:
            raise RuntimeError(f"cauchy_ expects sigma > 0.0, but found sigma={sigma}")
        kind = floating(dtype, "cauchy")
        unit = self._unit(math.prod(shape), np.float64)
        return (median + sigma * np.tan(np.pi * (unit - 0.5))).astype(kind).reshape(shape)

    def log_normal(self, shape: Shape, mean: float = 1.0, std: float = 2.0, dtype: Any = "float32") -> np.ndarray:
        """``shape``, the exponential of normal values. Raises: RuntimeError for ``std`` <= 0."""
        if not std > 0:
            raise RuntimeError(f"log_normal_ expects std > 0.0, but found std={std}")
        kind = floating(dtype, "log_normal")
        return np.exp(self._polar(math.prod(shape)) * std + mean).astype(kind).reshape(shape)

    def truncated_normal(
        self, shape: Shape, mean: float, std: float, a: float, b: float, dtype: Any = "float32"
    ) -> np.ndarray:
        """``shape``, normal values in [a, b], as ``torch.nn.init.trunc_normal_`` draws them."""
        draw = rounds(np, shape, mean, std, a, b, dtype)
        with np.errstate(divide="ignore"):
            value, refused = draw(self)
            while refused.any():
                fresh, again = draw(self)
                value, refused = np.where(refused, fresh, value), refused & again
        return value

    def multinomial(self, weights: np.ndarray, num_samples: int, replacement: bool = False) -> np.ndarray:
        """(..., categories) weights -> (..., num_samples) int64. Raises: RuntimeError for weights that are none."""
        return multinomial(self, np.asarray(weights), num_samples, replacement)

    def _unit(self, count: int, kind: Any) -> np.ndarray:
        return unit_double(self.draw(2 * count)) if kind is np.float64 else unit_float(self.draw(count))

    def _polar(self, count: int) -> np.ndarray:
        """(count,) float64, normal: values in pairs, of which the second is kept for the next call."""
        start = [] if self.kept is None or not count else [self.kept]
        number = (count - len(start) + 1) // 2
        unit = self._unit(2 * number, np.float64)
        radius = np.sqrt(-2.0 * np.log1p(-unit[1::2]))
        angle = 2.0 * np.pi * unit[0::2]
        fresh = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)
        value = np.concatenate([np.array(start), fresh])
        if count:
            self.kept = float(value[count]) if value.size > count else None
        return value[:count]


def floating(dtype: Any, who: str) -> np.dtype:
    """``dtype`` as numpy's. Raises: TypeError when it is neither floating nor complex."""
    kind = jnp.dtype(dtype)
    if not jnp.issubdtype(kind, jnp.inexact):
        raise TypeError(f"{who}: expected a floating dtype, got {kind}")
    return kind


def _real(kind: np.dtype) -> np.dtype:
    return np.dtype(np.float64 if kind == np.complex128 else np.float32)


def _blocks(unit: np.ndarray) -> np.ndarray:
    """Box-Muller over blocks of 16: eight radii, eight angles -> eight cosines, eight sines; the dtype stays."""
    block = unit.reshape(-1, 2, 8)
    kind = unit.dtype.type
    radius = np.sqrt(kind(-2) * np.log(kind(1) - block[:, 0]))
    angle = kind(2 * np.pi) * block[:, 1]
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).reshape(-1)
