"""Tensors with strides of their own against PyTorch: views that alias, gradients, resizing, storages, refusals."""

import pytest

import pytreemod.torch as ours


def six(t):
    return t.arange(6.0).reshape(2, 3)


def test_as_strided_reads_the_storage(agree):
    agree(lambda t: six(t).as_strided((2, 2), (1, 2), 1))
    agree(lambda t: six(t)[1].as_strided((2, 2), (1, 2), 0))
    agree(lambda t: six(t)[1].as_strided((2,), (1,)))
    agree(lambda t: six(t).t().as_strided((2, 2), (1, 2), 1).stride())
    agree(lambda t: six(t).as_strided((2, 2), (1, 2), 1)[1].storage_offset())
    agree(lambda t: six(t).as_strided_((3,), (2,)))
    agree(lambda t: six(t).as_strided_scatter(t.ones(2), (2,), (3,), 1))


def test_as_strided_aliases_and_carries_gradients(agree):
    def write(t):
        x = six(t).clone()
        x.as_strided((2, 2), (1, 2), 1).mul_(10)
        return x

    def differentiate(t):
        x = t.ones(2, 3, requires_grad=True)
        (x.as_strided((3, 3), (1, 1)) * t.arange(9.0).reshape(3, 3)).sum().backward()
        part = t.ones(2, 3, requires_grad=True)
        (part * 2)[1:].as_strided((2,), (2,), 3).sum().backward()
        return x.grad, part.grad

    agree(write)
    agree(differentiate)


def test_as_strided_refusals(refuse):
    refuse(lambda t: six(t).as_strided((3, 3), (2, 1)), "requiring a storage size of 28 are out of bounds for storage")
    refuse(lambda t: six(t).as_strided((2,), (1, 2)), "mismatch in length of strides and shape")
    refuse(lambda t: six(t).as_strided((2,), (-1,)), "Negative strides are not supported at the moment")
    refuse(lambda t: six(t).as_strided_scatter(t.ones(3), (2,), (1,)), "src size = [3], slice size = [2]")
    with pytest.raises(NotImplementedError, match="in a storage of another dtype"):
        ours.ones(3, dtype=ours.cfloat).real.as_strided((2,), (1,), 3)


def test_resize(agree, refuse):
    agree(lambda t: six(t).resize_(2, 2))
    agree(lambda t: six(t).resize_(3, 3)[:2])
    agree(lambda t: six(t).resize_as_(t.zeros(4)))

    def shared(t):
        x = six(t).clone()
        y = x.view(6)
        x.resize_(2)[0] = 9
        return y

    agree(shared)
    refuse(lambda t: t.ones(2, requires_grad=True).resize_(3), "cannot resize variables that require grad")


def test_a_view_survives_that_its_base_changes_shape(agree):
    def run(t):
        x = six(t).clone()
        row = x[0]
        x.t_()
        x[1, 0] = 9
        row[2] = 7
        return row, row.stride(), x

    agree(run)


def test_orders_of_memory(agree, refuse):
    agree(lambda t: t.empty_strided((2, 3), (1, 2)).stride())
    agree(lambda t: t.empty_permuted((2, 3, 4), (1, 0, 2)).stride())
    agree(lambda t: t.ones(2).new_empty_strided((2, 3), (1, 2)).is_contiguous())
    agree(lambda t: six(t).t().dim_order())
    refuse(lambda t: t.empty_permuted((2, 3), (0, 0)), "Duplicate dim not allowed")
    refuse(lambda t: t.empty_strided((2, 3), (1,)), "dimensionality of sizes (2) must match dimensionality of strides")
    refuse(lambda t: t.ones(2, 1).dim_order(ambiguity_check=True), "does not have unique dim order")


def test_storages(agree):
    agree(lambda t: (six(t)[1:].untyped_storage().nbytes(), six(t).storage().size(), len(six(t).storage())))
    agree(lambda t: t.is_storage(six(t).untyped_storage()))
    x = ours.ones(3)
    assert x.untyped_storage().data_ptr() == x[1:].untyped_storage().data_ptr() != ours.ones(3).data_ptr()
    with pytest.raises(NotImplementedError, match="UntypedStorage.resize_: the memory of a tensor belongs to XLA"):
        x.untyped_storage().resize_(0)


def test_splits_that_are_written_to(agree):
    def write(t):
        x = t.ones(4, requires_grad=True)
        y = x * 2
        first, _ = t.unsafe_split(y, 2)
        first.mul_(3)
        first.sum().backward()
        return x.grad

    agree(write)


def test_copies_share_nothing(agree):
    def write(t):
        x = six(t).clone()
        t.view_copy(x, (6,)).zero_()
        t.split_copy(x, 1)[0].zero_()
        return x

    agree(write)
