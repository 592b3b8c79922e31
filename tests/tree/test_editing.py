"""Changed copies: ``at``, mode, freezing and ``apply``."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import pytreemod as ptm
from pytreemod import nn
from pytreemod.errors import PathError
from pytreemod.tree import Role


class Affine(nn.Module):
    def __init__(self, inputs=2, outputs=2, rate=0.1):
        super().__init__()
        self.weight = nn.Parameter(jnp.ones((outputs, inputs), "float32"))
        self.bias = nn.Parameter(jnp.zeros((outputs,), "float32"))
        self.register_parameter("scale", None)
        self.rate = rate

    def forward(self, x):
        return x @ self.weight.T + self.bias


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = [Affine(), Affine()]
        self.heads = {"a": (Affine(),)}
        self.tied = Affine()
        self.tied.weight = self.layers[0].weight
        self.register_buffer("mean", jnp.zeros(2))

    def forward(self, x):
        return self.tied(x)


@pytest.fixture
def net():
    return Net()


def test_set_replaces_a_leaf_and_leaves_the_original(net):
    new = net.at["layers.1.weight"].set(np.zeros((5, 2)))
    assert new.layers[1].weight.shape == (5, 2) and net.layers[1].weight.shape == (2, 2)
    assert jax.tree.structure(new) == jax.tree.structure(net)


def test_a_tied_leaf_is_changed_once_under_any_of_its_names(net):
    new = net.at["tied.weight"].apply(lambda w: w + 1)
    assert new.layers[0].weight is new.tied.weight and float(new.tied.weight[0, 0]) == 2.0
    every = net.at["*.weight"].apply(lambda w: w + 1)
    assert float(every.tied.weight[0, 0]) == 2.0 == float(every.heads["a"][0].weight[0, 0])


def test_a_pattern_gets_a_dict_and_sets_all(net):
    assert list(net.at["layers.*.bias"].get()) == ["layers.0.bias", "layers.1.bias"]
    new = net.at["layers.?.bias"].set(jnp.full(2, 7.0))
    assert float(new.layers[1].bias[0]) == 7.0 and float(new.tied.bias[0]) == 0.0


def test_get_reads_modules_containers_and_settings(net):
    assert type(net.at["heads.a.0"].get()) is Affine and net.at["layers.0.rate"].get() == 0.1
    assert len(net.at["layers"].get()) == 2 and list(net.at["layers.?"].get()) == ["layers.0", "layers.1"]


@pytest.mark.parametrize("path", ["tied", "layers.1", "heads.a.0", "layers.?"])
def test_a_submodule_can_be_replaced(net, path):
    new = net.at[path].set(Affine(3, 4))
    for name in net.at[path].get() if "?" in path else [path]:
        assert new.at[name].get().weight.shape == (4, 3)
    assert net.at["tied"].get().weight.shape == (2, 2)
    assert jax.jit(lambda m: m.at["mean"].get())(new).shape == (2,)


def test_replacing_a_module_keeps_other_ties(net):
    new = net.at["layers.1"].set(Affine())
    assert new.tied.weight is new.layers[0].weight
    alone = net.at["tied"].set(Affine())
    assert len(jax.tree.leaves(alone)) == len(jax.tree.leaves(net)) + 1


def test_settings_registered_nones_and_roles_can_be_set(net):
    assert net.at["layers.*.rate"].set(0.5).layers[1].rate == 0.5
    new = net.at["tied.scale"].set(np.ones(2, "float32"))
    assert new._structure.roles[new._structure.names().index("tied.scale")] is Role.PARAMETER
    assert net.at["tied.bias"].set(None).tied.bias is None
    frozen = net.at["tied.bias"].set(nn.Parameter(jnp.ones(2), requires_grad=False))
    assert ptm.trainable(frozen).tied.bias is None and frozen.tied.bias is not None


def test_a_leaf_must_become_an_array(net):
    for value in ("text", 3.0, [1.0]):
        with pytest.raises(TypeError, match=r"cannot set 'tied\.bias': expected an array"):
            net.at["tied.bias"].set(value)
    with pytest.raises(TypeError, match=r"cannot set 'tied\.scale': expected an array"):
        net.at["tied.scale"].set("text")
    axes = jax.tree.map(lambda _: 0, net)
    assert axes.at["tied.bias"].set(1).tied.bias == 1


def test_a_path_that_names_nothing_names_the_nearest(net):
    with pytest.raises(PathError, match=r"Net has nothing at 'layers\.0\.wieght'; did you mean 'layers\.0\.weight'"):
        _ = net.at["layers.0.wieght"]
    with pytest.raises(PathError, match=r"nothing that matches 'encoder\.\*'"):
        _ = net.at["encoder.*"]
    with pytest.raises(TypeError, match="expected a path"):
        _ = net.at[0]


def test_train_and_eval_reach_every_module_and_are_static(net):
    quiet = net.eval()
    assert not any(m.training for m in quiet.modules()) and all(m.training for m in net.modules())
    assert jax.tree.structure(quiet) != jax.tree.structure(net)
    assert jax.tree.structure(quiet.train()) == jax.tree.structure(net)
    with pytest.raises(ValueError, match="training mode is expected to be boolean"):
        net.train("yes")


def frozen(model):
    pairs = zip(model._structure.names(), model._structure.roles, strict=True)
    return [name for name, role in pairs if role is Role.FROZEN]


def test_freeze_takes_paths_modules_and_patterns(net):
    assert frozen(net.freeze("layers.0")) == ["layers.0.weight", "layers.0.bias"]
    assert frozen(net.freeze("*.bias")) == [
        "layers.0.bias",
        "layers.1.bias",
        "heads.a.0.bias",
        "tied.bias",
    ]
    assert frozen(net.freeze("tied.weight")) == ["layers.0.weight"]
    assert len(frozen(net.freeze())) == 7 and frozen(net.freeze().unfreeze()) == []
    assert frozen(net.freeze("layers.0").layers[0]) == ["weight", "bias"]
    assert jax.tree.structure(net.freeze().unfreeze()) == jax.tree.structure(net)
    with pytest.raises(PathError, match=r"freeze: nothing matches 'layer\.0'; did you mean"):
        net.freeze("layer.0")
    with pytest.raises(PathError, match="nothing matches 'mean'"):
        net.freeze("mean")


def test_freeze_eval_and_apply_work_inside_a_constructor():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.body = Net()
            self.body.freeze("layers.*").eval()
            self.apply(self.start)

        def start(self, module):
            if isinstance(module, Affine):
                module.bias = jnp.full(2, 3.0)

    model = Outer()
    assert "body.layers.1.weight" in frozen(model) and "body.heads.a.0.weight" not in frozen(model)
    assert not model.body.layers[0].training and model.training
    assert float(model.body.heads["a"][0].bias[0]) == 3.0


def test_apply_on_a_sealed_model_gives_a_changed_copy(net):
    seen = []

    def fill(module):
        seen.append(type(module).__name__)
        if isinstance(module, Affine):
            module.bias = module.bias + 1

    new = net.apply(fill)
    assert seen[-1] == "Net" and len(seen) == 5
    assert float(new.tied.bias[0]) == 1.0 and float(net.tied.bias[0]) == 0.0
    assert jax.tree.structure(new) == jax.tree.structure(net)


def test_when_two_trees_differ_jax_shows_the_modes(net):
    with pytest.raises(ValueError, match=r"(?s)Structure of Net \(train\).*Structure of Net \(eval\)"):
        jax.tree.map(lambda a, b: a, net, net.eval())
