"""Module: open while constructed, sealed afterwards."""

import abc
import copy
import dataclasses
import functools
import gc
import weakref
from typing import Generic, NamedTuple, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pytreemod as ptm
from pytreemod import nn
from pytreemod.errors import ImmutableError, StaticValueError


class Affine(nn.Module):
    def __init__(self, inputs=2, outputs=2):
        super().__init__()
        self.weight = nn.Parameter(jnp.ones((outputs, inputs), "float32"))
        self.bias = None

    def forward(self, x):
        return x @ self.weight.T


class Pair(NamedTuple):
    left: object
    right: object


def built(assign):
    """A module whose constructor runs ``assign(self)``."""

    class Built(nn.Module):
        def __init__(self):
            super().__init__()
            assign(self)

    return Built()


def paths(model):
    return list(model._structure.names())


def test_reading_an_attribute_gives_the_plain_array_during_construction_and_after():
    def assign(self):
        self.w = nn.Parameter(np.ones(2, "float32"))
        assert isinstance(self.w, jax.Array)
        self.twice = self.w * 2

    model = built(assign)
    assert isinstance(model.w, jax.Array) and paths(model) == ["w", "twice"]
    assert [n for n, _ in model.named_parameters()] == ["w"]
    assert list(model.state_dict()) == ["w"]  # a bare array is a non-persistent buffer


def test_lists_tuples_and_dicts_of_modules_or_arrays_are_children():
    def assign(self):
        self.layers = []
        self.layers.append(Affine())
        self.heads = {"a": Affine(), "b": (Affine(), nn.Parameter(jnp.ones(1)))}
        self.pair = Pair(Affine(), "plain")

    model = built(assign)
    assert paths(model) == [
        "layers.0.weight",
        "heads.a.weight",
        "heads.b.0.weight",
        "heads.b.1",
        "pair.left.weight",
    ]
    assert isinstance(model.layers, list) and isinstance(model.heads, dict) and model.pair.right == "plain"
    with pytest.raises(ImmutableError, match="list belongs to a sealed module"):
        model.layers.append(Affine())
    with pytest.raises(ImmutableError, match="dict belongs to a sealed module"):
        model.heads["c"] = 1


def test_containers_of_children_are_pytrees():
    model = built(lambda self: setattr(self, "layers", [Affine(), Affine()]))
    doubled = jax.tree.map(lambda x: 2 * x, model.layers)
    np.testing.assert_array_equal(doubled[1].weight, 2 * model.layers[1].weight)


@pytest.mark.parametrize("value", [[1, 2], {"a": [1]}, (1, 2.0), {1, 2}, "text", None, jnp.float32, print, slice(1)])
def test_plain_values_are_kept_and_read_equal(value):
    model = built(lambda self: setattr(self, "value", value))
    assert model.value == value and jax.tree.leaves(model) == []


def test_values_equal_in_python_but_not_the_same_setting_make_different_structures():
    def of(value):
        return jax.tree.structure(SettingHolder(value))

    assert of(1) == of(1) and of([1, 2]) == of([1, 2])
    assert len({of(v) for v in (1, True, 1.0, [1], (1,), 0.0, -0.0, {"a": 1}, {"a": 1.0})}) == 9


class SettingHolder(nn.Module):
    def __init__(self, value):
        super().__init__()
        self.value = value


class Unequal:
    pass


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (np.ones(3), "numpy.ndarray is neither a jax array nor a plain value. Use nn.Buffer"),
        (bytearray(b"x"), "got an unhashable bytearray"),
        ([1, np.ones(3)], r"\.1': a numpy.ndarray"),
        (Unequal(), "a Unequal equals only itself"),
        ({"a.b": jnp.ones(1)}, "has a dot in it"),
        ({1: jnp.ones(1), "1": jnp.ones(1)}, "twice there as text"),
    ],
)
def test_other_values_are_refused_at_the_assignment_by_their_path(value, says):
    with pytest.raises(StaticValueError, match=rf"cannot assign 'SettingHolder\.value.*{says}"):
        SettingHolder(value)


def test_a_dataclass_of_settings_may_be_mutable():
    @dataclasses.dataclass
    class Config:
        width: int = 3
        sizes: list = dataclasses.field(default_factory=lambda: [1])

    config = Config()
    model = SettingHolder(config)
    config.width = 5  # the model has its own copy
    assert model.value == Config() and jax.tree.structure(model) == jax.tree.structure(SettingHolder(Config()))
    assert jax.tree.structure(model) != jax.tree.structure(SettingHolder(config))


def test_functions_partials_and_own_methods_are_settings():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.act = functools.partial(jnp.clip, min=0)
            self.way = self._double
            self.w = nn.Parameter(jnp.full((1,), 3.0))

        def _double(self):
            return 2 * self.w

    assert jax.tree.structure(Net()) == jax.tree.structure(Net())
    changed = Net().at["w"].set(jnp.ones(1))
    assert float(changed.way()[0]) == 2.0 and float(changed.act(-1.0)) == 0.0


def test_assigning_after_the_seal_shows_the_replacement():
    model = built(lambda self: setattr(self, "fc", Affine()))
    with pytest.raises(ImmutableError, match=r'cannot set \'weight\': Affine is immutable.*model\.at\["fc\.weight"\]'):
        model.fc.weight = jnp.zeros((2, 2))
    with pytest.raises(ImmutableError, match="no such attribute. Did you mean 'weight'"):
        model.fc.weigth = 1
    with pytest.raises(ImmutableError, match="cannot delete 'fc'"):
        del model.fc
    with pytest.raises(AttributeError, match="'Built' object has no attribute 'fx'"):
        _ = model.fx


def test_before_super_init_arrays_and_modules_are_refused_as_in_pytorch():
    class Early(nn.Module):
        def __init__(self, value):
            self.setting = 3
            self.value = value
            super().__init__()

    for value, what in (
        (nn.Parameter(jnp.ones(1)), "parameters"),
        (Affine(), "module"),
        (jnp.ones(1), "buffers"),
    ):
        with pytest.raises(AttributeError, match=rf"cannot assign {what} before Module.__init__\(\) call"):
            Early(value)
    assert Early(2).setting == 3


def test_class_attributes_do_not_hide_those_of_the_instance():
    class Net(nn.Module):
        bias = None
        scale: float = 1.0

        def __init__(self):
            super().__init__()
            self.bias = nn.Parameter(jnp.ones(2))
            self.scale = 2.0

    model = jax.tree.map(lambda x: x + 1, Net())
    assert model.scale == 2.0 and float(model.bias[0]) == 2.0


def test_properties_with_a_setter_and_abstract_and_generic_classes_work():
    T = TypeVar("T")

    class Net(nn.Module, abc.ABC, Generic[T]):
        @property
        def gain(self):
            return self._gain

        @gain.setter
        def gain(self, value):
            self._gain = 2 * value

        @abc.abstractmethod
        def forward(self, x): ...

    class Real(Net[int]):
        def __init__(self):
            super().__init__()
            self.gain = 3

        def forward(self, x):
            return self.gain * x

    assert Real()(2) == 12
    with pytest.raises(TypeError, match="abstract"):
        Net()


def test_one_marker_or_one_array_at_two_paths_is_one_leaf():
    def by_marker(self):
        self.a = self.b = nn.Parameter(jnp.ones(2))

    def by_array(self):
        self.a = nn.Parameter(jnp.ones(2))
        self.b = self.a

    def by_module(self):
        self.a = self.b = Affine()

    for assign in (by_marker, by_array, by_module):
        model = built(assign)
        assert len(jax.tree.leaves(model)) == 1 and len(list(model.parameters())) == 1
        assert jax.tree.map(lambda x: x + 1, model).at["b"].get() is not None


def test_a_buffer_of_a_parameters_array_is_a_leaf_of_its_own():
    def assign(self):
        self.w = nn.Parameter(jnp.ones(2))
        self.register_buffer("average", self.w)

    model = built(assign)
    assert paths(model) == ["w", "average"]
    jax.jit(lambda m: m, donate_argnums=0)(model)  # the same buffer twice could not be donated


def test_deepcopies_made_in_a_constructor_are_not_tied(key):
    def assign(self):
        first = Affine()
        first.weight = nn.Parameter(jnp.ones((2, 2)) * 3)
        self.layers = [copy.deepcopy(first) for _ in range(3)]

    assert len(jax.tree.leaves(built(assign))) == 3
    assert len(jax.tree.leaves(jax.eval_shape(lambda: built(assign)))) == 3


def test_a_sealed_module_given_to_a_constructor_stays_as_it_is():
    trained = Affine()

    def assign(self):
        self.one = trained
        self.two = trained
        self.rest = [trained]
        self.one.weight = jnp.zeros((2, 2))

    model = built(assign)
    assert len(jax.tree.leaves(model)) == 1 and float(model.rest[0].weight[0, 0]) == 0.0
    assert float(trained.weight[0, 0]) == 1.0


def test_leaves_apart_in_a_sealed_module_stay_apart_in_a_constructor():
    same = jnp.ones(2)
    pair = jax.tree.map(lambda _: same, built(lambda self: setattr(self, "items", [jnp.ones(2), jnp.zeros(2)])))
    assert len(jax.tree.leaves(built(lambda self: setattr(self, "pair", pair)))) == 2


def test_a_vmapped_construction_inside_a_constructor_leaks_nothing():
    inner = Affine()

    class Block(nn.Module):
        def __init__(self, x):
            super().__init__()
            self.inner = jax.tree.map(lambda w: w + x, inner)
            self.lost = [Affine()]
            self.lost[0].weight = nn.Parameter(self.inner.weight * x)

    def assign(self):
        self.blocks = jax.vmap(Block)(jnp.ones(3))

    with jax.checking_leaks():
        assert built(assign).blocks.lost[0].weight.shape == (3, 2, 2)


def test_inner_modules_that_were_not_kept_are_sealed_too():
    kept = []

    def assign(self):
        kept.append(Affine())
        self.used = Affine()
        kept.append(self.used)

    model = built(assign)
    for inner in kept:
        with pytest.raises(ImmutableError):
            inner.weight = jnp.zeros((2, 2))
    np.testing.assert_array_equal(kept[1].weight, model.used.weight)


def test_a_module_that_contains_itself_is_refused():
    with pytest.raises(StaticValueError, match="contains itself"):
        built(lambda self: setattr(self, "me", self))


def test_integer_parameters_are_refused_in_pytorchs_words():
    with pytest.raises(RuntimeError, match="Only Tensors of floating point and complex dtype can require gradients"):
        nn.Parameter(jnp.ones(2, "int32"))
    assert nn.Parameter(jnp.ones(2, "int32"), requires_grad=False).requires_grad is False
    with pytest.raises(TypeError, match="Parameter: expected an array, got str"):
        nn.Parameter("text")


def test_leaves_may_be_any_objects():
    model = built(lambda self: setattr(self, "fc", Affine()))
    for leaf in (None, 3, "text", jax.sharding.PartitionSpec("x"), jax.ShapeDtypeStruct((2,), "float32")):
        other = jax.tree.unflatten(jax.tree.structure(model), [leaf])
        assert other.fc.weight is leaf and copy.copy(other).fc.weight is leaf


def test_structures_are_one_object_and_do_not_leak():
    one, two = SettingHolder("unique"), SettingHolder("unique")
    assert one._structure is two._structure
    watch = weakref.ref(one._structure)
    del one, two
    gc.collect()
    assert watch() is None


def test_weak_types_do_not_survive_construction():
    model = built(lambda self: setattr(self, "gain", nn.Parameter(jnp.asarray(0.5))))
    assert not model.gain.weak_type


def test_methods_may_be_jitted():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(jnp.ones(2))

        @jax.jit
        def forward(self, x):
            return self.w * x

    assert Net()(2.0).shape == (2,)


def test_init_takes_any_factory_and_needs_a_key():
    models = ptm.init(lambda: (Affine(), {"b": Affine(3, 1)}), key=jax.random.key(0))
    assert models[1]["b"].weight.shape == (1, 3)
    with pytest.raises(TypeError, match="key"):
        ptm.init(Affine)


def test_a_constructor_with_its_own_key_argument_receives_it(key):
    class Net(nn.Module):
        def __init__(self, key):
            super().__init__()
            self.w = nn.Parameter(jax.random.normal(key, (2,)))

    np.testing.assert_array_equal(Net(key=key).w, jax.random.normal(key, (2,)))


def test_a_failed_constructor_leaves_no_open_construction():
    def fail(self):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        built(fail)
    assert not jax.tree.leaves(SettingHolder(1))
    with pytest.raises(ImmutableError):
        SettingHolder(1).value = 2


def test_kept_lists_go_where_lists_go():
    model = SettingHolder([2, 3])
    assert jnp.zeros(model.value).shape == (2, 3) and jnp.array(model.value).tolist() == [2, 3]
    assert model.value + [4] == [2, 3, 4] and repr(model.value) == "[2, 3]"
    assert type(copy.copy(model.value)) is list
