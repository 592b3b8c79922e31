"""Indexing and assignment against PyTorch: slices, integers, None, ..., masks, integer arrays, views of views."""

import numpy as np
import pytest
import torch as theirs
from hypothesis import given, settings
from hypothesis import strategies as st

import pytreemod.torch as ours

BASE = np.arange(24, dtype=np.float32).reshape(2, 3, 4)

# written as in a script; L makes an integer tensor, M a mask, x is the tensor
INDICES = [
    "0",
    "-1",
    "1:",
    ":1",
    "::2",
    "1, 2",
    "-1, -2, -3",
    "..., 0",
    "0, ...",
    "..., 1:3",
    "None",
    "..., None",
    "None, 0, None",
    ":, 1",
    ":, :, 1",
    ":, 1:3, ::2",
    "0:0",
    "5:",
    ":, -2:",
    "()",
    "...",
    ":, None, 1, ..., None",
    "slice(None)",
    "1:2, 0",
    "L([0, 1])",
    "L([1, 1, 0])",
    "[0, 1]",
    "[0, 1], [1, 2]",
    "L([0, 1]), L([2, 0])",
    ":, L([2, 0])",
    "..., L([3, 1])",
    "L([0, -1]), ..., L([0, -1])",
    "L([[0, 1], [1, 0]])",
    "L([[0], [1]]), L([0, 2])",
    "0, L([1, 2])",
    "L([1, 0]), 1:3",
    "L([0, 1]), None, L([1, 2])",
    "1:, L([2, 1]), 1:",
    "x > 10",
    "x[:, :, 0] > 3",
    "M([True, False])",
    "M([True, False]), 1",
    ":, M([True, False, True])",
    "M([True, True]), :, M([True, False, True, False])[:2].sum()",
    "L(1)",
    "L(1), L(2)",
    ":, L(-1)",
    "x[:, 0, 0] > 1e9",
    "M([False, True]), L([1])",
    "np.array([1, 0])",
    "np.int64(1)",
    "True",
    "False",
    "L([])",
    "..., [0, 2]",
]

ERRORS = ["5", "0, 3", "0, 0, 0, 0", "L([2])", "L([-3])", "M([True, False, True])", "0.5", "'a'", "..., ..., 0", "::-1"]


def _scope(torch, x):
    return {
        "x": x, "np": np, "L": lambda v: torch.tensor(v, dtype=torch.int64), "M": lambda v: torch.tensor(v),
    }  # fmt: skip


def _index(torch, x, text):
    class Grab:
        def __getitem__(self, index):
            return index

    return eval(f"grab[{text}]", {**_scope(torch, x), "grab": Grab()})  # our own table


def _numpy(t):
    return t.detach().numpy()


@pytest.mark.parametrize("text", INDICES)
def test_reading(text):
    results = []
    for torch in (theirs, ours):
        x = torch.tensor(BASE, requires_grad=True)
        out = x[_index(torch, x.detach(), text)]
        gradient = None
        if out.numel():
            (out * out).sum().backward()
            gradient = _numpy(x.grad)
        results.append((_numpy(out), out.grad_fn.name(), gradient))
    (want, name, want_grad), (got, our_name, grad) = results
    np.testing.assert_array_equal(got, want)
    if want_grad is not None:
        np.testing.assert_allclose(grad, want_grad)
    if "None" not in text and text not in ("()", "...", "slice(None)", "5:", "L([])", "True", "False"):
        assert our_name.startswith(("Select", "Slice", "Index")), our_name
        if not {"Alias", "Squeeze", "Unsqueeze"} & {name.split("Backward")[0]}:
            assert our_name == name or text.count(","), (text, our_name, name)


@pytest.mark.parametrize("text", INDICES)
def test_writing(text):
    """A number, a tensor that fits and one that broadcasts; the gradient goes to what was written and what stayed."""
    for new in ("number", "full"):
        results = []
        for torch in (theirs, ours):
            x = torch.tensor(BASE, requires_grad=True)
            y = x * 2
            index = _index(torch, x.detach(), text)
            value = torch.tensor(-7.0, requires_grad=True)
            if new == "number":
                y[index] = -7.0
            else:
                y[index] = value.expand(tuple(y[index].shape))
            (y * y).sum().backward()
            results.append((_numpy(y), _numpy(x.grad), None if new == "number" else value.grad))
        (want, want_grad, want_value), (got, grad, value) = results
        np.testing.assert_array_equal(got, want)
        np.testing.assert_array_equal(grad, want_grad)
        if want_value is not None and text not in DUPLICATES:
            np.testing.assert_array_equal(_numpy(value), _numpy(want_value))


@pytest.mark.parametrize("text", ERRORS)
def test_errors_have_pytorchs_type(text):
    for writes in (False, True):
        kinds = []
        for torch in (theirs, ours):
            x = torch.tensor(BASE)
            with pytest.raises((IndexError, TypeError, ValueError, RuntimeError)) as caught:
                if writes:
                    x[_index(torch, x, text)] = 1.0
                else:
                    x[_index(torch, x, text)]
            kinds.append(caught.type)
        assert kinds[0] is kinds[1], (writes, kinds)


def test_a_value_that_does_not_fit_is_refused_and_nothing_changes():
    x = ours.tensor(BASE)
    with pytest.raises((RuntimeError, ValueError)):
        x[0] = ours.ones(5)
    np.testing.assert_array_equal(_numpy(x), BASE)


def test_a_leaf_that_requires_grad_is_not_written():
    x = ours.tensor(BASE, requires_grad=True)
    with pytest.raises(RuntimeError, match="leaf Variable that requires grad"):
        x[0] = 1.0
    with ours.no_grad():
        x[0] = 1.0
    assert float(x.detach()[0].sum()) == 12.0


VIEWS = {
    "select": lambda t, x: x.select(1, 2),
    "slice": lambda t, x: x[:, 1:],
    "transpose": lambda t, x: x.transpose(0, 2),
    "view": lambda t, x: x.view(6, 4),
    "diagonal": lambda t, x: x.diagonal(0, 1, 2),
    "permute": lambda t, x: x.permute(2, 0, 1),
    "chunk": lambda t, x: x.chunk(2, 2)[1],
    "split": lambda t, x: x.split([1, 2], 1)[1],
    "unbind": lambda t, x: x.unbind(1)[0],
    "narrow": lambda t, x: x.narrow(2, 1, 2),
    "flatten": lambda t, x: x.flatten(1),
    "unsqueeze": lambda t, x: x.unsqueeze(1),
    "squeeze": lambda t, x: x[:, :1].squeeze(1),
    "T": lambda t, x: x[0].T,
    "mT": lambda t, x: x.mT,
    "steps": lambda t, x: x[..., ::3],
    "unfold": lambda t, x: x.unfold(2, 2, 2),
    "movedim": lambda t, x: x.movedim(0, -1),
    "detach": lambda t, x: x.detach(),
    "chain": lambda t, x: x.transpose(0, 1)[1:].select(0, 1)[:, 1:3].t(),
    "view_as": lambda t, x: x.view_as(t.zeros(4, 6)),
    "tensor_split": lambda t, x: x.tensor_split(3, 2)[0],
    "reshape": lambda t, x: x.reshape(3, 8),
    "data": lambda t, x: x.data[1],
    "ravel": lambda t, x: x.ravel(),
    "unflatten": lambda t, x: x.unflatten(2, (2, 2)),
    "hsplit": lambda t, x: x.hsplit(3)[1],
}


SPECIAL = ("detach", "data", "chunk", "split", "unbind", "tensor_split", "hsplit")  # PyTorch refuses some of them
DUPLICATES = ("L([1, 1, 0])", "L([[0, 1], [1, 0]])")  # the order of the writes is undefined


@pytest.mark.parametrize("name", VIEWS)
def test_writing_through_a_view_reaches_the_base_and_other_views(name):
    results = []
    for torch in (theirs, ours):
        x = torch.tensor(BASE)
        view, other = VIEWS[name](torch, x), x[0]
        view.mul_(10)
        view[0] = -1.0
        x[1, 2, 3] = 99.0
        results.append([_numpy(t).copy() for t in (x, view, other)])
    for got, want in zip(results[1], results[0], strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("name", [n for n in VIEWS if n not in SPECIAL])
def test_gradients_through_a_written_view(name):
    results = []
    for torch in (theirs, ours):
        x = torch.tensor(BASE, requires_grad=True)
        y = x * 2
        VIEWS[name](torch, y).mul_(3)
        (y * y).sum().backward()
        results.append(_numpy(x.grad))
    np.testing.assert_array_equal(results[1], results[0])


def _parts():
    integer = st.integers(-2, 1)
    bound = st.one_of(st.none(), st.integers(-4, 4))
    return st.one_of(integer, st.builds(slice, bound, bound, st.integers(1, 3)), st.none(), st.just(Ellipsis))


@settings(max_examples=40, deadline=None)
@given(st.lists(_parts(), max_size=4).map(tuple))
def test_any_basic_index(index):
    if sum(p is Ellipsis for p in index) > 1 or sum(p is not None and p is not Ellipsis for p in index) > 3:
        return
    want = theirs.tensor(BASE)
    got = ours.tensor(BASE)
    np.testing.assert_array_equal(_numpy(got[index]), _numpy(want[index]))
    got[index], want[index] = 5.0, 5.0
    np.testing.assert_array_equal(_numpy(got), _numpy(want))


def test_a_moving_slice_compiles_once():
    from pytreemod.torch.tape.compiled import compilations

    x = ours.tensor(BASE, requires_grad=True)
    seen = []
    for k in range(16):
        loss = x[0, 0, k % 3 : k % 3 + 2].sum()
        loss.backward()
        seen.append((loss.item(), compilations["programs"]))
    assert seen[-1][1] == seen[9][1]
