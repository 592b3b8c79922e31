"""Lazy modules: layers that learn the number of their inputs from the first call, and then are the usual layers."""

from __future__ import annotations

from typing import Any

from pytreemod.nn import conv, linear, norm_batch
from pytreemod.torch.autograd.mode import no_grad
from pytreemod.torch.creation import tensor
from pytreemod.torch.nn.live import live_class
from pytreemod.torch.nn.uninitialized import UninitializedBuffer, UninitializedParameter, is_lazy


class LazyModuleMixin:
    """What makes a module lazy: ``class LazyThing(LazyModuleMixin, Thing)``.

    A subclass makes ``UninitializedParameter`` s in its constructor and defines ``initialize_parameters``, which gets
    the arguments of the first call and materializes them. Then the module becomes a ``cls_to_become``, if that is set.

    Raises:
        RuntimeError: on the first call, when a parameter was not materialized.
    """

    cls_to_become: type | None = None

    def __init__(self, *args: Any, **kwargs: Any):
        super().__init__(*args, **kwargs)
        own: Any = self
        self._load_hook = own._register_load_state_dict_pre_hook(self._lazy_load_hook)
        self._initialize_hook = own.register_forward_pre_hook(_infer_parameters, with_kwargs=True)

    def initialize_parameters(self, *args: Any, **kwargs: Any) -> None:
        """Materialize the parameters for these arguments; a subclass defines it."""
        raise NotImplementedError(f"initialize_parameters is not implemented for {type(self).__name__}")

    def has_uninitialized_params(self) -> bool:
        """Whether a parameter or buffer of this module has no shape yet."""
        own: Any = self
        return any(map(is_lazy, (*own._parameters.values(), *own._buffers.values())))

    def _lazy_load_hook(self, state_dict: Any, prefix: str, *_: Any) -> None:
        own: Any = self
        for name, mine in (*own._parameters.items(), *own._buffers.items()):
            given = state_dict.get(prefix + name)
            if is_lazy(mine) and given is not None and not is_lazy(given):
                with no_grad():
                    mine.materialize(given.shape)


def _infer_parameters(module: Any, args: tuple, kwargs: dict) -> None:
    module.initialize_parameters(*args, **(kwargs or {}))
    if module.has_uninitialized_params():
        raise RuntimeError(f"module {module._get_name()} has not been fully initialized")
    module._initialize_hook.remove()
    module._load_hook.remove()
    del module._initialize_hook, module._load_hook
    if module.cls_to_become is not None:
        module.__class__ = module.cls_to_become


_Linear: Any = live_class(linear.Linear)


class LazyLinear(LazyModuleMixin, _Linear):
    """A ``Linear`` whose ``in_features`` is the last size of its first input."""

    cls_to_become = _Linear

    def __init__(self, out_features: int, bias: bool = True, device: Any = None, dtype: Any = None):
        super().__init__(0, 0, False)
        self.weight = UninitializedParameter(dtype=dtype)
        self.out_features = out_features
        if bias:
            self.bias = UninitializedParameter(dtype=dtype)

    def reset_parameters(self) -> None:
        if not self.has_uninitialized_params() and self.in_features != 0:
            super().reset_parameters()

    def initialize_parameters(self, input: Any) -> None:
        if self.has_uninitialized_params():
            self.in_features = input.shape[-1]
            self.weight.materialize((self.out_features, self.in_features))
            if self.bias is not None:
                self.bias.materialize((self.out_features,))
            self.reset_parameters()
        self.in_features = self.weight.shape[1]


class _LazyConv(LazyModuleMixin):
    """What the lazy convolutions share."""

    def _begin(self, out_channels: int, bias: bool, dtype: Any) -> None:
        self.out_channels = out_channels
        self.weight = UninitializedParameter(dtype=dtype)
        if bias:
            self.bias = UninitializedParameter(dtype=dtype)

    def reset_parameters(self) -> None:
        own: Any = self
        if not self.has_uninitialized_params() and own.in_channels != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Any, *_: Any, **__: Any) -> None:
        own: Any = self
        if self.has_uninitialized_params():
            own.in_channels = channels = self._channels(input)
            if channels % own.groups:
                raise ValueError(f"in_channels must be divisible by groups, got {channels} and {own.groups}")
            first, second = (channels, own.out_channels) if own.transposed else (own.out_channels, channels)
            own.weight.materialize((first, second // own.groups, *own.kernel_size))
            if own.bias is not None:
                own.bias.materialize((own.out_channels,))
            self.reset_parameters()
        own.in_channels = own.weight.shape[0] if own.transposed else own.weight.shape[1] * own.groups

    def _channels(self, input: Any) -> int:
        n = self.dimensions  # type: ignore[attr-defined]
        if input.ndim not in (n + 1, n + 2):
            raise RuntimeError(
                f"Expected {n + 1}D (unbatched) or {n + 2}D (batched) input to {type(self).__name__}, but got input "
                f"of size: {list(input.shape)}"
            )
        return input.shape[-n - 1]


class _LazyForward(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        dilation: Any = 1,
        groups: int = 1,
        bias: bool = True,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(0, 0, kernel_size, stride, padding, dilation, groups, False, padding_mode)
        self._begin(out_channels, bias, dtype)


class _LazyTransposed(_LazyConv):
    def __init__(
        self,
        out_channels: int,
        kernel_size: Any,
        stride: Any = 1,
        padding: Any = 0,
        output_padding: Any = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Any = 1,
        padding_mode: str = "zeros",
        device: Any = None,
        dtype: Any = None,
    ):
        super().__init__(0, 0, kernel_size, stride, padding, output_padding, groups, False, dilation, padding_mode)
        self._begin(out_channels, bias, dtype)


class _LazyNorm(LazyModuleMixin):
    """What the lazy normalisations share."""

    def __init__(
        self,
        eps: float = 1e-5,
        momentum: float | None = 0.1,
        affine: bool = True,
        track_running_stats: bool = True,
        device: Any = None,
        dtype: Any = None,
        *,
        bias: bool = True,
    ):
        super().__init__(0, eps, momentum, False, False)
        self.affine, self.track_running_stats = affine, track_running_stats
        if affine:
            self.weight = UninitializedParameter(dtype=dtype)
            if bias:
                self.bias = UninitializedParameter(dtype=dtype)
        if track_running_stats:
            self.running_mean = UninitializedBuffer(dtype=dtype)
            self.running_var = UninitializedBuffer(dtype=dtype)
            self.num_batches_tracked = tensor(0)

    def reset_parameters(self) -> None:
        own: Any = self
        if not self.has_uninitialized_params() and own.num_features != 0:
            super().reset_parameters()  # type: ignore[misc]

    def initialize_parameters(self, input: Any) -> None:
        own: Any = self
        if self.has_uninitialized_params():
            own.num_features = input.shape[1]
            for each in (own.weight, own.bias, own.running_mean, own.running_var):
                if is_lazy(each):
                    each.materialize((own.num_features,))
            self.reset_parameters()
        elif own.num_features == 0:  # loaded before the first call
            known = (each for each in (own.weight, own.running_mean) if each is not None)
            own.num_features = next((each.shape[0] for each in known), input.shape[1])


def _made(name: str, mixin: type, plain: type) -> type:
    """The lazy class of a layer."""
    layer = live_class(plain)
    doc = f"A ``{name}`` that learns the number of its channels from its first input."
    body = {"cls_to_become": layer, "__doc__": doc, "__module__": LazyLinear.__module__}
    return type("Lazy" + name, (mixin, layer), body)


LAYERS = {
    "LazyLinear": LazyLinear,
    **{
        f"Lazy{name}": _made(name, mixin, getattr(file, name))
        for mixin, file, stem in (
            (_LazyForward, conv, "Conv"),
            (_LazyTransposed, conv, "ConvTranspose"),
            (_LazyNorm, norm_batch, "BatchNorm"),
            (_LazyNorm, norm_batch, "InstanceNorm"),
        )
        for name in (f"{stem}{n}d" for n in (1, 2, 3))
    },
}
for _layer in LAYERS.values():
    _layer.__module__ = "pytreemod.torch.nn"
NAMES = ("LazyModuleMixin", *LAYERS)
