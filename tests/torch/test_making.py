"""Older and rarer ways to make and change tensors against PyTorch; random counts; what is refused by name."""

import numpy as np
import pytest

import pytreemod.torch as ours

RATES = [0.0, 0.3, 5.0, 9.9, 10.0, 50.0, 1000.0, 1e5] * 8
TRIALS, CHANCES = [3.0, 20, 100, 1e4, 1e5, 5, 10] * 8, [0.2, 0.3, 0.5, 0.01, 0.7, 1.0, 0.0] * 8


def six(t):
    return t.arange(6.0).reshape(2, 3)


def test_counts_are_pytorchs(agree, refuse):
    agree(lambda t: t.poisson(t.tensor(RATES)))
    agree(lambda t: t.binomial(t.tensor(TRIALS), t.tensor(CHANCES)))
    agree(lambda t: t.poisson(t.ones(2, 2, dtype=t.float64), generator=t.Generator().manual_seed(5)))
    refuse(lambda t: t.poisson(t.tensor([-1.0])), "invalid Poisson rate, expected rate to be non-negative")
    refuse(lambda t: t.poisson(t.ones(2).long()), "\"poisson_cpu\" not implemented for 'Long'")
    refuse(lambda t: t.binomial(t.ones(2), t.ones(2).double()), "Found dtype Double but expected Float")


def test_fillings(agree, refuse):
    agree(lambda t: t.ones(5).geometric_(0.3))
    agree(lambda t: t.ones(5).long().geometric_(0.5))
    agree(lambda t: t.ones(5).cauchy_(1, 2))
    agree(lambda t: t.ones(20).log_normal_())
    refuse(lambda t: t.ones(2).geometric_(1.5), "geometric_ expects p to be in (0, 1), but got p=1.5")
    refuse(lambda t: t.ones(2).long().cauchy_(), "dtype must be a floating point but you specified long int")


def test_buffers(agree, refuse):
    agree(lambda t: t.frombuffer(bytearray(range(8)), dtype=t.int16, count=2, offset=2))
    refuse(lambda t: t.frombuffer(bytearray(5), dtype=t.int32), "must be a multiple of element size (4)")
    refuse(lambda t: t.frombuffer(bytearray(8), dtype=t.int32, offset=9), "no greater than buffer length (8 bytes)")
    refuse(lambda t: t.frombuffer(bytearray(8), dtype=t.int32, count=3), "requested buffer length (3 * 4 bytes)")


def test_asarray(agree):
    agree(lambda t: t.asarray([1.0, 2.0], requires_grad=True))
    agree(lambda t: t.asarray(np.arange(3), dtype=t.float32))
    x = ours.ones(2, requires_grad=True)
    assert ours.asarray(x) is x and ours.asarray(x, copy=True) is not x
    with pytest.raises(ValueError, match="can't alias arbitrary sequence"):
        ours.asarray([1, 2], copy=False)


def test_new(agree, refuse):
    agree(lambda t: six(t).new(2, 3).shape)
    agree(lambda t: six(t).new([1, 2]))
    agree(lambda t: six(t).new(t.Size([2])).shape)
    refuse(lambda t: six(t).new(six(t).long()), "expected ")


def test_python_for_each_element(agree, refuse):
    agree(lambda t: six(t).map_(t.ones(3), lambda a, b: a + b))
    agree(lambda t: six(t).map2_(six(t), t.ones(3), lambda a, b, c: a + b * c))
    agree(lambda t: six(t).long().apply_(lambda a: a * 2))
    refuse(lambda t: six(t).requires_grad_().apply_(abs), "Can't call apply_() on Variable that requires grad")
    refuse(lambda t: six(t).map_(t.ones(5), lambda a, b: a), "must match the existing size (5)")


def test_default_tensor_type(agree, refuse):
    def switch(t):
        t.set_default_tensor_type(t.DoubleTensor)
        wide = t.ones(1)
        t.set_default_tensor_type("torch.FloatTensor")
        return wide, t.ones(1)

    agree(switch)
    refuse(lambda t: t.set_default_tensor_type("torch.LongTensor"), "only floating-point types are supported")
    refuse(lambda t: t.set_default_tensor_type(3), "invalid type object")


def test_facts(agree):
    agree(lambda t: (six(t).is_set_to(six(t)), t.is_same_size(six(t), t.ones(2)), t.is_signed(t.ones(2).byte())))
    agree(lambda t: (six(t).sparse_dim(), six(t).dense_dim(), six(t).to_dense(), six(t).grad_dtype, six(t).is_xpu))
    agree(lambda t: t.tensor([1j, 2.0]).conj_physical_())
    agree(lambda t: type(six(t).as_subclass(t.nn.Parameter)).__name__)
    agree(lambda t: six(t).module_load(t.ones(2, 3)))
    x = ours.ones(2)
    assert x.is_set_to(x.detach()) and not x.is_set_to(x[1:])


def test_histogramdd(agree, refuse):
    def run(t):
        found = t.histogramdd(six(t)[:, :2], [2, 3], density=True, weight=t.tensor([1.0, 3.0]))
        return found.hist, list(found.bin_edges)

    agree(run)
    refuse(lambda t: t.histogramdd(t.ones(3), 3), "input tensor should have at least 2 dimensions")
    refuse(lambda t: t.histogramdd(six(t), 2, range=[0.0, 1.0]), "range should have 6 elements, but got 2")
    refuse(lambda t: t.histogram(six(t), 0), "bins must be > 0, but got 0 for dimension 0")


def test_derivatives_refuse(refuse):
    refuse(lambda t: t.gradient(six(t), edge_order=3), "only supports edge_order=1 and edge_order=2")
    refuse(lambda t: t.gradient(six(t), edge_order=2), "each dimension size to be at least edge_order+1")
    refuse(lambda t: t.gradient(six(t), spacing=[1.0, 2.0, 3.0]), "'self.dim() = 2', since dim argument was not given")
    refuse(lambda t: t.cumulative_trapezoid(six(t), t.zeros(2)), "There must be one `x` value for each sample point")
    refuse(lambda t: t.frexp(t.arange(3)), "torch.frexp() only supports floating-point dtypes")
    refuse(lambda t: t.renorm(six(t), -1, 0, 1.0), "non-positive-norm not supported")
    refuse(lambda t: t.unravel_index(t.tensor(1.0), (2, 3)), "expected 'indices' to be integer dtype")


@pytest.mark.parametrize(
    ("use", "remedy"),
    [
        (lambda t: t.sparse_coo_tensor([[0]], [1.0]), "use dense ones"),
        (lambda t: t.ones(2).to_sparse(), "use dense ones"),
        (lambda t: t.sparse.mm(t.ones(2, 2), t.ones(2, 2)), "use torch.mm of dense ones"),
        (lambda t: t.smm(t.ones(2, 2), t.ones(2, 2)), "use torch.mm of dense ones"),
        (lambda t: t.quantize_per_tensor(t.ones(2), 0.1, 0, t.int8), "a scale of your own"),
        (lambda t: t.ones(2).chalf(), "use cfloat"),
    ],
)
def test_what_there_is_none_of_says_what_to_use(use, remedy):
    with pytest.raises(NotImplementedError, match=remedy):
        use(ours)


def test_sparse_methods_refuse_dense_tensors(refuse):
    refuse(lambda t: t.ones(2).coalesce(), "coalesce expected sparse coordinate tensor layout but got Strided")
    refuse(lambda t: t.ones(2).crow_indices(), "expected sparse row compressed tensor layout but got Strided")
