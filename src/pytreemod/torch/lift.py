"""Any function of JAX as one instruction of the tape.

The function is traced once for each kind of argument; the tape holds the traced program. It is traced with
the widths that JAX has now (32 bits unless ``jax_enable_x64``, or unless a 64-bit float comes in), so it
computes what it computes on arrays. What it draws from the ambient source is drawn at each call, in the
same order, and comes in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pytreemod.rng import KeySource, source, use
from pytreemod.torch.record import OPS, call
from pytreemod.torch.tape.value import Op
from pytreemod.torch.tensor import Tensor, as_tensor, wrap


class Plan:
    """A traced function: the instruction's setting. Plans are made once and equal only themselves."""

    __slots__ = ("consts", "draws", "dtypes", "info", "jaxpr", "leaves", "tree")

    def __init__(self, jaxpr: Any, consts: tuple, dtypes: tuple, draws: tuple, tree: Any, leaves: tuple, info: Any):
        self.jaxpr = jaxpr
        self.consts = consts  # None where the constant comes in as an input
        self.dtypes = dtypes  # of the inputs, as the function wants them
        self.draws = draws  # (method, arguments) of each draw
        self.tree, self.leaves = tree, leaves  # of the result; leaves: None where an output of the program goes
        self.info = info


def _lifted(*arrays: Any, plan: Plan) -> tuple:
    count = len(plan.dtypes)
    inputs = [x.astype(d) if x.dtype != d else x for x, d in zip(arrays, plan.dtypes, strict=False)]
    constants = iter(arrays[count:])
    consts = [next(constants) if c is None else c for c in plan.consts]
    return tuple(jax.core.eval_jaxpr(plan.jaxpr, consts, *inputs))


LIFT = Op(_lifted, "LiftBackward0", saves="inputs")
OPS[_lifted] = LIFT

_plans: dict[tuple, tuple[Plan, tuple]] = {}  # with the arrays that the function refers to


def record(token: Any, function: Callable, tree: Any) -> tuple[Any, Any]:
    """``function(tree)`` as one instruction: (its result with tensors in place of arrays, what it noted).

    ``token`` says which function it is: equal tokens, equal functions. ``function`` returns ``(result,
    noted)``, the second anything that the trace found out. Tensors and arrays in ``tree`` are inputs;
    everything else is a setting.

    Raises:
        whatever the function says of its arguments, at once; TypeError for a setting that is not hashable.
    """
    leaves, structure = jax.tree.flatten(tree)
    inputs = [as_tensor(x) for x in leaves if _is_input(x)]
    settings = tuple(None if _is_input(x) else (type(x), x) for x in leaves)
    avals = tuple(t._aval for t in inputs)
    wide = bool(jax.config.jax_enable_x64) or any(a.dtype in (np.float64, np.complex128) for a in avals)
    key = (token, structure, settings, avals, wide)
    try:
        plan = _plans.get(key)
    except TypeError:
        bad = next((x for x in leaves if not _is_input(x) and not _hashable(x)), token)
        raise TypeError(f"lift: expected tensors, arrays or hashable settings, got {type(bad).__name__}") from None
    if plan is None:
        plan, consts = _trace(function, structure, settings, avals, wide)
        if not any(isinstance(c, jax.core.Tracer) for c in consts):
            _plans[key] = plan, consts
    else:
        plan, consts = plan
    stream = source(inputs[0] if inputs else as_tensor(np.zeros(()))) if plan.draws else None
    draws = [as_tensor(getattr(stream, name)(*args, **dict(kwargs))) for name, args, kwargs in plan.draws]
    outputs = iter(wrap(call(LIFT, (*inputs, *draws, *map(as_tensor, consts)), {"plan": plan})))
    result = jax.tree.unflatten(plan.tree, [next(outputs) if x is None else x[0] for x in plan.leaves])
    return result, plan.info


def _is_input(x: Any) -> bool:
    return isinstance(x, (Tensor, jax.Array, np.ndarray, np.generic))


def _hashable(x: Any) -> bool:
    try:
        hash(x)
    except TypeError:
        return False
    return True


def _trace(function: Callable, structure: Any, settings: tuple, avals: tuple, wide: bool) -> tuple[Plan, tuple]:
    """The plan, and the arrays that the function refers to, which may be tracers of a transform around it."""
    noted: list = [None, None, None]

    def flat(stream: Any, arrays: Any) -> list:
        given = iter(arrays)
        leaves = [next(given) if s is None else s[1] for s in settings]
        with use(stream):
            result, noted[2] = function(jax.tree.unflatten(structure, leaves))
        out, noted[0] = jax.tree.flatten(result)
        noted[1] = tuple(None if isinstance(x, jax.Array | np.ndarray | np.generic) else (x,) for x in out)
        return [jnp.asarray(x) for x, kept in zip(out, noted[1], strict=True) if kept is None]

    with jax.enable_x64(wide):
        structs = [jax.ShapeDtypeStruct(a.shape, jax.dtypes.canonicalize_dtype(a.dtype)) for a in avals]
        count, drawn = len(structs), _Requests()
        traced = jax.make_jaxpr(lambda *arrays: flat(drawn, arrays))(*structs)
        samples = drawn.samples
        if samples:
            traced = jax.make_jaxpr(lambda *arrays: flat(_Given(arrays[count:]), arrays[:count]))(*structs, *samples)
    dtypes = tuple(s.dtype for s in (*structs, *samples))
    outer = tuple(c for c in traced.consts if _is_input(c) and not _is_key(c))
    kept = tuple(None if _is_input(c) and not _is_key(c) else c for c in traced.consts)
    plan = Plan(traced.jaxpr, kept, dtypes, tuple(drawn.requests), noted[0], noted[1], noted[2])
    return plan, outer


def _is_key(x: Any) -> bool:
    return jnp.issubdtype(x.dtype, jax.dtypes.prng_key)


class _Draws:
    """A source whose every draw goes through ``_draw``."""

    def _draw(self, method: str, args: tuple, kwargs: dict) -> Any:
        raise AssertionError

    def uniform(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("uniform", args, kwargs)

    def normal(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("normal", args, kwargs)

    def bernoulli(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("bernoulli", args, kwargs)

    def randint(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("randint", args, kwargs)

    def permutation(self, *args: Any, **kwargs: Any) -> Any:
        return self._draw("permutation", args, kwargs)


class _Requests(_Draws):
    """Notes what is drawn; the numbers themselves are from some key."""

    def __init__(self) -> None:
        self.requests: list[tuple] = []
        self.samples: list = []
        self.like = KeySource(jax.random.key(0))

    def _draw(self, method: str, args: tuple, kwargs: dict) -> Any:
        for value in (*args, *kwargs.values()):
            if isinstance(value, jax.core.Tracer):
                raise TypeError(
                    f"lift: a draw ({method}) whose settings are computed from the inputs cannot come "
                    "from the stream of "
                    "the stateful face. Draw with settings that are plain numbers, and scale the result"
                )
        sample = getattr(self.like, method)(*args, **kwargs)
        self.requests.append((method, args, tuple(kwargs.items())))
        self.samples.append(jax.ShapeDtypeStruct(sample.shape, sample.dtype))  # the sample itself is a tracer
        return sample


class _Given(_Draws):
    """Gives the samples that came in, one after the other."""

    def __init__(self, samples: Any):
        self.samples = iter(samples)

    def _draw(self, method: str, args: tuple, kwargs: dict) -> Any:
        return next(self.samples)
