"""Options of functions that make and multiply tensors: layouts, unknown ones, ``out``, ``out_dtype``; refusals."""

import pytest
import torch as theirs

import pytreemod.torch as ours

LAYOUTS = ("strided", "sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr", "sparse_bsc", "_mkldnn", "jagged")
MAKERS = (
    "zeros(2", "ones((2,)", "empty(2", "full((2,), 1", "zeros_like(t.ones(2)", "ones_like(t.ones(2)", "arange(3",
    "empty_like(t.ones(2)", "full_like(t.ones(2), 1", "tensor([1]", "as_tensor([1]", "range(0, 3", "linspace(0, 1, 3",
    "logspace(0, 1, 3", "eye(3", "rand(3", "randn(3", "randint(3, (2,)", "randperm(3", "rand_like(t.ones(2)",
    "randn_like(t.ones(2)", "randint_like(t.ones(2), 3", "tril_indices(2, 2", "scalar_tensor(2", "hann_window(3",
    "kaiser_window(3", "ones(2).new_zeros(2", "ones(2).new_full((2,), 1", "ones(2).new_tensor([1]",
    "empty_strided((2,), (1,)", "normal(t.ones(2), 1.0", "normal(0.0, 1.0, (2,)", "ones(2).new(2",
)  # fmt: skip


@pytest.mark.parametrize("name", LAYOUTS)
def test_layouts_are_objects(name):
    mine = getattr(ours, name)
    assert repr(mine) == repr(getattr(theirs, name)) == f"torch.{name}"
    assert isinstance(mine, ours.layout)
    x = ours.ones(2)
    assert x.layout is ours.strided and not (x.is_sparse or x.is_sparse_csr or x.is_mkldnn)


@pytest.mark.parametrize("call", MAKERS)
def test_an_unknown_option_is_refused(call):
    for torch in (theirs, ours):
        with pytest.raises(TypeError, match="unexpected keyword argument 'foo'|invalid combination of arguments"):
            eval(f"t.{call}, foo=3)", {"t": torch})  # our own table


def test_options_that_say_what_is_there(agree):
    for call in MAKERS:
        if call.startswith(("tensor", "as_tensor", "randperm", "rand_like", "ones(2).new(", "normal(t")):
            continue
        out = eval(f"t.{call}, layout=t.strided, device='cpu', pin_memory=False)", {"t": ours})
        assert out.layout is ours.strided
    agree(lambda t: t.eye(3, dtype=t.float64, layout=t.strided, device="cpu", requires_grad=True))
    agree(lambda t: t.rand(size=(2, 3)))
    agree(lambda t: [t.arange(end=4), t.arange(start=1, end=4), t.randint(high=5, size=(3,))])
    agree(lambda t: t.randn(2, 3, out=t.empty(0, dtype=t.float64)))
    agree(lambda t: t.full((2,), 3, out=t.zeros(2)))
    agree(lambda t: t.zeros_like(t.ones(2), memory_format=t.preserve_format))
    agree(lambda t: t.ones(1).new_zeros(size=(2,)))


def test_other_layouts_are_refused(refuse):
    refuse(lambda t: t.zeros(2, layout=3), "zeros(): argument 'layout' must be torch.layout, not int")
    refuse(
        lambda t: t.signal.windows.hann(3, layout=t.sparse_coo), "implemented for strided tensors only, got: torch.sp"
    )
    refuse(lambda t: t.hann_window(3, layout=t.sparse_coo), "hann_window is not implemented for sparse types, got")
    for call in ("zeros(2", "rand(2", "eye(2", "empty_strided((2,), (1,)", "ones(2).new_zeros(2"):
        with pytest.raises(NotImplementedError, match="there are no sparse tensors; use a dense one"):
            eval(f"t.{call}, layout=t.sparse_coo)", {"t": ours})


def test_a_window_takes_what_shapes_it_after_periodic(agree, refuse):
    agree(lambda t: t.hamming_window(5, True, 0.5, beta=0.3))
    agree(lambda t: t.hamming_window(5, periodic=False, alpha=0.5))
    refuse(lambda t: t.hamming_window(5, alpha=0.5), "hamming_window() received an invalid combination of arguments")
    refuse(
        lambda t: t.hamming_window(5, True, beta=0.5), "hamming_window() received an invalid combination of arguments"
    )
    refuse(lambda t: t.kaiser_window(5, beta=3.0), "kaiser_window() received an invalid combination of arguments")


def test_truth_values_into_other_tensors(agree, refuse):
    agree(lambda t: t.eq(t.ones(2), t.ones(2), out=t.empty(2)))
    agree(lambda t: t.logical_not(t.ones(2), out=t.empty(2, dtype=t.int64)))
    refuse(lambda t: t.all(t.ones(2), out=t.empty(())), "all only supports bool tensor for result, got: Float")
    refuse(lambda t: t.any(t.ones(2), out=t.empty((), dtype=t.int64)), "any only supports bool tensor for result")
    refuse(lambda t: t.signbit(t.ones(2), out=t.empty(2)), "signbit does not support non-boolean outputs.")
    refuse(lambda t: t.isposinf(t.ones(2), out=t.empty(2)), "isposinf does not support non-boolean outputs.")
    refuse(
        lambda t: t.isin(t.ones(2), t.ones(2), out=t.empty(2)), "Expected out tensor to have dtype bool, but got float"
    )


DIVISIONS = {
    "//": lambda t: t.tensor([1, 2]) // 0, "%": lambda t: t.tensor([1, 2]) % 0, "fmod": lambda t: t.tensor(3).fmod(0),
    "floor_divide": lambda t: t.tensor(3).floor_divide(0), "remainder_": lambda t: t.tensor(3).remainder_(0),
    "div": lambda t: t.div(t.tensor(3), 0, rounding_mode="trunc"),
}  # fmt: skip


@pytest.mark.parametrize("how", DIVISIONS)
def test_integers_divided_by_zero(refuse, how):
    refuse(DIVISIONS[how], "ZeroDivisionError")


def test_floats_divided_by_zero(agree):
    agree(lambda t: [(t.tensor([1.0]) // 0).isinf(), (t.tensor([1.0]) % 0).isnan(), t.tensor([1]) / 0])


def test_products_in_a_wider_dtype():
    """PyTorch has them on GPUs alone; the sum of 300 ones times 1 + 1/128 needs more than bfloat16's eight bits."""
    a, b = ours.ones(1, 300).bfloat16(), (ours.ones(300, 1) + 1 / 128).bfloat16()
    exact = 300 * (1 + 1 / 128)
    for out in (
        ours.mm(a, b, out_dtype=ours.float32),
        ours.bmm(a[None], b[None], ours.float32),
        ours.addmm(ours.zeros(1, 1), a, b, out_dtype=ours.float32),
        ours.baddbmm(ours.zeros(1, 1, 1), a[None], b[None], out_dtype=ours.float32),
    ):
        assert out.dtype is ours.float32 and out.item() == exact != ours.mm(a, b).item()
    weight = b.detach().requires_grad_()
    ours.mm(a, weight, out_dtype=ours.float32).sum().backward()
    assert weight.grad.dtype is ours.bfloat16 and weight.grad[0].item() == 1
    with pytest.raises(RuntimeError, match="out_dtype must be the same as input dtype or fp32"):
        ours.mm(ours.ones(1, 1), ours.ones(1, 1), out_dtype=ours.float64)


def test_distances_of_16_bits(refuse):
    refuse(lambda t: t.cdist(t.ones(2, 2).half(), t.ones(2, 2).half()), "\"cdist\" not implemented for 'Half'")


@pytest.mark.parametrize("eps", [None, 0.0, 0.2])
def test_logit_outside(agree, eps):
    def run(t):
        x = t.tensor([-0.5, 0.0, 0.1, 0.5, 1.0, 1.5], requires_grad=True)
        t.logit(x, eps).sum().backward()
        return x.grad.nan_to_num(-7.0)

    agree(run)


BAGS = {
    "sum": ([0, 2], 0, False, None), "mean": ([0, 2], 1, False, None), "max": ([0, 2], 2, False, None),
    "last": ([0, 2, 4], 1, True, None), "padding": ([0, 2, 2], 1, False, 1), "padded max": ([0, 2, 2], 2, False, 1),
    "padded sum": ([0, 2, 2], 0, False, -3),
}  # fmt: skip


@pytest.mark.parametrize("how", BAGS)
def test_what_embedding_bag_keeps(agree, how):
    offsets, mode, last, padding = BAGS[how]

    def run(t):
        weight, indices = t.arange(8.0).reshape(4, 2), t.tensor([0, 1, 2, 1])
        found = t.embedding_bag(weight, indices, t.tensor(offsets), False, mode, False, None, last, padding)
        return [f for f in found if f.numel()]

    agree(run)


# ---- real and complex views of one memory


def complex_of(t, *shape):
    return t.complex(t.ones(*shape), t.zeros(*shape))


def test_writes_go_through_real_and_complex_views(agree):
    def real(t):
        z = complex_of(t, 2, 3)
        v = t.view_as_real(z)
        v[..., 1] = 2
        v[0, 1] = t.tensor([8.0, 9.0])
        z[1].real.fill_(4)
        t.view_as_real(z.t())[2, 1, 1] = 7
        return z, v, v.stride(), z.imag.sum()

    def whole(t):
        x = t.arange(8.0).reshape(2, 2, 2)
        c = t.view_as_complex(x)
        c[0, 1] = 9 + 1j
        c.mul_(1j)
        return x, c, c.stride()

    def back(t):
        z = complex_of(t, 2, 3)
        t.view_as_complex(t.view_as_real(z)[1]).add_(1j)
        return z

    for f in (real, whole, back):
        agree(f)


def test_gradients_through_them(agree):
    def run(t):
        z = complex_of(t, 2, 3).requires_grad_()
        y = z * 2
        v = t.view_as_real(y)
        v[:, 0] *= 3
        (t.view_as_real(y) * t.arange(12.0).reshape(2, 3, 2)).sum().backward()
        return z.grad, v.requires_grad

    agree(run)


def test_a_complex_view_needs_pairs(refuse):
    refuse(lambda t: t.view_as_complex(t.ones(2, 6).t()), "Tensor must have a last dimension with stride 1")
    refuse(lambda t: t.view_as_complex(t.ones(3, 3)[:, :2]), "Tensor must have a stride divisible by 2")
    refuse(lambda t: t.view_as_complex(t.ones(3, 3)), "Tensor must have a last dimension of size 2")


def test_anomaly_detection_numbers_the_inputs_as_pytorch():
    for torch in (theirs, ours):
        x, weight, bias = torch.ones(2, 2), torch.full((2, 2), float("nan")), torch.zeros(2)
        inputs = [t.requires_grad_() for t in (x, weight, bias)]
        out = torch.nn.functional.linear(*inputs)
        with pytest.warns(UserWarning, match="Anomaly") if torch is theirs else torch.enable_grad():
            detecting = torch.autograd.detect_anomaly()
        with detecting, pytest.raises(RuntimeError, match="'AddmmBackward0' returned nan values in its 1th output"):
            out.sum().backward()


def test_numbers_among_the_tensors(agree):
    agree(lambda t: [t.bucketize(3, t.tensor([1, 2, 5])), t.searchsorted(t.tensor([1, 2, 5]), 3)])
    agree(lambda t: t.ones(3, 4).scatter(0, t.tensor([[0]]), 2.5))
