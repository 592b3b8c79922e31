"""Fourier transforms of short stretches of a signal, and the signal from them."""

from typing import Any

import jax.numpy as jnp
import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.ops.failed import refuse
from pytreemod.torch.ops.registry import composite, operation
from pytreemod.torch.record import call
from pytreemod.torch.tensor import Tensor, wrap

_PADS = {"reflect": "reflect", "constant": "constant", "replicate": "edge", "circular": "wrap"}


def _described(name: str, kind: str, shape: list, window: Any, **settings: Any) -> str:
    """A call as PyTorch's messages show it."""
    weights = f"{messages.type_name(window)}{{{list(window.shape)}}}" if window is not None else "None"
    shown = {k: int(v) if isinstance(v, bool) else v for k, v in settings.items()}
    first, rest = list(shown.items())[:3], list(shown.items())[3:]
    text = ", ".join(f"{k}={v}" for k, v in [*first, ("window", weights), *rest])
    return f"{name}({kind}{shape}, {text})"


def _is_complex(*tensors: Any) -> bool:
    return any(t is not None and t.dtype.is_complex for t in tensors)


def _weights(window: Any, length: int, size: int, dtype: Any) -> Any:
    """The window in the middle of ``size`` weights, the others zero."""
    window = jnp.ones((length,), dtype) if window is None else window
    ahead = (size - length) // 2
    return jnp.pad(window, (ahead, size - length - ahead))


def _frames(count: int, hop: int, size: int) -> Any:
    """Which samples each stretch is made of: (count, size)."""
    return hop * np.arange(count)[:, None] + np.arange(size)


def _pad_signal(x: Any, amount: int, mode: str) -> Any:
    if mode not in _PADS:
        raise NotImplementedError(f"Unrecognised padding mode {mode}")
    if mode == "reflect" and amount >= x.shape[-1]:
        raise RuntimeError(
            "Argument #4: Padding size should be less than the corresponding input dimension, but got: padding "
            f"({amount}, {amount}) at dimension 2 of input {[1, *(x.shape if x.ndim > 1 else (1, *x.shape))]}"
        )
    return jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(amount, amount)], mode=_PADS[mode])


def _transformed(
    input: Any,
    window: Any,
    n_fft: int,
    hop: int,
    length: int,
    pad: int,
    mode: str,
    aligned: bool,
    norm: Any,
    half: bool,
) -> Any:  # fmt: skip
    """(..., samples) -> (..., frequencies, stretches)."""
    x = _pad_signal(input, pad, mode) if pad else input
    if aligned:
        ahead = (n_fft - length) // 2
        x = jnp.pad(x, [(0, 0)] * (x.ndim - 1) + [(ahead, n_fft - length - ahead)])
    pieces = x[..., _frames(1 + (x.shape[-1] - n_fft) // hop, hop, n_fft)]
    if window is not None or length < n_fft:
        pieces = pieces * _weights(window, length, n_fft, input.real.dtype)
    out = (jnp.fft.rfft if half else jnp.fft.fft)(pieces, norm=norm)
    return jnp.swapaxes(out, -2, -1)


_transformed.__name__ = "stft"
_STFT = operation("TransposeBackward0", method=False, function=False)(_transformed)


@composite()
def stft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Any = None,
    center: bool = True, pad_mode: str = "reflect", normalized: bool = False, onesided: bool | None = None,
    return_complex: bool | None = None, align_to_window: bool | None = None,
) -> Tensor:  # fmt: skip
    """The Fourier transforms of stretches of a signal: (samples) or (batch, samples) -> (..., frequencies, stretches).

    Raises:
        RuntimeError: sizes that do not fit, a real signal without ``return_complex``, ``onesided`` of a complex one.
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    length = n_fft if win_length is None else win_length
    if align_to_window and center:
        raise RuntimeError("stft align_to_window should only be set when center = false")
    complex = _is_complex(input, window)
    if return_complex is None:
        if not complex:
            raise RuntimeError(
                "stft requires the return_complex parameter be given for real inputs, and will further require that "
                "return_complex=True in a future PyTorch release."
            )
        return_complex = True
    pad = n_fft // 2 if center else 0
    samples = (input.shape[-1] if input.ndim else 1) + 2 * pad
    who = _described(
        "stft", messages.type_name(input), [*input.shape[:-1], samples], window,
        n_fft=n_fft, hop_length=hop, win_length=length, normalized=normalized,
        onesided=onesided, return_complex=return_complex, align_to_window=align_to_window,
    )  # fmt: skip
    if not (input.dtype.is_floating_point or input.dtype.is_complex):
        raise RuntimeError(f"{who} : expected a tensor of floating point or complex values")
    if not 1 <= input.ndim <= 2:
        raise RuntimeError(f"{who} : expected a 1D or 2D tensor")
    if not 0 < n_fft <= samples:
        raise RuntimeError(f"{who} : expected 0 < n_fft < {samples}, but got n_fft={n_fft}")
    if hop <= 0:
        raise RuntimeError(f"{who} : expected hop_length > 0, but got hop_length={hop}")
    if not 0 < length <= n_fft:
        raise RuntimeError(f"{who} : expected 0 < win_length <= n_fft, but got win_length={length}")
    if window is not None and tuple(window.shape) != (length,):
        raise RuntimeError(
            f"{who} : expected a 1D window tensor of size equal to win_length={length}, but got window with size "
            f"{list(window.shape)}"
        )
    if onesided and complex:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    half = not complex if onesided is None else onesided
    aligned = bool(align_to_window) and length < n_fft
    norm = "ortho" if normalized else None
    out = wrap(call(_STFT, (input, window, n_fft, hop, length, pad, pad_mode, aligned, norm, half)))
    return out if return_complex else _view_as_real(out)


def _view_as_real(out: Tensor) -> Tensor:
    return wrap(call(_AS_REAL, (out,)))


def _real_pairs(input: Any) -> Any:
    return jnp.stack([input.real, input.imag], -1)


_real_pairs.__name__ = "view_as_real"
_AS_REAL = operation("ViewAsRealBackward0", "none", method=False, function=False)(_real_pairs)


def _restored(
    input: Any, window: Any, n_fft: int, hop: int, length: int, norm: Any, complex: bool, start: int, stop: int
) -> tuple:
    """(..., frequencies, stretches) -> (..., samples), and 1 where the windows leave a sample without weight."""
    spectra = jnp.swapaxes(input, -2, -1)
    if complex:
        pieces = jnp.fft.ifft(spectra, norm=norm)
    else:
        pieces = jnp.fft.irfft(spectra[..., : n_fft // 2 + 1], n_fft, norm=norm)
    weights = _weights(window, length, n_fft, input.real.dtype)
    at = _frames(input.shape[-1], hop, n_fft)
    whole = n_fft + hop * (input.shape[-1] - 1)
    pieces = pieces * weights
    signal = jnp.zeros((*pieces.shape[:-2], whole), pieces.dtype).at[..., at].add(pieces)[..., start:stop]
    power = jnp.zeros((whole,), weights.dtype).at[at].add(jnp.broadcast_to(weights * weights, at.shape))[start:stop]
    bad = (jnp.min(jnp.abs(power), initial=jnp.inf) < 1e-11).astype(jnp.int32)
    signal = signal / power
    return jnp.pad(signal, [(0, 0)] * (signal.ndim - 1) + [(0, max(stop - whole, 0))]), bad


_restored.__name__ = "istft"
_ISTFT = operation("DivBackward0", method=False, function=False)(_restored)


@composite()
def istft(
    input: Tensor, n_fft: int, hop_length: int | None = None, win_length: int | None = None, window: Any = None,
    center: bool = True, normalized: bool = False, onesided: bool | None = None, length: int | None = None,
    return_complex: bool = False,
) -> Tensor:  # fmt: skip
    """The signal whose ``stft`` is nearest: (..., frequencies, stretches) -> (..., samples).

    Raises:
        RuntimeError: sizes that do not fit; a sample that no window gives weight.
    """
    hop = n_fft // 4 if hop_length is None else hop_length
    span = n_fft if win_length is None else win_length
    who = _described(
        "istft", f"CPU{messages.scalar_name(input.dtype)}Type", list(input.shape), window,
        n_fft=n_fft, hop_length=hop, win_length=span, center=center, normalized=normalized,
        onesided=onesided, length=length, return_complex=return_complex,
    )  # fmt: skip
    if not input.dtype.is_complex:
        raise RuntimeError(
            "istft requires a complex-valued input tensor matching the output from stft with return_complex=True."
        )
    if not input.numel():  # type: ignore[attr-defined]
        raise RuntimeError(f"{who} : input tensor cannot be empty.")
    if not 2 <= input.ndim <= 3:
        raise RuntimeError(f"{who} : expected a tensor with 3 or 4 dimensions, but got {input.ndim + 1}")
    frequencies, stretches = input.shape[-2:]
    half = frequencies != n_fft if onesided is None else onesided
    if frequencies != (n_fft // 2 + 1 if half else n_fft):
        raise RuntimeError(
            f"{who} : expected the frequency dimension (3rd to the last) of the input tensor to match "
            f"{'n_fft / 2 + 1' if half else 'n_fft'} when onesided={half}, but got {frequencies}"
        )
    if not 0 < hop <= span:
        raise RuntimeError(f"{who} : expected 0 < hop_length <= win_length")
    if not 0 < span <= n_fft:
        raise RuntimeError(f"{who} : expected 0 < win_length <= n_fft")
    if window is not None and tuple(window.shape) != (span,):
        raise RuntimeError(f"{who} : Invalid window shape. window has to be 1D and length of `win_length`")
    if return_complex and half:
        raise RuntimeError("Cannot have onesided output if window or input is complex")
    if not return_complex and _is_complex(window):
        raise RuntimeError("Complex windows are incompatible with return_complex=False")
    whole = n_fft + hop * (stretches - 1)
    start = n_fft // 2 if center else 0
    stop = start + length if length is not None else whole - start
    settings = (n_fft, hop, span, "ortho" if normalized else None, return_complex, start, stop)
    signal, bad = wrap(call(_ISTFT, (input, window, *settings)))
    refuse(bad, who, "window overlap add min: 1", RuntimeError)
    return signal
