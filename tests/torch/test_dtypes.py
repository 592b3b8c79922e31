"""dtypes, their limits and their promotion, against PyTorch's tables."""

import copy
import itertools
import pickle
import threading

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod.torch import dtypes, promotion, type_info

ALIASES = (
    "float double half short int long cfloat cdouble bool uint8 uint16 uint32 uint64 "
    "int8 int16 int32 int64 float16 bfloat16 float32 float64 complex64 complex128"
).split()
NAMES = [d.name for d in dtypes.ALL]


def theirs(d):
    return getattr(torch, d.name)


@pytest.fixture(autouse=True)
def defaults():
    yield
    torch.set_default_dtype(torch.float32)
    dtypes.set_default_dtype(dtypes.float32)


@pytest.mark.parametrize("name", ALIASES)
def test_attributes_match_pytorch(name):
    ours, other = getattr(dtypes, name), getattr(torch, name)
    assert repr(ours) == str(ours) == repr(other)
    for attribute in ("is_floating_point", "is_complex", "is_signed", "itemsize"):
        assert getattr(ours, attribute) == getattr(other, attribute)
    assert repr(ours.to_real()) == repr(other.to_real())
    assert ours.tensor_type == torch.empty(0, dtype=other).type()
    if other.is_floating_point and other is not torch.float16:
        assert repr(ours.to_complex()) == repr(other.to_complex())
    elif not other.is_complex and other is not torch.float16:
        with pytest.raises(RuntimeError, match=f"Unknown Complex ScalarType for {ours.scalar_name}"):
            ours.to_complex()


def test_one_object_for_each_type():
    for d in dtypes.ALL:
        assert pickle.loads(pickle.dumps(d)) is copy.deepcopy(d) is copy.copy(d) is d
        assert dtypes.from_numpy_dtype(d.numpy) is dtypes.from_numpy_dtype(d.numpy.type) is d
        assert dtypes.from_numpy_dtype(jnp.dtype(d.numpy)) is d
    assert dtypes.from_numpy_dtype(jnp.bfloat16) is dtypes.bfloat16
    assert dtypes.from_numpy_dtype(np.longlong) is dtypes.from_numpy_dtype("int64") is dtypes.int64
    assert dtypes.float32 != np.float32


@pytest.mark.parametrize("kind", [np.dtype("U3"), object, np.dtype(">f4"), "nonsense"])
def test_types_without_counterpart_are_refused(kind):
    with pytest.raises(TypeError, match="can't convert np.ndarray of type"):
        dtypes.from_numpy_dtype(kind)


def test_a_dtype_is_neither_made_nor_changed():
    with pytest.raises(TypeError, match=r"cannot create 'torch.dtype' instances"):
        dtypes.dtype("float32")
    with pytest.raises(AttributeError, match="immutable"):
        dtypes.float32.itemsize = 2


@pytest.mark.parametrize("name", NAMES)
def test_limits_match_pytorch(name):
    d, other = getattr(dtypes, name), getattr(torch, name)
    for ours, reference in ((type_info.finfo, torch.finfo), (type_info.iinfo, torch.iinfo)):
        try:
            expected = reference(other)
        except TypeError as error:
            with pytest.raises(TypeError) as caught:
                ours(d)
            assert str(caught.value) == str(error)
            continue
        found = ours(d)
        assert repr(found) == repr(expected)
        for attribute in (a for a in dir(expected) if not a.startswith("_")):
            assert getattr(found, attribute) == getattr(expected, attribute), attribute
    if d.is_complex:
        assert type_info.finfo(d) == type_info.finfo(d.to_real())


def outcome(function, *args):
    try:
        return repr(function(*args))
    except RuntimeError as error:
        return str(error)


def test_promote_types_and_can_cast_match_pytorch_for_every_pair():
    for a, b in itertools.product(dtypes.ALL, repeat=2):
        expected = outcome(torch.promote_types, theirs(a), theirs(b))
        assert outcome(promotion.promote_types, a, b) == expected
        assert promotion.can_cast(a, b) == torch.can_cast(theirs(a), theirs(b)), (a, b)
    assert promotion.promote_types(float, dtypes.int8) is dtypes.float64
    with pytest.raises(TypeError, match="must be torch.dtype, not int"):
        promotion.promote_types(1, dtypes.int8)


NUMBERS = [True, 3, 2.5, 1j, np.float32(1), np.int8(1)]


@pytest.mark.parametrize("standard", ["float32", "float64", "bfloat16"])
def test_result_type_matches_pytorch_for_every_pair_of_operands(standard):
    torch.set_default_dtype(getattr(torch, standard))
    dtypes.set_default_dtype(getattr(dtypes, standard))
    tensors = [(d, n) for d in dtypes.ALL for n in (True, False)]
    made = {(d, n): torch.ones([1] * n, dtype=theirs(d)) for d, n in tensors}
    compared = 0
    for a, b in itertools.product(tensors, [*tensors, *NUMBERS]):
        other = made[b] if type(b) is tuple else b
        expected = outcome(torch.result_type, made[a], other)
        if expected == "torch.complex32":  # no such type in XLA
            expected = "torch.complex64"
        assert outcome(promotion.result_type, a, b) == expected, (a, b)
        compared += 1
    assert compared == 30 * 36
    for a, b in itertools.product(NUMBERS, repeat=2):
        assert repr(promotion.result_type(a, b)) == repr(torch.result_type(a, b))


def test_operands_may_be_tensors_and_many():
    class Like:
        def __init__(self, dtype, ndim):
            self.dtype, self.ndim = dtype, ndim

    assert promotion.result_type(Like(dtypes.float32, 1), Like(dtypes.float64, 0)) is dtypes.float32
    assert promotion.promote((dtypes.int8, (dtypes.int64, False), float)) is dtypes.float32
    with pytest.raises(TypeError, match="invalid combination of arguments"):
        promotion.result_type("a", dtypes.int8)
    with pytest.raises(ValueError, match="at least one operand"):
        promotion.result_type()


def test_setting_the_default_reaches_every_thread_and_earlier_results():
    assert promotion.promote((dtypes.int64, float)) is dtypes.float32
    threading.Thread(target=dtypes.set_default_dtype, args=(dtypes.float64,)).start()
    for thread in threading.enumerate():
        if thread is not threading.current_thread() and not thread.daemon:
            thread.join(1)
    assert dtypes.get_default_dtype() is dtypes.float64
    assert promotion.promote((dtypes.int64, float)) is dtypes.float64
    assert type_info.finfo().bits == 64
    for wrong in (dtypes.int32, dtypes.complex64, "float32"):
        with pytest.raises(TypeError, match="only floating-point types are supported as the default type"):
            dtypes.set_default_dtype(wrong)
