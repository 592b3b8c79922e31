"""``torch.ops.aten`` against PyTorch: names, spellings, overloads; the functions behind layers; segments."""

import subprocess
import sys

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

CALLS = {
    "add.Tensor": "x, x, alpha=2",
    "add_": "x, 1",
    "sub.Scalar": "x, 2",
    "sigmoid": "self=x",
    "mse_loss": "x, x + 1, 2",
    "nll_loss": "x, torch.tensor([1, 0]), None, 0, -100",
    "smooth_l1_loss": "x, x + 1, 0, 0.5",
    "huber_loss": "x, x * 2, 1, 0.5",
    "leaky_relu": "x - 2, 0.2",
    "gelu": "x, approximate='tanh'",
    "hardtanh": "x",
    "_softmax": "x, 1, False",
    "_log_softmax": "x, 0, False",
    "_safe_softmax": "torch.where(x > 2, -float('inf'), x), 1",
    "linalg_vector_norm": "x",
    "fft_fft": "x",
    "special_i1e": "x",
    "slice.Tensor": "x, 1, -2",
    "slice": "x, 0, 0, 2, 2",
    "index.Tensor": "x, [None, torch.tensor([1, 2])]",
    "sum.dim_IntList": "x, [0], True",
    "pow.Tensor_Scalar": "x, 2",
    "full": "[2], 3.0",
    "arange.start": "1, 4",
    "zeros": "[2, 2]",
    "permute": "x, [1, 0]",
    "convolution": "x[None], torch.ones(1, 2, 2), None, [1], [1], [1], False, [0], 1",
    "convolution.default": "x[None], torch.ones(2, 1, 2), None, [2], [1], [1], True, [1], 1",
    "cross_entropy_loss": "x, torch.tensor([1, 0]), None, 2, -100, 0.1",
    "im2col": "square, [2, 2], [1, 1], [1, 0], [1, 2]",
    "reflection_pad1d": "x, [1, 2]",
    "native_dropout_backward": "x, x > 2, 2.0",
    "_batch_norm_with_update": "x, None, None, torch.zeros(3), torch.ones(3), 0.1, 1e-5",
    "_batch_norm_no_update": "x, None, None, torch.zeros(3), torch.ones(3), 0.1, 1e-5",
    "upsample_nearest2d": "x[None, None], [3, 4], None, 1.5",
    "upsample_bilinear2d.vec": "x[None, None], None, True, [1.5, 2.0]",
    "upsample_linear1d": "x[None], [4], False, 1.2",
    "_upsample_nearest_exact1d": "x[None], [2]",
    "_upsample_bilinear2d_aa": "square, [2, 3], False, 0.5, 0.7",
    "_upsample_bicubic2d_aa": "square, [2, 3], True",
    "_upsample_bilinear2d_aa.vec": "square, None, False, [0.5, 0.8]",
}


def both(call):
    """What a call gives in PyTorch and here."""
    for torch in (theirs, ours):
        x = torch.arange(6.0).reshape(2, 3).requires_grad_()
        scope = {"torch": torch, "x": x.clone(), "square": torch.arange(16.0).reshape(1, 1, 4, 4).requires_grad_()}
        yield torch, x, eval(call, scope)  # our own table


def leaves(found):
    return found if isinstance(found, (tuple, list)) else (found,)


@pytest.mark.parametrize("name", CALLS)
def test_operations_by_their_names(name):
    (_, x, want), (_, mine, got) = both(f"torch.ops.aten.{name}({CALLS[name]})")
    assert len(leaves(want)) == len(leaves(got))
    for a, b in zip(leaves(want), leaves(got), strict=True):
        assert str(a.dtype) == str(b.dtype) and a.requires_grad == b.requires_grad
        np.testing.assert_allclose(b.detach().numpy(), a.detach().numpy(), rtol=1e-5, atol=1e-6)
    first, ours_first = leaves(want)[0], leaves(got)[0]
    if first.requires_grad and first.is_floating_point() and "square" not in CALLS[name] and "update" not in name:
        (first * theirs.arange(first.numel()).reshape(first.shape)).sum().backward()
        (ours_first * ours.arange(first.numel()).reshape(tuple(first.shape))).sum().backward()
        np.testing.assert_allclose(mine.grad.numpy(), x.grad.numpy(), rtol=1e-4, atol=1e-5)


def test_packets_and_overloads_show_as_pytorchs():
    for text in ("add", "add.Tensor", "sum.default", "add.Tensor.overloadpacket"):
        assert repr(eval(f"theirs.ops.aten.{text}")) == repr(eval(f"ours.ops.aten.{text}"))
        assert str(eval(f"theirs.ops.aten.{text}")) == str(eval(f"ours.ops.aten.{text}"))
    assert ours.ops.aten.add.Tensor.name() == theirs.ops.aten.add.Tensor.name()
    assert ours.ops.aten.sum.default.name() == theirs.ops.aten.sum.default.name()
    assert ours.ops.aten.add.Tensor is ours.ops.aten.add.Tensor


def test_unknown_names_raise():
    with pytest.raises(AttributeError, match="'_OpNamespace' 'aten' object has no attribute 'nosuch'.*instead"):
        ours.ops.aten.nosuch  # noqa: B018
    with pytest.raises(AttributeError, match="The underlying op of 'aten.add' has no overload name 'Nosuch'"):
        ours.ops.aten.add.Nosuch  # noqa: B018
    for python in ("numpy", "cuda", "__wrapped__", "manual_seed", "compile"):
        assert not hasattr(ours.ops.aten, python)
    with pytest.raises(AttributeError, match="torch.ops.aten; pytreemod.lift"):
        ours.ops.mine  # noqa: B018


def test_it_is_loaded_at_first_use():
    code = (
        "import sys, pytreemod.torch as t; before = 'pytreemod.torch.ops.aten' in sys.modules; t.ops.aten.add; "
        "print(before, 'pytreemod.torch.ops.aten' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "False True", done.stderr


# ---- the functions behind layers


def test_native_batch_norm(agree):
    agree(lambda t: t.native_batch_norm(t.arange(6.0).reshape(2, 3), None, None, None, None, True, 0.1, 1e-5))
    running = ours.native_batch_norm(ours.ones(2, 3), None, None, ours.zeros(3), ours.ones(3), False, 0.1, 0.0)
    assert running[0].tolist() == [[1.0] * 3] * 2 and running[1].shape == running[2].shape == (0,)


def test_native_group_norm(agree):
    def run(t):
        x, weight = t.arange(24.0).reshape(2, 6, 2).requires_grad_(), t.arange(6.0).requires_grad_()
        out, mean, rstd = t.native_group_norm(x, weight, None, 2, 6, 2, 3, 1e-5)
        (out * t.arange(24).reshape(2, 6, 2)).sum().backward()
        return out, mean.detach(), rstd.detach(), x.grad, weight.grad

    agree(run, 1e-4, 1e-4)


def test_native_batch_norm_moves_the_statistics(agree):
    def moved(t):
        mean, var = t.zeros(3), t.ones(3)
        t.native_batch_norm(t.arange(6.0).reshape(2, 3), None, None, mean, var, True, 0.1, 1e-5)
        return mean, var

    agree(moved)


def test_statistics_of_16_bit_inputs(agree):
    agree(
        lambda t: t.native_layer_norm(t.arange(6.0).reshape(2, 3).bfloat16(), [3], None, None, 1e-5)[1].dtype.itemsize
    )
    agree(lambda t: t.native_layer_norm(t.ones(2, 3).bfloat16(), [3], t.ones(3), None, 1e-5)[1].dtype.itemsize)
    assert not ours.native_layer_norm(ours.ones(2, 3).requires_grad_(), [3], None, None, 1e-5)[1].requires_grad


def test_what_they_refuse(refuse):
    refuse(lambda t: t._chunk_cat([t.ones(3, 2), t.ones(4, 2)], 1, 2), "same sizes of 0,...,dim-1 dimensions")
    refuse(lambda t: t._chunk_cat([t.ones(3)], 0, 0), "_chunk_cat expects positive num_chunks")
    refuse(lambda t: t.hash_tensor(t.ones(2), mode=1), "Unknown hash_tensor mode: 1")
    refuse(
        lambda t: t.zeros(3).narrow_copy(1, 0, 1), "Expected dim < static_cast<int64_t>(self_sizes.size()) to be true"
    )
    for call, phrase in (
        (lambda t: t.native_layer_norm(t.ones(2, 3), [2], None, None, 1e-5), r"expected input with shape \[\*, 2\]"),
        (
            lambda t: t.conv_tbc(t.ones(5, 2, 3), t.ones(2, 2, 4), t.ones(4)),
            r"Input dim 2 \(input channels\) is not ==",
        ),
        (lambda t: t.native_channel_shuffle(t.ones(1, 4, 2), 3), "Got 4 channels and 3 groups"),
    ):
        for torch in (theirs, ours):
            with pytest.raises(RuntimeError, match=phrase):
                call(torch)


def test_extremes_of_an_empty_tensor(agree, refuse):
    agree(lambda t: [found.shape for found in t.zeros(0, 3).aminmax(dim=1, keepdim=True)])
    refuse(lambda t: t.zeros(0, 3).aminmax(dim=0), "aminmax: Expected reduction dim 0 to have non-zero size.")
    refuse(lambda t: t.zeros(0, 3).aminmax(), "cannot compute aminmax over an empty dimension")


# ---- segments

REDUCTIONS = ("sum", "mean", "max", "min", "prod")
DATA = [1.0, 1.0, 0.0, 2.0, 0.0, 3.0, 3.0]


@pytest.mark.parametrize("reduce", REDUCTIONS)
@pytest.mark.parametrize("initial", [None, 1, 2.5])
def test_segments(agree, reduce, initial):
    def run(t):
        x = t.tensor(DATA, requires_grad=True)
        out = t.segment_reduce(x, reduce, lengths=t.tensor([2, 0, 3, 2]), initial=initial)
        out.nan_to_num(0, 0, 0).sum().backward()
        return out.detach(), x.grad

    agree(run)


@pytest.mark.parametrize("reduce", REDUCTIONS)
def test_segments_of_a_later_dimension(agree, reduce):
    def run(t):
        x = t.arange(24.0).reshape(2, 4, 3).requires_grad_()
        out = t.segment_reduce(x, reduce, offsets=t.tensor([[0, 1, 4], [0, 2, 3]]), axis=1, initial=0)
        (out * out).sum().backward()
        return out.detach(), x.grad

    agree(run)


def test_segments_that_do_not_fit(refuse):
    def reduce(t, data, lengths=None, **options):
        return t.segment_reduce(data, "sum", lengths=None if lengths is None else t.tensor(lengths), **options)

    refuse(lambda t: reduce(t, t.ones(3)), "Either lengths or offsets must be defined.")
    refuse(lambda t: reduce(t, t.ones(3), [1, 1]), "to sum to data.size(lengths.dim()-1) when !unsafe")
    refuse(lambda t: reduce(t, t.ones(3), [-1, 4]), "lengths contains negative value!")
    refuse(
        lambda t: reduce(t, t.ones(3, 3), [1, 2], axis=1), "Expected axis to be the last dimension of lengths but got 1"
    )
    refuse(lambda t: reduce(t, t.ones(3).long(), [1, 2]), "\"_segment_reduce_cpu\" not implemented for 'Long'")
    refuse(lambda t: reduce(t, t.ones(3), indices=t.ones(3)), "indices based reduction is not supported yet")
    refuse(lambda t: t.segment_reduce(t.ones(3), "all", lengths=t.tensor([3])), "reduce argument must be either sum")


# ---- control flow


def test_cond_and_while_loop(agree):
    agree(lambda t: t.cond(t.tensor([True]), lambda x: x + 1, lambda x: x - 1, (t.ones(2),)))
    agree(lambda t: t.cond(False, lambda: t.ones(1), lambda: t.zeros(1)))
    found = ours.while_loop(lambda i, x: i < 3, lambda i, x: (i + 1, x * 2), (ours.tensor(0), ours.ones(2)))
    assert found[0].item() == 3 and found[1].tolist() == [8.0, 8.0]
    x = ours.ones(2, requires_grad=True)
    ours.cond(x.sum() > 1, lambda x: x * 3, lambda x: x, (x,)).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
    with pytest.raises(RuntimeError, match="Expected pred to be bool or single-element tensor"):
        ours.cond(ours.ones(2), lambda: 1, lambda: 2)
    with pytest.raises(RuntimeError, match="body_fn should return the same number of elements"):
        ours.while_loop(lambda x: True, lambda x: (x, x), (ours.ones(1),))
