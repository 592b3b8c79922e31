"""Lazy modules, and drawing the parameters of a layer anew, against PyTorch."""

import copy

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

N = np.random.RandomState(0)


def f(*shape):
    return N.randn(*shape).astype(np.float32)


LAZY = {
    "LazyLinear": ((3,), {}, f(2, 5)),
    **{f"LazyConv{n}d": ((4, 2), {"groups": 2, "bias": n > 1}, f(2, 2, *(3,) * n)) for n in (1, 2, 3)},
    **{f"LazyConvTranspose{n}d": ((4, 2), {"stride": 2}, f(2, *(3,) * n)) for n in (1, 2, 3)},
    **{f"LazyBatchNorm{n}d": ((), {"momentum": 0.3}, f(2, 3, *(2,) * n)) for n in (1, 2, 3)},
    **{f"LazyInstanceNorm{n}d": ((), {}, f(2, 3, *(2,) * n)) for n in (1, 2, 3)},
}


def close(mine, theirs):
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", LAZY)
@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_a_lazy_layer_becomes_the_usual_one(name):
    args, kwargs, x = LAZY[name]

    def run(t):
        t.manual_seed(3)
        layer = getattr(t.nn, name)(*args, **kwargs)
        before = repr(layer), repr(layer.weight), list(layer.state_dict())
        weight = layer.weight
        out = layer(t.tensor(x))
        assert layer.weight is weight and type(weight) is t.nn.Parameter
        assert type(layer) is getattr(t.nn, name.removeprefix("Lazy"))
        assert not layer._forward_pre_hooks
        return before, repr(layer), out, layer.state_dict()

    (before, after, out, state), (other_before, other_after, expected, other_state) = run(ptt), run(torch)
    assert before == other_before and after == other_after
    close(out, expected)
    assert list(state) == list(other_state)
    for key, value in state.items():
        close(value, other_state[key])


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_what_an_uninitialized_parameter_refuses():
    for t in (ptt, torch):
        layer = t.nn.LazyLinear(2)
        assert layer.has_uninitialized_params() and t.nn.parameter.is_lazy(layer.weight)
        assert isinstance(layer.weight, t.nn.Parameter) and isinstance(layer.weight, t.nn.UninitializedParameter)
        with pytest.raises(RuntimeError, match="Can't access the shape of an uninitialized parameter"):
            _ = layer.weight.shape
        with pytest.raises(ValueError, match="Attempted to use an uninitialized parameter"):
            _ = layer.weight + 1
        assert layer.double().weight.dtype is t.float64
        assert t.nn.parameter.is_lazy(copy.deepcopy(layer).weight)
        t.optim.SGD(layer.parameters(), lr=0.1)


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_loading_gives_the_shapes():
    for t in (ptt, torch):
        state = t.nn.Linear(5, 2).state_dict()
        layer = t.nn.LazyLinear(2)
        layer.load_state_dict(state)
        assert not layer.has_uninitialized_params()
        assert layer(t.ones(1, 5)).shape == (1, 2) and layer.in_features == 5
        np.testing.assert_array_equal(layer.weight.detach().numpy(), state["weight"].numpy())


@pytest.mark.filterwarnings("ignore:Lazy modules")
def test_a_lazy_module_of_ones_own():
    for t in (ptt, torch):

        class Scale(t.nn.modules.lazy.LazyModuleMixin, t.nn.Module):
            def __init__(self, t=t):
                super().__init__()
                self.scale = t.nn.UninitializedParameter()

            def initialize_parameters(self, x):
                self.scale.materialize(x.shape[-1:])

            def forward(self, x):
                return x * self.scale

        layer = Scale()
        layer(t.ones(2, 3))
        assert layer.scale.shape == (3,) and type(layer) is Scale


RESETS = {
    "Linear": (3, 2),
    "Bilinear": (2, 3, 2),
    "Conv2d": (2, 3, 2),
    "ConvTranspose1d": (2, 3, 2),
    "Embedding": (4, 2, 1),
    "EmbeddingBag": (4, 2),
    "LSTM": (2, 3, 2),
    "GRUCell": (2, 3),
    "LayerNorm": (3,),
    "RMSNorm": (3,),
    "GroupNorm": (1, 2),
    "BatchNorm1d": (2,),
    "InstanceNorm2d": (2, 1e-5, 0.1, True, True),
    "PReLU": (2,),
    "AdaptiveLogSoftmaxWithLoss": (16, 10, [4, 7]),
    "MultiheadAttention": (4, 2),
    "Transformer": (4, 2, 1, 1, 4),
}


@pytest.mark.filterwarnings("ignore:enable_nested_tensor")
@pytest.mark.parametrize("name", RESETS)
def test_parameters_are_drawn_anew_in_place(name):
    def run(t):
        layer = getattr(t.nn, name)(*RESETS[name])
        before = list(layer.parameters()) + list(layer.buffers())
        with t.no_grad():
            for tensor in before:
                tensor.fill_(7)
        t.manual_seed(1)
        getattr(layer, "reset_parameters", getattr(layer, "_reset_parameters", None))()
        after = list(layer.parameters()) + list(layer.buffers())
        assert all(a is b for a, b in zip(before, after, strict=True))
        return layer.state_dict()

    mine, theirs = run(ptt), run(torch)
    for key, value in mine.items():
        close(value, theirs[key])
        assert str(value.dtype) == str(theirs[key].dtype)


def test_a_layer_calls_the_reset_of_its_subclass():
    def made(t):
        class Small(t.nn.Linear):
            def reset_parameters(self):
                t.nn.init.constant_(self.weight, 0.5)
                t.nn.init.zeros_(self.bias)

        return Small(2, 2)

    assert made(ptt).weight.tolist() == made(torch).weight.tolist()
