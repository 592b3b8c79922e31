"""What tests of the stateful face share: the same lambda under PyTorch and here, compared."""

import re
import warnings

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

FACES = (torch, ptt)


def plain(x):
    """A result without its library: tensors as (dtype, shape, requires_grad, values), addresses struck out."""
    if isinstance(x, (torch.Tensor, ptt.Tensor)):
        values = np.asarray(x.detach().tolist(), dtype=object if x.numel() == 0 else None)
        return "tensor", str(x.dtype), tuple(x.shape), x.requires_grad, values
    if isinstance(x, (list, tuple)):
        return [plain(item) for item in x]
    if isinstance(x, dict):
        return {k: plain(v) for k, v in x.items()}
    if isinstance(x, (bool, int, float, type(None))):
        return x
    if isinstance(x, np.ndarray):
        return "array", str(x.dtype), x.shape, True, x
    return re.sub(r"0x[0-9a-f]+", "0x", str(x)).replace("pytreemod.torch", "torch")


def same(a, b, rtol, atol, where="the result"):
    assert type(a) is type(b), f"{where}: torch gives {a!r}, here it is {b!r}"
    if isinstance(a, (list, tuple, dict)):
        assert len(a) == len(b), f"{where}: torch gives {a!r}, here it is {b!r}"
        for k in a if isinstance(a, dict) else range(len(a)):
            same(a[k], b[k], rtol, atol, f"{where}[{k!r}]")
    elif isinstance(a, (float, np.ndarray)):
        np.testing.assert_allclose(b, a, rtol=rtol, atol=atol, err_msg=where)
    else:
        assert a == b, f"{where}: torch gives {a!r}, here it is {b!r}"


@pytest.fixture
def agree():
    """``agree(f)``: ``f(torch)`` gives the same under PyTorch and here, down to dtype and requires_grad."""

    def check(f, rtol=1e-5, atol=1e-6):
        results = []
        for t in FACES:
            t.manual_seed(0)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                results.append(plain(f(t)))
        same(*results, rtol, atol)
        return results[1]

    return check


@pytest.fixture
def refuse():
    """``refuse(f, phrase)``: both libraries raise the same type at ``f(torch)``, with ``phrase`` in the message."""

    def check(f, phrase):
        kinds = []
        for t in FACES:
            with warnings.catch_warnings(), pytest.raises(Exception) as caught:
                warnings.simplefilter("ignore")
                f(t)
            assert phrase in str(caught.value), f"{t.__name__}: {caught.value}"
            kinds.append(caught.type)
        assert kinds[0] is kinds[1], kinds

    return check
