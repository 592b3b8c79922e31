"""Packed and padded sequences, and recurrent layers that take them, against PyTorch."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

N = np.random.RandomState(0)
X = N.randn(5, 3, 4).astype(np.float32)
PARTS = [N.randn(n, 2).astype(np.float32) for n in (2, 4, 1)]


def same(mine, theirs):
    if theirs is None:
        assert mine is None
    elif isinstance(theirs, (tuple, list)):
        assert len(mine) == len(theirs)
        for a, b in zip(mine, theirs, strict=True):
            same(a, b)
    else:
        assert str(mine.dtype) == str(theirs.dtype)
        np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize(("lengths", "is_sorted"), [([5, 3, 1], True), ([2, 5, 3], False)])
def test_packing_and_padding(batch_first, lengths, is_sorted):
    def both_ways(t):
        rnn = t.nn.utils.rnn
        x = t.tensor(X.swapaxes(0, 1).copy() if batch_first else X, requires_grad=True)
        packed = rnn.pack_padded_sequence(x, t.tensor(lengths), batch_first, enforce_sorted=is_sorted)
        padded, back = rnn.pad_packed_sequence(packed, batch_first, padding_value=-1.0, total_length=6)
        (padded * padded).sum().backward()
        parts = rnn.unpad_sequence(padded.clone(), back, batch_first)  # PyTorch transposes what it is given
        return packed, padded, back, parts, rnn.unpack_sequence(packed), x.grad

    same(both_ways(ptt), both_ways(torch))


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_sequences(side, batch_first):
    def made(t):
        parts = [t.tensor(p) for p in PARTS]
        rnn = t.nn.utils.rnn
        padded = rnn.pad_sequence(parts, batch_first, 7.0, padding_side=side)
        return padded, rnn.pack_sequence(parts, enforce_sorted=False), rnn.invert_permutation(t.tensor([2, 0, 1]))

    same(made(ptt), made(torch))


KINDS = [
    ("LSTM", {"num_layers": 2, "bidirectional": True}),
    ("LSTM", {"proj_size": 2}),
    ("GRU", {"bidirectional": True}),
    ("RNN", {"bias": False}),
    ("GRU", {"num_layers": 2, "dropout": 0.5}),
]


@pytest.mark.parametrize(("kind", "settings"), KINDS)
@pytest.mark.parametrize("is_sorted", [True, False])
def test_recurrent_layers_take_packed_sequences(kind, settings, is_sorted):
    def run(t):
        t.manual_seed(0)
        layer = getattr(t.nn, kind)(4, 3, **settings)
        x = t.tensor(X, requires_grad=True)
        lengths = [5, 3, 1] if is_sorted else [2, 5, 3]
        packed = t.nn.utils.rnn.pack_padded_sequence(x, lengths, enforce_sorted=is_sorted)
        states = [t.ones(layer.num_layers * (1 + layer.bidirectional), 3, s) for s in (layer.proj_size or 3, 3)]
        states = [s * t.arange(3.0)[:, None] for s in states]
        out, last = layer(packed, tuple(states) if kind == "LSTM" else states[0])
        assert isinstance(out, t.nn.utils.rnn.PackedSequence)
        ((out.data * out.data).sum() + (last[0] if kind == "LSTM" else last).sum()).backward()
        return out, last, x.grad, [p.grad for p in layer.parameters()]

    same(run(ptt), run(torch))


BAD = {
    "must be sorted in decreasing order": lambda t, r: r.pack_padded_sequence(t.tensor(X), [1, 3, 5]),
    "Length of all samples has to be greater than 0": lambda t, r: r.pack_padded_sequence(t.tensor(X), [5, 3, 0]),
    "`len\\(lengths\\)` to be equal to batch_size": lambda t, r: r.pack_padded_sequence(t.tensor(X), [5, 3]),
    "padding_side to be one of left or right": lambda t, r: r.pad_sequence([t.ones(2)], padding_side="x"),
    "received an empty list of sequences": lambda t, r: r.pad_sequence([]),
}


@pytest.mark.parametrize("words", BAD)
def test_refusals_in_pytorchs_words(words):
    for t in (ptt, torch):
        with pytest.raises(RuntimeError, match=words):
            BAD[words](t, t.nn.utils.rnn)


def test_a_packed_sequence_can_be_cast_and_read():
    for t in (ptt, torch):
        packed = t.nn.utils.rnn.pack_sequence([t.ones(3, 2), t.ones(1, 2)])
        assert packed.double().data.dtype is t.float64 and packed.to(t.float32) is packed
        assert packed.batch_sizes.tolist() == [2, 1, 1] and packed.sorted_indices is None
        assert packed.cpu().data.shape == (4, 2) and not packed.is_cuda
