"""The samples of the operations, evaluated under PyTorch and here.

``op_samples.txt`` has the functions of ``torch``, ``more_samples.txt`` those of the modules below it and the methods
that are no functions, by their dotted names. One line each: argument lists in terms of the inputs below, separated
by ``|``.
"""

from pathlib import Path

import numpy as np
import torch as theirs

import pytreemod.torch as ours


def _table(file):
    lines = Path(__file__).with_name(file).read_text().splitlines()
    return {name: samples.split(" | ") for name, samples in (line.split(": ", 1) for line in lines)}


SAMPLES, MORE = _table("op_samples.txt"), _table("more_samples.txt")


def pack(*args, **kwargs):
    return args, kwargs


def arguments(torch, sample):
    """((positional, named), inputs with a gradient by name) of one sample."""
    floating, rest = inputs(torch)
    return eval(f"pack({sample})", {**floating, **rest, "pack": pack}), floating  # our own table


def inputs(torch):
    r = np.random.RandomState(0)

    def floats(*shape):
        return torch.tensor(r.permutation(int(np.prod(shape))).reshape(shape).astype(np.float32) / 16 % 0.9 + 0.05)

    named = {
        "x": floats(3, 4), "y": floats(3, 4), "w": floats(4, 3), "a": floats(3, 3), "b": floats(2, 3, 3),
        "c": floats(2, 3, 3), "v": floats(4), "v3": floats(3), "s": torch.tensor(0.25), "b2": floats(2, 3, 4),
        "ties": torch.tensor([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0], [3.0, 1.0, 0.0, 3.0]]),
    }  # fmt: skip
    named["a"] += 2 * torch.eye(3)
    floating = {name: t.requires_grad_() for name, t in named.items()}
    rest = {
        "i": torch.tensor(np.arange(12).reshape(3, 4) * 7 % 6),
        "k": torch.tensor([0, 2]),
        "m": torch.tensor(np.arange(12).reshape(3, 4) % 3 > 0),
        "p": torch.tensor(np.stack([np.roll([0, 3, 1, 2], shift) for shift in range(3)])),
        "torch": torch,
        "z": torch.tensor(np.arange(3) * (1 + 2j)).to(torch.complex64),
    }
    return floating, rest


def run(torch, function, sample):
    """(results, gradients by input) of one sample; gradients of a weighted sum of all results that have one."""
    (args, kwargs), floating = arguments(torch, sample)
    out = function(*args, **kwargs)
    results = flat(out)
    loss = None
    for r in results:
        if isinstance(r, torch.Tensor) and r.requires_grad:
            r = r.real if r.dtype.is_complex else r
            weight = torch.tensor(np.linspace(0.5, 1.5, r.numel()).reshape(tuple(r.shape)).astype(np.float32))
            term = (r * weight.to(r.dtype)).sum()
            loss = term if loss is None else loss + term
    if loss is not None:
        loss.backward()
    return results, {name: t.grad for name, t in floating.items()}, args


def flat(out):
    """The results of a call, as one list."""
    if isinstance(out, (tuple, list)):
        return [each for part in out for each in flat(part)]
    return [out]


def array(t):
    if not hasattr(t, "detach"):
        return np.asarray(t)
    t = t.detach()
    return np.asarray((t.float() if "bfloat16" in str(t.dtype) else t).numpy(force=True))


def agree(name, theirs_function, ours_function, sample):
    """One sample under PyTorch and here: values, dtypes, whether there is a gradient, and the gradients."""
    want, want_grads, _ = run(theirs, theirs_function, sample)
    got, grads, _ = run(ours, ours_function, sample)
    call = f"{name}({sample})"
    assert len(got) == len(want), call
    for g, w in zip(got, want, strict=True):
        if not isinstance(w, theirs.Tensor):
            assert g == w, call
            continue
        assert str(g.dtype) == str(w.dtype), f"{call}: dtype {g.dtype}, expected {w.dtype}"
        assert tuple(g.shape) == tuple(w.shape), call
        assert g.requires_grad == w.requires_grad, f"{call}: requires_grad {g.requires_grad}"
        assert (g.grad_fn is None) == (w.grad_fn is None), f"{call}: grad_fn {g.grad_fn}"
        np.testing.assert_allclose(array(g), array(w), rtol=2e-5, atol=2e-6, err_msg=call)
    for key, w in want_grads.items():
        g = grads[key]
        assert (g is None) == (w is None), f"{call}: gradient of {key} is {g}, expected {w}"
        if w is not None:
            np.testing.assert_allclose(array(g), array(w), rtol=2e-4, atol=2e-5, err_msg=f"gradient of {key} in {call}")
