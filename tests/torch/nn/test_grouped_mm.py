"""Products by groups: values, gradients and refusals of PyTorch."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

SHAPES = {
    "rows": ((6, 16), (2, 16, 8), [2, 6]),
    "rows that are left": ((6, 16), (2, 16, 8), [0, 5]),
    "columns": ((2, 4, 16), (16, 8), [3, 8]),
    "inner": ((4, 16), (16, 8), [4, 16]),
    "none": ((2, 4, 16), (2, 16, 8), None),
}


def product(t, a, b, offs, dtype="float32"):
    r = np.random.RandomState(0)
    a, b = (t.tensor(r.randn(*s).astype(np.float32)).requires_grad_() for s in (a, b))
    offs = None if offs is None else t.tensor(offs, dtype=t.int32)
    kind = getattr(t, dtype)
    out = t.nn.functional.grouped_mm(a.to(kind), b.to(kind), offs=offs)
    rows = out[: int(offs[-1])] if a.ndim == 2 and b.ndim == 3 else out  # PyTorch leaves the rest as memory was
    (rows * rows.detach().float()).sum().backward()
    return [x.detach().float().numpy() for x in (rows, a.grad[: len(rows)] if rows is not out else a.grad, b.grad)]


@pytest.mark.parametrize("case", SHAPES)
def test_is_pytorchs(case):
    for mine, theirs in zip(product(ptt, *SHAPES[case]), product(torch, *SHAPES[case]), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5, atol=1e-5)


def test_rows_after_the_last_group_are_zero():
    out = ptt.nn.functional.grouped_mm(ptt.ones(4, 2), ptt.ones(1, 2, 3), offs=ptt.tensor([3], dtype=ptt.int32))
    assert out[:, 0].tolist() == [2, 2, 2, 0]


REFUSED = {
    "Have to provide offsets": lambda t, f: f(t.ones(6, 16), t.ones(2, 16, 8)),
    "Offsets have to be int32": lambda t, f: f(t.ones(6, 16), t.ones(2, 16, 8), offs=t.tensor([2, 6])),
    "matrix batch sizes have to match": lambda t, f: f(
        t.ones(6, 16), t.ones(3, 16, 8), offs=t.tensor([2, 6], dtype=t.int32)
    ),
    "batched dimension has to match": lambda t, f: f(t.ones(2, 6, 16), t.ones(3, 16, 8)),
    "contraction dimension of mat_a and mat_b must match": lambda t, f: f(
        t.ones(6, 16), t.ones(2, 8, 4), offs=t.tensor([2, 6], dtype=t.int32)
    ),
    "mat_a has to be 2 or 3d": lambda t, f: f(t.ones(6), t.ones(2, 16)),
    "Bias not supported yet": lambda t, f: f(
        t.ones(6, 16), t.ones(2, 16, 8), offs=t.tensor([2, 6], dtype=t.int32), bias=t.ones(2, 8)
    ),
    "output dtype must match": lambda t, f: f(t.ones(2, 6, 16), t.ones(2, 16, 8), out_dtype=t.bfloat16),
}


@pytest.mark.parametrize("words", REFUSED)
def test_refuses_in_pytorchs_words(words):
    for t in (ptt, torch):
        with pytest.raises(RuntimeError, match=words):
            REFUSED[words](t, t.nn.functional.grouped_mm)
