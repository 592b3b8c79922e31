"""Initial values: ``torch.nn.init`` as functions of a shape, drawing from the ambient source.

On PyTorch's stream (``pytreemod.rng.HostStream``) each gives the values that PyTorch 2.13 writes into a contiguous
tensor of that shape. Under a key, the draws are JAX's, also inside ``jax.jit`` and ``jax.vmap``.

Every function raises RuntimeError when it draws and there is no source of randomness.
"""

import math
import warnings
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.rng import source
from pytreemod.rng.truncated import by_inversion

Shape = tuple[int, ...]

_LINEAR = {"linear", "sigmoid"} | {f"conv{t}{n}d" for t in ("", "_transpose") for n in (1, 2, 3)}
_GAIN = {"tanh": 5.0 / 3, "relu": math.sqrt(2.0), "selu": 3.0 / 4}


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """How much to scale the standard deviation before a nonlinearity; ``param`` is the slope of ``leaky_relu``.

    Raises:
        ValueError: an unknown nonlinearity, or a slope that is no number.
    """
    if nonlinearity in _LINEAR:
        return 1
    if nonlinearity in _GAIN:
        return _GAIN[nonlinearity]
    if nonlinearity != "leaky_relu":
        known = ", ".join(sorted(_LINEAR | set(_GAIN) | {"leaky_relu"}))
        raise ValueError(f"calculate_gain: Unsupported nonlinearity {nonlinearity}, expected one of {known}")
    slope = 0.01 if param is None else param
    if isinstance(slope, bool) or not isinstance(slope, int | float):
        raise ValueError(f"calculate_gain: negative_slope {param} not a valid number")
    return math.sqrt(2.0 / (1 + slope**2))


def uniform(shape: Shape, a: float = 0.0, b: float = 1.0, dtype: Any = None) -> Any:
    """``shape``, uniform in [a, b)."""
    return _array(source(who="init.uniform").uniform(tuple(shape), a, b, _kind(dtype)))


def normal(shape: Shape, mean: float = 0.0, std: float = 1.0, dtype: Any = None) -> Any:
    """``shape``, normal."""
    return _array(source(who="init.normal").normal(tuple(shape), mean, std, _kind(dtype)))


def trunc_normal(
    shape: Shape, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0, dtype: Any = None
) -> Any:
    """``shape``, normal with values outside [a, b] drawn anew. Warns when the mean is far outside."""
    if mean < a - 2 * std or mean > b + 2 * std:
        warnings.warn(
            "mean is more than 2 std from [a, b] in nn.init.trunc_normal_. "
            "The distribution of values may be incorrect.",
            stacklevel=2,
        )
    stream = source(who="init.trunc_normal")
    if hasattr(stream, "truncated_normal"):
        return _array(stream.truncated_normal(tuple(shape), mean, std, a, b, _kind(dtype)))
    return by_inversion(stream, tuple(shape), mean, std, a, b, _kind(dtype))


def empty(shape: Shape, dtype: Any = None) -> jax.ShapeDtypeStruct:
    """``shape`` without values: the place of a parameter until it is drawn."""
    return jax.ShapeDtypeStruct(tuple(shape), _kind(dtype))


def constant(shape: Shape, val: float, dtype: Any = None) -> jax.Array:
    """``shape``, all ``val``."""
    return jnp.full(tuple(shape), val, _kind(dtype))


def ones(shape: Shape, dtype: Any = None) -> jax.Array:
    """``shape``, all 1."""
    return constant(shape, 1, dtype)


def zeros(shape: Shape, dtype: Any = None) -> jax.Array:
    """``shape``, all 0."""
    return constant(shape, 0, dtype)


def eye(shape: Shape, dtype: Any = None) -> jax.Array:
    """(rows, columns): the identity as far as it goes. Raises: ValueError for another number of dimensions."""
    _dimensions("eye", shape, "2", len(shape) == 2)
    return jnp.eye(*shape, dtype=_kind(dtype))


def dirac(shape: Shape, groups: int = 1, dtype: Any = None) -> jax.Array:
    """(out, in, ...) of a convolution in 1 to 3 dimensions that passes its channels on unchanged, in each group.

    Raises:
        ValueError: another number of dimensions, or ``out`` not divisible by ``groups``.
    """
    _dimensions("dirac", shape, "3, 4, or 5", len(shape) in (3, 4, 5))
    if shape[0] % groups:
        raise ValueError(f"init.dirac: dim 0 must be divisible by groups, got {shape[0]} and {groups}")
    per_group = shape[0] // groups
    channel = np.arange(min(per_group, shape[1]))
    out = (np.arange(groups)[:, None] * per_group + channel).reshape(-1)
    value = np.zeros(shape, bool)
    value[(out, np.tile(channel, groups), *(size // 2 for size in shape[2:]))] = True
    return jnp.asarray(value).astype(_kind(dtype))


def xavier_uniform(shape: Shape, gain: float = 1.0, dtype: Any = None) -> Any:
    """``shape``, uniform in ± gain sqrt(6 / (fan_in + fan_out)).

    Raises:
        ValueError: ``shape`` has fewer than 2 dimensions.

    Source: Glorot and Bengio 2010, AISTATS.
    """
    bound = math.sqrt(3.0) * _xavier("xavier_uniform", shape, gain)
    return _array(source(who="init.xavier_uniform").uniform(tuple(shape), -bound, bound, _kind(dtype)))


def xavier_normal(shape: Shape, gain: float = 1.0, dtype: Any = None) -> Any:
    """``shape``, normal with standard deviation gain sqrt(2 / (fan_in + fan_out)). Otherwise as ``xavier_uniform``."""
    std = _xavier("xavier_normal", shape, gain)
    return _array(source(who="init.xavier_normal").normal(tuple(shape), 0.0, std, _kind(dtype)))


def kaiming_uniform(
    shape: Shape, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", dtype: Any = None
) -> Any:
    """``shape``, uniform in ± gain sqrt(3 / fan), for layers followed by a rectifier of slope ``a``.

    Raises:
        ValueError: fewer than 2 dimensions, an unknown ``mode`` or nonlinearity.

    Source: He et al. 2015, arXiv:1502.01852.
    """
    if 0 in shape:
        return _nothing(shape, dtype)
    bound = math.sqrt(3.0) * _kaiming("kaiming_uniform", shape, a, mode, nonlinearity)
    return _array(source(who="init.kaiming_uniform").uniform(tuple(shape), -bound, bound, _kind(dtype)))


def kaiming_normal(
    shape: Shape, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu", dtype: Any = None
) -> Any:
    """``shape``, normal with standard deviation gain / sqrt(fan). Otherwise as ``kaiming_uniform``."""
    if 0 in shape:
        return _nothing(shape, dtype)
    std = _kaiming("kaiming_normal", shape, a, mode, nonlinearity)
    return _array(source(who="init.kaiming_normal").normal(tuple(shape), 0.0, std, _kind(dtype)))


def orthogonal(shape: Shape, gain: float = 1, dtype: Any = None) -> Any:
    """(rows, ...): with the other dimensions flattened, orthonormal rows or columns, times ``gain``.

    Raises:
        ValueError: ``shape`` has fewer than 2 dimensions.

    Source: Saxe et al. 2014, arXiv:1312.6120; signs as in Mezzadri 2007, arXiv:math-ph/0609050.
    """
    _dimensions("orthogonal", shape, "2 or more", len(shape) >= 2)
    if 0 in shape:
        return zeros(shape, dtype)
    rows = shape[0]
    columns = math.prod(shape) // rows
    value = _concrete(source(who="init.orthogonal").normal((rows, columns), dtype=_kind(dtype)))
    lib = jnp if isinstance(value, jax.Array) else np
    q, r = lib.linalg.qr(value.T if rows < columns else value)
    q = q * lib.sign(lib.diagonal(r))
    return _array((q.T if rows < columns else q).reshape(shape) * lib.asarray(gain, q.dtype))


def sparse(shape: Shape, sparsity: float, std: float = 0.01, dtype: Any = None) -> Any:
    """(rows, columns), normal, with a fraction ``sparsity`` of each column set to 0.

    Raises:
        ValueError: ``shape`` has not 2 dimensions.

    Source: Martens 2010, ICML.
    """
    _dimensions("sparse", shape, "2", len(shape) == 2)
    rows, columns = shape
    zeroed = math.ceil(sparsity * rows)
    stream = source(who="init.sparse")
    value = _concrete(stream.normal((rows, columns), 0.0, std, _kind(dtype)))
    orders = [_concrete(stream.permutation(rows))[:zeroed] for _ in range(columns)]
    if not orders or not zeroed:
        return _array(value)
    chosen = jnp.stack([jnp.asarray(order) for order in orders], axis=1)  # (zeroed, columns)
    return jnp.asarray(value).at[chosen, np.arange(columns)].set(0)


def _xavier(who: str, shape: Shape, gain: float) -> float:
    fan_in, fan_out = _fans(who, shape)
    return gain * math.sqrt(2.0 / float(fan_in + fan_out))


def _kaiming(who: str, shape: Shape, a: float, mode: str, nonlinearity: str) -> float:
    modes = ["fan_in", "fan_out"]
    if mode.lower() not in modes:
        raise ValueError(f"init.{who}: Mode {mode} not supported, please use one of {modes}")
    fan = _fans(who, shape)[modes.index(mode.lower())]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def _fans(who: str, shape: Shape) -> tuple[int, int]:
    if len(shape) < 2:
        raise ValueError(
            f"init.{who}: Fan in and fan out can not be computed for tensor with fewer than 2 dimensions, "
            f"got shape {tuple(shape)}"
        )
    field = math.prod(shape[2:])
    return shape[1] * field, shape[0] * field


def _dimensions(who: str, shape: Shape, allowed: str, fits: bool) -> None:
    if not fits:
        raise ValueError(f"init.{who}: Only tensors with {allowed} dimensions are supported, got shape {tuple(shape)}")


def _nothing(shape: Shape, dtype: Any) -> jax.Array:
    warnings.warn("Initializing zero-element tensors is a no-op", stacklevel=3)
    return zeros(shape, dtype)


def _kind(dtype: Any) -> np.dtype:
    return jnp.dtype("float32" if dtype is None else getattr(dtype, "numpy", dtype))


def _concrete(value: Any) -> Any:
    """jax and numpy arrays as they are, another array type as numpy's."""
    return value if isinstance(value, jax.Array | np.ndarray) else np.asarray(value)


def _array(value: Any) -> Any:
    """numpy arrays as jax's; jax arrays and other array types as they are."""
    return jnp.asarray(value) if isinstance(value, np.ndarray) else value
