"""What an array is for: the roles of a leaf, and the markers that give an array its role at assignment."""

import enum
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


class Role(enum.Enum):
    """The role of a leaf. Only a ``PARAMETER`` is trained."""

    PARAMETER = "parameter"
    FROZEN = "frozen parameter"
    BUFFER = "buffer"
    TEMPORARY = "non-persistent buffer"

    @property
    def is_parameter(self) -> bool:
        return self is Role.PARAMETER or self is Role.FROZEN

    @property
    def is_persistent(self) -> bool:
        """Whether the leaf belongs to ``state_dict``."""
        return self is not Role.TEMPORARY


def is_array(value: Any) -> bool:
    """Whether ``value`` is a jax array or a tracer."""
    return isinstance(value, jax.Array)


def is_inexact(value: Any) -> bool:
    """Whether ``value`` has a floating or complex dtype; objects without dtype count as inexact."""
    dtype = getattr(value, "dtype", None)
    return dtype is None or jnp.issubdtype(dtype, jnp.inexact)


class Marker:
    """An array with a role, on its way into a module. Two attributes with one marker are one tied leaf."""

    __slots__ = ("value", "role", "bare", "origin")

    def __init__(self, value: Any, role: Role, bare: bool = False, origin: Any = None):
        self.value = value
        self.role = role
        self.bare = bare  # assigned without a role: joins the role of the leaf it is tied to
        self.origin = origin  # the sealed module it comes from: leaves apart there stay apart

    @property
    def data(self) -> Any:
        return self.value

    def __jax_array__(self) -> Any:
        return self.value

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name in Marker.__slots__:
            raise AttributeError(name)
        return getattr(self.value, name)

    def __repr__(self) -> str:
        return f"{type(self).__name__} containing:\n{self.value}"

    def __reduce__(self) -> Any:
        return mark, (self.value, self.role, self.bare)


class Parameter(Marker):
    """Marks an array as a trained parameter: ``self.weight = Parameter(array)``; reading gives the array.

    Raises:
        TypeError: ``data`` is not array-like.
        RuntimeError: an integer array with ``requires_grad=True``, as in PyTorch.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True):
        value = as_array(data, "Parameter")
        if requires_grad and not is_inexact(value):
            raise RuntimeError(
                "Only Tensors of floating point and complex dtype can require gradients: "
                f"got {value.dtype}. Use Parameter(array, requires_grad=False), or Buffer(array)"
            )
        super().__init__(value, Role.PARAMETER if requires_grad else Role.FROZEN)

    @property
    def requires_grad(self) -> bool:
        return self.role is Role.PARAMETER


class Buffer(Marker):
    """Marks an array as state that is not trained; ``persistent`` ones belong to ``state_dict``."""

    __slots__ = ()

    def __init__(self, data: Any, persistent: bool = True):
        super().__init__(as_array(data, "Buffer"), Role.BUFFER if persistent else Role.TEMPORARY)

    @property
    def persistent(self) -> bool:
        return self.role is Role.BUFFER


def as_array(value: Any, who: str) -> Any:
    """``value`` as a jax array; the same object where it is one already (so that ties are seen).

    Raises:
        TypeError: ``value`` is not array-like.
    """
    if is_array(value):
        return value
    if isinstance(value, Marker):
        return value.value
    if isinstance(value, jax.ShapeDtypeStruct):
        return value
    if isinstance(value, (bool, int, float, complex, list, tuple, np.ndarray, np.generic)) or hasattr(
        value, "__jax_array__"
    ):
        try:
            return jnp.asarray(value)
        except TypeError as problem:
            raise TypeError(f"{who}: expected an array, got {value!r}") from problem
    raise TypeError(f"{who}: expected an array, got {type(value).__name__}. Use jnp.asarray(...)")


def mark(value: Any, role: Role, bare: bool = False, origin: Any = None) -> Marker:
    """A marker for any object, unchecked: a leaf may be anything once JAX has unflattened a module."""
    kind = Parameter if role.is_parameter else Buffer
    marker = kind.__new__(kind)
    Marker.__init__(marker, value, role, bare, origin)
    return marker
