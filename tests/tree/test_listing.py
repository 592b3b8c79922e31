"""Listing, ``repr`` and checkpoints, compared with PyTorch on the same class body."""

import copy

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pytreemod as ptm
from pytreemod import nn

torch = pytest.importorskip("torch")


def classes(base, parameter, zeros):
    """The same class body on a base of either library."""

    class Inner(base.Module):
        def __init__(self, width, bias=True):
            super().__init__()
            self.width = width
            self.register_buffer("early", zeros(1))
            self.weight = parameter(zeros(width))
            if bias:
                self.bias = parameter(zeros(1))
            else:
                self.register_parameter("bias", None)
            self.register_buffer("hidden", zeros(2), persistent=False)

        def extra_repr(self):
            return f"width={self.width}"

    class Net(base.Module):
        def __init__(self):
            super().__init__()
            self.body = base.Sequential(Inner(2), Inner(2, bias=False))
            self.again = self.body[0]
            self.scale = parameter(zeros(3))
            self.head = Inner(2)
            self.head.weight = self.body[1].weight
            self.more = base.ModuleDict({"x": Inner(1), "y": base.ModuleList([Inner(1), Inner(1)])})

        def extra_repr(self):
            return "first\nsecond"

    return Net


@pytest.fixture(scope="module")
def ours():
    return classes(nn, nn.Parameter, lambda n: jnp.zeros(n, "float32"))()


@pytest.fixture(scope="module")
def theirs():
    return classes(torch.nn, torch.nn.Parameter, torch.zeros)()


@pytest.mark.parametrize("method", ["named_parameters", "named_buffers", "named_modules", "named_children"])
def test_names_and_their_order_are_pytorchs(ours, theirs, method):
    assert [n for n, _ in getattr(ours, method)()] == [n for n, _ in getattr(theirs, method)()]


def test_prefix_recurse_and_the_lists_without_names(ours, theirs):
    for method in ("named_parameters", "named_buffers"):
        mine = [n for n, _ in getattr(ours, method)("p", recurse=False)]
        assert mine == [n for n, _ in getattr(theirs, method)("p", recurse=False)]
    for method in ("parameters", "buffers", "modules", "children"):
        assert len(list(getattr(ours, method)())) == len(list(getattr(theirs, method)()))
    for method in ("named_parameters", "named_buffers", "named_modules"):
        options = {"prefix": "p", "remove_duplicate": False}
        mine = [n for n, _ in getattr(ours, method)(**options)]
        assert mine == [n for n, _ in getattr(theirs, method)(**options)]
    assert type(ours.get_submodule("more.y.1")).__name__ == "Inner" and ours.get_submodule("") is ours
    assert list(ours._modules) == list(theirs._modules)
    assert list(ours.body[1]._parameters) == list(theirs.body[1]._parameters)
    assert list(ours.body[1]._buffers) == list(theirs.body[1]._buffers)


def test_repr_is_pytorchs_text(ours, theirs):
    assert repr(ours) == repr(theirs)


def test_state_dict_has_pytorchs_names_in_order_and_loads_from_pytorch(ours, theirs):
    assert list(ours.state_dict()) == list(theirs.state_dict())
    with torch.no_grad():
        for i, value in enumerate(theirs.parameters()):
            value.fill_(i)
    loaded = ours.load_state_dict(theirs.state_dict())
    for name, value in loaded.state_dict().items():
        np.testing.assert_array_equal(value, theirs.state_dict()[name].numpy())
    assert jax.tree.structure(loaded) == jax.tree.structure(ours)


@pytest.mark.parametrize(
    "change",
    [
        lambda d, new: d.pop("scale"),
        lambda d, new: d.update({"other": new(1), "more.z": new(2)}),
        lambda d, new: d.update(scale=new(4)),
        lambda d, new: (d.update(scale=new(4), other=new(1)), d.pop("more.x.weight"), d.pop("more.x.bias")),
    ],
)
def test_the_report_of_what_does_not_fit_is_pytorchs(ours, theirs, change):
    mine, other = dict(ours.state_dict()), dict(theirs.state_dict())
    change(mine, jnp.zeros)
    change(other, torch.zeros)
    with pytest.raises(RuntimeError) as expected:
        copy.deepcopy(theirs).load_state_dict(other)
    with pytest.raises(RuntimeError) as report:
        ours.load_state_dict(mine)
    assert str(report.value) == str(expected.value)


def test_not_strict_ignores_names_but_not_shapes(ours):
    loaded = ours.load_state_dict({"scale": np.ones(3), "other": np.ones(1)}, strict=False)
    assert float(loaded.scale[0]) == 1.0 and loaded.scale.dtype == jnp.float32
    with pytest.raises(RuntimeError, match="size mismatch for scale"):
        ours.load_state_dict({"scale": np.ones(4)}, strict=False)


def test_a_tied_leaf_loads_under_any_name_but_not_with_two_values(ours):
    values = dict(ours.state_dict())
    del values["head.weight"]
    assert ours.load_state_dict(values) is not ours
    values["head.weight"] = jnp.ones(2)
    with pytest.raises(RuntimeError, match=r"body\.1\.weight and head\.weight are tied, but their values differ"):
        ours.load_state_dict(values)


def test_what_is_no_array_is_refused(ours):
    with pytest.raises(TypeError, match="Expected state_dict to be dict-like"):
        ours.load_state_dict([1])
    with pytest.raises(TypeError, match="expected an array for 'scale', got str"):
        ours.load_state_dict({**ours.state_dict(), "scale": "text"})


def test_loading_works_inside_jit_and_for_bfloat16(ours):
    loaded = jax.jit(lambda m: m.load_state_dict({k: v + 1 for k, v in m.state_dict().items()}))(ours)
    assert float(loaded.scale[0]) == 1.0
    half = ours.load_state_dict({"scale": torch.full((3,), 0.5, dtype=torch.bfloat16)}, strict=False)
    assert float(half.scale[0]) == 0.5


def test_a_plain_list_of_modules_shows_its_items():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Sequential(), nn.Sequential()]

    assert repr(Net()) == "Net(\n  (layers.0): Sequential()\n  (layers.1): Sequential()\n)"
    assert [n for n, _ in Net().named_modules()] == ["", "layers.0", "layers.1"]


def test_wadler_lindig_shows_the_attributes(ours):
    wl = pytest.importorskip("wadler_lindig")
    text = wl.pformat(ours.body[0], width=200)
    assert text.startswith("Inner(width=2") and "weight=" in text


def test_treescope_renders_a_module(ours):
    treescope = pytest.importorskip("treescope")
    text = treescope.render_to_text(ours)
    assert "Net(" in text and "body=" in text and "Inner(" in text


def test_trees_of_other_leaves_still_list(ours):
    shapes = jax.tree.map(jnp.shape, ours)
    assert dict(shapes.named_parameters())["scale"] == (3,)
    assert "scale" not in ptm.partition(ours)[1].state_dict()
