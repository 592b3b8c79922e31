"""A second backward through a recording: allowed where nothing was saved, as in PyTorch, and refused elsewhere."""

import gc
import weakref

import numpy as np
import pytest

import pytreemod.torch as ptt
from pytreemod.torch.tape.compiled import compilations

AGAIN = "Trying to backward through the graph a second time"


def leaves(t):
    return [
        t.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True),
        t.tensor([[0.5, -1.0], [2.0, 0.0]], requires_grad=True),
    ]


FREE = {
    "sum": lambda t, x, y: (x + y).sum(),
    "difference": lambda t, x, y: (x - y).mean(),
    "views": lambda t, x, y: (x.t()[0] + y.reshape(4)[1:3]).sum(),
    "joined": lambda t, x, y: t.cat([x, -y]).cumsum(0)[2].sum(),
    "constant": lambda t, x, y: (x + t.ones(2, 2) - 3 + y.to(t.float64)).sum(),
    "the same twice": lambda t, x, y: (x + x + y.sum() + y.sum()).sum(),
    "in place": lambda t, x, y: x.clone().add_(y).sum(),
    "rows": lambda t, x, y: (x[0] + y[1:, 1] + x[:, 1]).sum(),
    "several results": lambda t, x, y: sum(x.unbind()).sum() + y.split(1)[0].sum(),
    "a leaf": lambda t, x, y: x[0, 0] + y[0, 0],
}


def write(t, x, y):
    z = x.clone()
    z[0] = y[1]
    return z.sum()


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
@pytest.mark.parametrize("name", FREE)
def test_where_nothing_was_saved_it_is_allowed(agree, name, read):
    def run(t):
        x, y = leaves(t)
        z = FREE[name](t, x, y)
        found = []
        for _ in range(4):
            z.backward()
            if read:
                found += [z.item(), x.grad.tolist(), y.grad.tolist()]
        return found, x.grad, y.grad

    agree(run)


SAVED = {
    "product": lambda t, x, y: (x * y).sum(),
    "a product on the way": lambda t, x, y: ((x * y) + x).sum(),
    "a product of one": lambda t, x, y: x.sum() + (y * y).sum(),
    "the output": lambda t, x, y: t.tanh(x + y).sum(),
    "a mask": lambda t, x, y: (x + y).masked_fill(t.tensor([True, False]), 1.0).sum(),
    "indices": lambda t, x, y: t.nn.functional.embedding(t.tensor([1, 0]), x).sum() + y.sum(),
    "an index of a tensor": lambda t, x, y: x[t.tensor([1, 0])].sum() + y.sum(),
    "scattered": lambda t, x, y: x.scatter(0, t.tensor([[0, 1], [1, 0]]), y).sum(),
    "written through a view": lambda t, x, y: write(t, x, y),
    "a matrix product": lambda t, x, y: (x @ y).sum(),
}


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
@pytest.mark.parametrize("name", SAVED)
def test_where_something_was_saved_it_is_refused(refuse, name, read):
    def run(t):
        x, y = leaves(t)
        z = SAVED[name](t, x, y)
        z.backward()
        if read:
            x.grad.tolist()
        z.backward()

    refuse(run, AGAIN)


def test_a_mixed_graph_has_a_part_that_goes_again(agree, refuse):
    def run(t, part):
        x, y = leaves(t)
        h = x + y
        total = h.sum()
        ((h * 2).sum() + total).backward()
        [total, h.sum(), (h * 3).sum(), (h * 2 * total).sum()][part].backward()
        return x.grad, y.grad

    for part in range(4):
        agree(lambda t, part=part: run(t, part))

    def saved(t):
        x, y = leaves(t)
        h = x * y
        h.sum().backward()
        h.sum().backward()

    refuse(saved, AGAIN)


def test_values_that_are_kept_have_their_own_numbers(agree):
    """What is made of a released value reads the value, not what is left of its history."""

    def run(t):
        x, y = leaves(t)
        h = x + y
        h.sum().backward()
        x.grad.tolist()
        w = t.full((2, 2), 3.0, requires_grad=True)
        (h * w).sum().backward()
        (h.exp() * w).sum().backward()
        return x.grad, w.grad

    agree(run)


def test_gradients_by_input_and_of_higher_order(agree):
    def run(t):
        x, y = leaves(t)
        z = (x + y).sum()
        first = t.autograd.grad(z, [x, y])
        second = t.autograd.grad(z, y)
        z.backward(inputs=[x])
        both = t.autograd.grad(z + (x**3).sum(), x, create_graph=True)[0]
        return first, second, x.grad, y.grad, both, t.autograd.grad(both.sum(), x)

    agree(run)


def test_the_gradient_of_a_leaf_that_was_changed_in_between(agree):
    def run(t):
        x, _ = leaves(t)
        kept, free = (x + 1).sum(), (x - 1).sum()
        kept.backward(retain_graph=True)
        free.backward()
        with t.no_grad():
            x.mul_(2)
        found = [*t.autograd.grad(kept, x, retain_graph=True), *t.autograd.grad(free, x)]
        found += t.autograd.grad(kept + free + (x * x).sum(), x)
        free.backward(inputs=[x])
        return found, x.grad

    agree(run)


def test_after_a_step_of_an_optimizer(agree):
    def run(t):
        x, y = leaves(t)
        opt = t.optim.Adam([x, y], lr=0.1)
        for _ in range(4):
            opt.zero_grad()
            z = (x + y).sum()
            z.backward()
            opt.step()
            z.backward()
            opt.step()
        return x, y, x.grad, z

    agree(run)


def test_names_of_nodes_stay(agree):
    def run(t):
        x, y = leaves(t)
        h = x + y
        z = h.sum()
        z.backward()
        x.grad.tolist()
        return z.grad_fn.name(), h.grad_fn.name(), [n.name() for n, _ in z.grad_fn.next_functions]

    agree(run)


def test_no_array_is_kept_alive():
    x, y = leaves(ptt)
    h = x + y
    c = ptt.ones(2, 2)
    z = (h + c).sum()
    z.backward()
    z.item()
    values = [weakref.ref(t._cell.value) for t in (h, c, x, y)]
    del h, c
    with ptt.no_grad():
        x.add_(1)
        y.add_(1)
    x.tolist(), y.tolist()
    gc.collect()
    assert [v() for v in values] == [None] * 4
    x.grad = None
    z.backward()
    assert x.grad.tolist() == [[1.0, 1.0], [1.0, 1.0]]
    assert all(v.array is None for v in (z._cell.value.inputs[0], *z._cell.value.inputs[0].inputs))


def test_a_loop_is_followed_and_gives_its_parameters_away():
    """A loss without saved values, held to the next step, is as good as any other."""
    x, y = leaves(ptt)
    opt = ptt.optim.SGD([x, y], lr=0.1, momentum=0.9)

    def step():
        opt.zero_grad()
        z = (x + y).sum()
        z.backward()
        opt.step()
        return z

    for _ in range(3):
        z = step()
    before, places = compilations["programs"], {t._cell.value.array.unsafe_buffer_pointer() for t in (x, y)}
    for _ in range(3):
        z = step()
    assert compilations["programs"] == before
    assert {t._cell.value.array.unsafe_buffer_pointer() for t in (x, y)} == places
    x.grad = None
    z.backward()
    np.testing.assert_array_equal(x.grad.tolist(), np.ones((2, 2)))


def test_a_mask_that_was_changed_before_backward_is_refused(refuse):
    def masked(t):
        x, _ = leaves(t)
        mask = x.detach() > 2
        z = x.masked_fill(mask, 1.0).sum()
        mask.fill_(True)
        z.backward()

    def indexed(t):
        x, _ = leaves(t)
        index = t.tensor([0, 1])
        z = x[index].sum()
        index.zero_()
        z.backward()

    refuse(masked, "modified by an inplace operation")
    refuse(indexed, "modified by an inplace operation")


def test_numbers_that_change_while_a_history_is_kept(agree):
    """Where a view starts is a number of the recording; those of a kept history are not mixed up with later ones."""

    def run(t):
        x, y = leaves(t)
        found = []
        for k in range(4):
            start = k % 2
            held = (y * 2).sum()  # it has a history of its own, and nobody goes back through it
            z = x[start].sum()
            z.backward()
            found.append(x.grad.tolist())
            w = (x[1 - start] * (k + 1)).sum()
            w.backward()
            z.backward()
            found.append((x.grad.tolist(), z.item(), w.item(), held.item()))
        return found

    agree(run)
