"""Random tensors: PyTorch's CPU stream, drawn on the host outside a compiled function and in the program inside."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.rng import HostStream, ProgramStream
from pytreemod.rng.intel import is_intel
from pytreemod.torch.cell import alias
from pytreemod.torch.creation import made, shape_of
from pytreemod.torch.dtypes import as_dtype, default, float64, int64
from pytreemod.torch.layout import layout
from pytreemod.torch.ops.registry import check_in_place, composite
from pytreemod.torch.placing import OPTIONS, placing
from pytreemod.torch.record import OPS, call, item
from pytreemod.torch.size import checked
from pytreemod.torch.size import device as Device
from pytreemod.torch.strides import memory_order
from pytreemod.torch.tape.capture import lasting
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.value import Op, constant
from pytreemod.torch.tensor import Tensor, wrap

_FIRST_SEED = 67280421310721  # PyTorch's


class Generator:
    """A stream of random numbers with PyTorch's algorithms and states.

    Inside a compiled function its state is a tensor of the program; it is carried over when either side draws next.
    """

    def __init__(self, device: Any = "cpu"):
        checked(device)
        self._host: Any = HostStream(_FIRST_SEED)
        self._seed = _FIRST_SEED
        self._program: Tensor | None = None
        self._ahead = False  # the program's state is newer than the host's

    @property
    def device(self) -> Any:
        return Device("cpu")

    @property
    def stream(self) -> Any:
        """The source that draws come from now."""
        found = modes.capture
        if found is not None:
            return _ProgramSource(self) if found.draws is None else found.draws(self)
        if self._ahead:
            self._host.load_program_state(np.asarray(self._program._array()))  # type: ignore[union-attr]
            self._ahead = False
        return self._host

    def manual_seed(self, seed: int) -> Generator:
        """Start the stream that belongs to ``seed``."""
        if isinstance(seed, Tensor):
            seed = int(seed)
        if not isinstance(seed, (int, np.integer)):
            raise TypeError(f"manual_seed expected a long, but got {type(seed).__name__}")
        if not -(2**63) <= seed < 2**64:
            raise ValueError("Overflow when unpacking long long")
        if modes.capture is not None:
            _ProgramSource(self).seed(int(seed) % 2**64)
            return self
        self._seed = int(seed) % 2**64
        self._host = HostStream(self._seed)
        self._ahead = False
        return self

    def seed(self) -> int:
        """Start a stream that nobody can foresee; the seed is returned.

        Raises:
            RuntimeError: inside a compiled function, which would repeat the seed of its first run.
        """
        if modes.capture is not None:
            raise RuntimeError(
                f"{modes.capture.name}: seed() inside a compiled function would give every call the same seed. Call it "
                "outside, or give manual_seed a number"
            )
        self.manual_seed(int.from_bytes(os.urandom(8), "little") >> 1)
        return self._seed

    def initial_seed(self) -> int:
        if modes.capture is not None:
            return modes.capture.seeds.get(self, self._seed)
        return self._seed

    def get_state(self) -> Tensor:
        """The state in PyTorch's layout, a uint8 tensor of 5056 bytes."""
        return made(np.asarray(self.stream.get_state()))

    def set_state(self, new_state: Tensor) -> Generator:
        state = np.asarray(new_state.numpy() if isinstance(new_state, Tensor) else new_state)  # type: ignore
        if state.dtype != np.uint8:
            raise TypeError("expected a torch.ByteTensor, but got " + str(state.dtype))
        self.stream.set_state(state)
        return self

    def into_program(self) -> None:
        """Bring the state into the program, where the host drew since."""
        if not self._ahead:
            state = constant(jnp.asarray(self._host.program_state()))
            if self._program is None:
                self._program = wrap(state)
            else:
                self._program._cell.assign(state)

    def from_program(self, seed: int | None = None) -> None:
        self._ahead = True
        if seed is not None:
            self._seed = seed


class _ProgramSource:
    """Draws that are instructions of the program being captured."""

    def __init__(self, generator: Generator):
        self.generator = generator
        if generator not in modes.capture.generators:
            lasting(generator.into_program)
            modes.capture.generators.append(generator)

    def seed(self, seed: int) -> None:
        modes.capture.seeds[self.generator] = seed
        state = constant(jnp.asarray(HostStream(seed).program_state()))
        self.generator._program._cell.assign(alias(state))  # type: ignore[union-attr]

    def _draw(self, method: str, **settings: Any) -> Tensor:
        state = self.generator._program
        node = call(DRAW, (state,), {"method": method, "settings": tuple(settings.items())}, grad=False)
        state._write(item(node, 1))  # type: ignore[union-attr]
        return wrap(item(node, 0))

    def uniform(self, shape: Any, low: float = 0.0, high: float = 1.0, dtype: Any = "float32") -> Tensor:
        return self._draw("uniform", shape=tuple(shape), low=low, high=high, dtype=np.dtype(dtype).name)

    def normal(self, shape: Any, mean: float = 0.0, std: float = 1.0, dtype: Any = "float32") -> Tensor:
        return self._draw("normal", shape=tuple(shape), mean=mean, std=std, dtype=np.dtype(dtype).name)

    def bernoulli(self, p: float, shape: Any) -> Tensor:
        return self._draw("bernoulli", p=p, shape=tuple(shape))

    def randint(self, low: int, high: int, shape: Any, dtype: Any = "int64") -> Tensor:
        return self._draw("randint", low=low, high=high, shape=tuple(shape), dtype=np.dtype(dtype).name)

    def permutation(self, n: int) -> Tensor:
        return self._draw("permutation", n=n)


def _draw(state: Any, *, method: str, settings: tuple) -> tuple:
    source = ProgramStream(state)
    return getattr(source, method)(**dict(settings)), source.state


DRAW = Op(_draw, saves="none")
OPS[_draw] = DRAW

default_generator = Generator()


def _memory_order(self: Tensor) -> tuple[int, ...] | None:
    """The order in which dropout fills in its mask; on Intel processors it goes through a contiguous copy."""
    if self._base is None or is_intel():
        return None
    found = layout(self).strides
    order = memory_order(found)
    return order if order != tuple(range(len(order))) else None


Tensor.__pytreemod_order__ = _memory_order  # type: ignore[attr-defined]
Tensor.__pytreemod_source__ = staticmethod(lambda: default_generator.stream)  # type: ignore[attr-defined]


def manual_seed(seed: int) -> Generator:
    """Seed the default generator: the same seed gives the numbers that PyTorch draws on the CPU."""
    return default_generator.manual_seed(seed)


def thread_safe_generator() -> Generator | None:
    """None: PyTorch's threads that load data have one each, and the workers here are processes."""
    return None


def seed() -> int:
    return default_generator.seed()


def initial_seed() -> int:
    return default_generator.initial_seed()


def get_rng_state() -> Tensor:
    return default_generator.get_state()


def set_rng_state(new_state: Tensor) -> None:
    default_generator.set_state(new_state)


def source(generator: Generator | None = None) -> Any:
    return (default_generator if generator is None else generator).stream


def drawn(sample: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A sample of the host's or the program's stream as a tensor."""
    out = sample if isinstance(sample, Tensor) else made(np.asarray(sample))
    if dtype is not None:
        out = out.to(dtype)  # type: ignore[attr-defined]
    return out.requires_grad_() if requires_grad else out


def _floating(dtype: Any) -> Any:
    return default.dtype if dtype is None else as_dtype(dtype, "random")


def rand(
    *shape: Any, size: Any = None, generator: Any = None, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Uniform numbers in [0, 1)."""
    kind = _floating(dtype)
    shape = shape_of(shape if size is None else (size,))
    return drawn(source(generator).uniform(shape, dtype=kind.numpy), kind, requires_grad)


def randn(
    *shape: Any, size: Any = None, generator: Any = None, dtype: Any = None, requires_grad: bool = False
) -> Tensor:
    """Standard normal numbers."""
    kind = _floating(dtype)
    shape = shape_of(shape if size is None else (size,))
    return drawn(source(generator).normal(shape, dtype=kind.numpy), kind, requires_grad)


def randint(
    low: Any = None,
    high: Any = None,
    size: Any = None,
    *,
    generator: Any = None,
    dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:
    """Integers in [low, high); ``randint(high, size)`` starts at 0."""
    if size is None:
        low, high, size = 0, low, high
    low = 0 if low is None else low
    if high is None or size is None:
        raise TypeError("randint() received an invalid combination of arguments: expected high and size")
    if low >= high:
        raise RuntimeError(f"random_ expects 'from' to be less than 'to', but got from={low} >= to={high}")
    sample = source(generator).randint(int(low), int(high), shape_of((size,)), dtype="int64")
    return drawn(sample, dtype, requires_grad)


def randperm(n: int, *, generator: Any = None, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """The numbers 0 to n - 1 in random order."""
    return drawn(source(generator).permutation(n), dtype or int64, requires_grad)


def _like(function: Callable) -> Callable:
    def like(input: Tensor, *args: Any, dtype: Any = None, **kwargs: Any) -> Tensor:
        return function(*args, tuple(input.shape), dtype=dtype or input.dtype, **kwargs)

    like.__name__ = function.__name__ + "_like"
    return like


rand_like, randn_like = _like(rand), _like(randn)


def randint_like(input: Tensor, low: int, high: Any = None, *, dtype: Any = None, **kwargs: Any) -> Tensor:
    low, high = (0, low) if high is None else (low, high)
    return randint(low, high, tuple(input.shape), dtype=dtype or input.dtype, **kwargs)


def normal(
    mean: Any = 0.0, std: Any = 1.0, size: Any = None, *, generator: Any = None, dtype: Any = None,
    requires_grad: bool = False,
) -> Tensor:  # fmt: skip
    """Normal numbers; mean and standard deviation may be tensors, element by element."""
    if not isinstance(mean, Tensor) and not isinstance(std, Tensor):
        kind = _floating(dtype)
        sample = source(generator).normal(shape_of((size,)), mean=mean, std=std, dtype=kind.numpy)
        return drawn(sample, kind, requires_grad)
    like = mean if isinstance(mean, Tensor) else std
    shape = np.broadcast_shapes(*(tuple(v.shape) for v in (mean, std) if isinstance(v, Tensor)))
    return drawn(source(generator).normal(shape, dtype=like._aval.dtype)) * std + mean


def bernoulli(input: Tensor, p: Any = None, *, generator: Any = None) -> Tensor:
    """1 with the probability that ``input`` says, otherwise 0."""
    if p is None and modes.capture is not None:  # the probabilities cannot be read
        return drawn(source(generator).uniform(tuple(input.shape), dtype=input._aval.dtype) < input, input.dtype)
    chance = np.asarray(input._array()) if p is None else p
    return drawn(source(generator).bernoulli(chance, tuple(input.shape)), input.dtype)


def multinomial(input: Tensor, num_samples: int, replacement: bool = False, *, generator: Any = None) -> Tensor:
    """Indices drawn with the probabilities in the last dimension."""
    if modes.capture is not None:
        return _multinomial_in_program(input, num_samples, replacement, source(generator))
    return drawn(source(generator).multinomial(np.asarray(input._array()), num_samples, replacement))


def _multinomial_in_program(weights: Any, count: int, replacement: bool, stream: Any) -> Tensor:
    """As ``rng.multinomial`` draws, without a look at the weights."""
    if not replacement or count == 1:
        clocks = -(-stream.uniform(tuple(weights.shape), dtype=np.float64)).log1p()
        ratio = weights / clocks.to(weights.dtype)
        return ratio.argsort(dim=-1, descending=True, stable=True)[..., :count]
    running = weights.cumsum(-1)
    running = (running / running[..., -1:]).to(float64)
    unit = stream.uniform((*weights.shape[:-1], count), dtype=np.float64)
    return (running.unsqueeze(-2)[..., :-1] < unit.unsqueeze(-1)).sum(-1)


def _filling(name: str, draw: Callable) -> None:
    """An in-place method that fills a tensor with random numbers."""

    def method(self: Tensor, *args: Any, generator: Any = None, **kwargs: Any) -> Tensor:
        check_in_place(self)
        sample = drawn(draw(self, source(generator), *args, **kwargs), self.dtype)
        self._write(sample._read()[0])
        return self

    method.__name__ = name
    setattr(Tensor, name, method)


def _random(t: Tensor, s: Any, low: Any = None, high: Any = None) -> Any:
    if low is not None and high is None:
        low, high = 0, low
    return s.random(tuple(t.shape), t._aval.dtype, low, high)


def _shape_of(name: str, t: Tensor) -> tuple:
    if not t.dtype.is_floating_point:
        raise RuntimeError(
            f"{name} distribution is a continuous probability distribution. dtype must be a floating point but you "
            f"specified {t.dtype.scalar_name.lower()} int"
        )
    return tuple(t.shape)


_filling("uniform_", lambda t, s, low=0.0, high=1.0, **k: s.uniform(
    tuple(t.shape), k.get("from", k.get("a", low)), k.get("to", k.get("b", high)), t._aval.dtype))  # fmt: skip
_filling("normal_", lambda t, s, mean=0.0, std=1.0: s.normal(tuple(t.shape), mean, std, t._aval.dtype))
_filling("random_", _random)
_filling(
    "bernoulli_",
    lambda t, s, p=0.5: s.bernoulli(np.asarray(p._array()) if isinstance(p, Tensor) else p, tuple(t.shape)),
)
_filling("geometric_", lambda t, s, p: s.geometric(tuple(t.shape), float(p), t._aval.dtype))
_filling("cauchy_", lambda t, s, median=0.0, sigma=1.0: s.cauchy(_shape_of("Cauchy", t), median, sigma, t._aval.dtype))
_filling("log_normal_", lambda t, s, mean=1.0, std=2.0: s.log_normal(tuple(t.shape), mean, std, t._aval.dtype))
_filling("exponential_", lambda t, s, lambd=1.0: s.exponential(tuple(t.shape), lambd, t._aval.dtype))

composite(function=False)(bernoulli)
composite(function=False)(multinomial)


rand, randn, randint = (placing(f, *OPTIONS, "size", "out") for f in (rand, randn, randint))
randperm, normal = placing(randperm, *OPTIONS, "out"), placing(normal, *OPTIONS, "out")
rand_like, randn_like, randint_like = (
    placing(f, *OPTIONS, "generator", "requires_grad", "memory_format") for f in (rand_like, randn_like, randint_like)
)


class fork_rng:  # noqa: N801 (PyTorch's name)
    """Context at whose end the default generator is where it was."""

    def __init__(self, devices: Any = None, enabled: bool = True, **_: Any):
        self.enabled = enabled

    def __enter__(self) -> None:
        self.state = get_rng_state()

    def __exit__(self, *_: Any) -> None:
        if self.enabled:
            set_rng_state(self.state)
