"""CTC, bags of embeddings, adaptive softmax and the cross entropy of an affine map, against PyTorch."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

N = np.random.RandomState(1)
LOGITS = N.randn(6, 3, 5).astype(np.float32)
LABELS = np.array([[1, 1, 2], [3, 4, 4], [2, 2, 2]])


def both(call, x):
    """(mine, theirs, gradient of mine, gradient of theirs) of ``call(t, x).sum()``."""
    found = []
    for t in (ptt, torch):
        leaf = t.tensor(x, requires_grad=True)
        out = call(t, leaf)
        out.sum().backward()
        found += [out.detach().numpy(), leaf.grad.numpy()]
    return found[0], found[2], found[1], found[3]


def same(call, x):
    mine, theirs, slope, other = both(call, x)
    np.testing.assert_allclose(mine, theirs, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(slope, other, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("rowed", [False, True])
@pytest.mark.parametrize("zero_infinity", [False, True])
def test_ctc_is_pytorchs(reduction, rowed, zero_infinity):
    counts = [3, 2, 3 if zero_infinity else 1]  # the last one does not fit into its four steps

    def loss(t, x):
        labels = np.concatenate([row[:n] for row, n in zip(LABELS, counts, strict=True)]) if rowed else LABELS
        lengths = t.tensor([6, 5, 4]), t.tensor(counts)
        out = t.nn.functional.ctc_loss(x, t.tensor(labels), *lengths, reduction=reduction, zero_infinity=zero_infinity)
        return out * 2

    same(loss, LOGITS)


def test_ctc_of_one_sequence_and_of_labels_that_cannot_be():
    same(lambda t, x: t.nn.functional.ctc_loss(x, t.tensor([1, 2]), (6,), (2,), blank=3), LOGITS[:, 0])
    mine, theirs, slope, other = both(
        lambda t, x: t.nn.functional.ctc_loss(x, t.tensor(LABELS), (6, 2, 0), (3, 3, 0), reduction="none"), LOGITS
    )
    np.testing.assert_allclose(mine, theirs, rtol=1e-5)
    assert np.isinf(mine[1]) and np.isnan(slope[0, 1]).all() and np.isnan(other[0, 1]).all()


BAD_CTC = {
    "input_lengths must be of size batch_size": ([6], [3, 3, 3], 0),
    "to have value at most 6": ([6, 7, 6], [3, 3, 3], 0),
    "to have size at least 4 at dimension 1": ([6, 6, 6], [3, 4, 3], 0),
    "blank must be in label range": ([6, 6, 6], [3, 3, 3], 5),
}


@pytest.mark.parametrize("words", BAD_CTC)
def test_ctc_refuses_in_pytorchs_words(words):
    inputs, counts, blank = BAD_CTC[words]
    for t in (ptt, torch):
        with pytest.raises(RuntimeError, match=words):
            t.nn.functional.ctc_loss(t.tensor(LOGITS), t.tensor(LABELS), tuple(inputs), tuple(counts), blank)


TABLE = N.randn(6, 3).astype(np.float32)
TABLE[2] = TABLE[1]  # a tie: the gradient goes to the first
INDICES = np.array([1, 2, 0, 5, 1, 4, 4])


@pytest.mark.parametrize("mode", ["sum", "mean", "max"])
@pytest.mark.parametrize(
    "settings",
    [{}, {"padding_idx": 1}, {"include_last_offset": True}],
    ids=lambda s: next(iter(s), "plain"),
)
def test_embedding_bag_is_pytorchs(mode, settings):
    def bags(t, x):
        offsets = t.tensor([0, 2, 2, 6, 7] if "include_last_offset" in settings else [0, 2, 2, 6])
        out = t.nn.functional.embedding_bag(t.tensor(INDICES), x, offsets, mode=mode, **settings)
        return out * out

    same(bags, TABLE)


def test_embedding_bag_scales_by_frequency():
    """By how often a row is read; PyTorch 2.13 takes the count of another row where the indices are not 0, 1, 2, ..."""
    weight = ptt.tensor(TABLE, requires_grad=True)
    ptt.nn.functional.embedding_bag(
        ptt.tensor(INDICES), weight, ptt.tensor([0, 3]), mode="sum", scale_grad_by_freq=True
    ).sum().backward()
    np.testing.assert_array_equal(weight.grad.numpy()[:, 0], [1, 1, 1, 0, 1, 1])


def test_embedding_bag_of_rows_and_weights():
    weights = N.rand(2, 3).astype(np.float32)
    rows = INDICES[:6].reshape(2, 3)

    def bags(t, x):
        return t.nn.functional.embedding_bag(t.tensor(rows), x, mode="sum", per_sample_weights=t.tensor(weights)) ** 2

    same(bags, TABLE)
    same(
        lambda t, w: (
            t.nn.functional.embedding_bag(t.tensor(rows), t.tensor(TABLE), mode="sum", per_sample_weights=w) ** 2
        ),
        weights,
    )


BAD_BAGS = {
    "offsets has to be a 1D Tensor but got None": ((INDICES,), {}),
    "if input is 2D, then offsets has to be None": ((INDICES[None], [0]), {}),
    "mode has to be one of sum, mean or max": ((INDICES, [0]), {"mode": "x"}),
}


@pytest.mark.parametrize("words", BAD_BAGS)
def test_embedding_bag_refuses_in_pytorchs_words(words):
    (indices, *offsets), settings = BAD_BAGS[words]
    for t in (ptt, torch):
        with pytest.raises(ValueError, match=words):
            t.nn.functional.embedding_bag(t.tensor(indices), t.tensor(TABLE), *map(t.tensor, offsets), **settings)


def adaptive(t):
    t.manual_seed(2)
    return t.nn.AdaptiveLogSoftmaxWithLoss(8, 10, [4, 7], div_value=2.0, head_bias=True)


def test_adaptive_softmax_gives_all_classes():
    x = N.randn(5, 8).astype(np.float32)
    mine, theirs = adaptive(ptt), adaptive(torch)
    close = {"rtol": 1e-4, "atol": 1e-5}
    np.testing.assert_allclose(
        mine.log_prob(ptt.tensor(x)).detach().numpy(), theirs.log_prob(torch.tensor(x)).detach().numpy(), **close
    )
    np.testing.assert_array_equal(mine.predict(ptt.tensor(x)).numpy(), theirs.predict(torch.tensor(x)).numpy())
    alone, other = mine(ptt.tensor(x[0]), ptt.tensor(8)), theirs(torch.tensor(x[0]), torch.tensor(8))
    np.testing.assert_allclose(alone.output.item(), other.output.item(), **close)


@pytest.mark.parametrize("cutoffs", [[], [2, 2], [5, 2], [0], [10]])
def test_adaptive_softmax_refuses_cutoffs(cutoffs):
    for t in (ptt, torch):
        with pytest.raises(ValueError, match="cutoffs should be a sequence of"):
            t.nn.AdaptiveLogSoftmaxWithLoss(8, 10, cutoffs)


@pytest.mark.parametrize("settings", [{}, {"label_smoothing": 0.2}, {"ignore_index": 1}, {"reduction": "sum"}])
def test_linear_cross_entropy_is_pytorchs(settings):
    x, weight, target = N.randn(4, 3).astype(np.float32), N.randn(5, 2, 3).astype(np.float32), N.randint(0, 5, (4, 2))

    def loss(t, x):
        return t.nn.functional.linear_cross_entropy(x, t.tensor(weight), t.tensor(target), **settings)

    same(loss, x)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        (lambda t: {"weight": t.ones(3)}, r"expected weight shape to be \(2,\), got \(3,\)"),
        (lambda t: {"label_smoothing": 2.0}, r"expected label_smoothing to be in range \[0, 1\], got 2.0"),
    ],
    ids=["weight", "label_smoothing"],
)
def test_linear_cross_entropy_loss_refuses_at_construction(settings, words):
    for t in (ptt, torch):
        with pytest.raises(RuntimeError, match=words):
            t.nn.LinearCrossEntropyLoss(3, 2, **settings(t))


def test_sync_batch_norm_takes_the_place_of_batch_norm():
    net = ptt.nn.Sequential(ptt.nn.Linear(2, 3), ptt.nn.BatchNorm1d(3), ptt.nn.Sequential(ptt.nn.BatchNorm1d(3)))
    weight, mean = net[1].weight, net[1].running_mean
    net = ptt.nn.SyncBatchNorm.convert_sync_batchnorm(net)
    assert type(net[1]) is ptt.nn.SyncBatchNorm is type(net[2][0])
    assert net[1].weight is weight and net[1].running_mean is mean
    net(ptt.ones(4, 2))
    assert net[1].num_batches_tracked.item() == 1


def test_a_mask_of_what_comes_later():
    mine = ptt.nn.Transformer.generate_square_subsequent_mask(3)
    np.testing.assert_array_equal(mine.numpy(), torch.nn.Transformer.generate_square_subsequent_mask(3).numpy())
    assert mine.dtype is ptt.float32


@pytest.mark.parametrize(
    "arguments, phrase",
    [
        ("t.ones(4, 3), t.ones(3), t.zeros(4).long()", "expected linear_weight with dimensionality at least 2, got 1"),
        ("t.ones(2, 4, 3), t.ones(5, 3), t.zeros(4).long()", "expected input with dimensionality 1 or 2, got 3"),
        ("t.ones(4, 3), t.ones(5, 2), t.zeros(4).long()", "expected equal input and linear_weight last dimensions"),
        ("t.ones(3), t.ones(5, 2, 3), t.zeros(4).long()", "requires batched input, (N, 3), got unbatched input"),
        ("t.ones(4, 3), t.ones(5, 3), t.zeros(4).long(), linear_bias=t.ones(4)", "expected linear_bias shape (5,)"),
        ("t.ones(4, 3), t.ones(5, 3), t.ones(4, 5), ignore_index=1", "ignore_index cannot be specified"),
        ("t.ones(4, 3), t.ones(5, 3), t.zeros(3).long()", "input batch_size (4) to match target batch_size (3)"),
        ("t.ones(4, 3), t.ones(5, 3), t.ones(5)", "input batch_size (4) to match target batch_size (5)"),
        ("t.ones(4, 3), t.ones(5, 3), t.ones(4)", "expected target dtype to be Long or Byte"),
    ],
)
def test_misfits_of_linear_cross_entropy_are_refused_in_pytorchs_words(arguments, phrase):
    for t in (torch, ptt):
        with pytest.raises((RuntimeError, ValueError)) as caught:
            eval(f"t.nn.functional.linear_cross_entropy({arguments})", {"t": t})
        assert phrase in str(caught.value)
