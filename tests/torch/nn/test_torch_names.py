"""Functions of networks under ``torch``, hooks of all modules, and ``torch.nn.modules``, against PyTorch."""

import numpy as np
import pytest
import torch

import pytreemod.torch as ptt

N = np.random.RandomState(0)


def f(*shape):
    return N.randn(*shape).astype(np.float32)


X, Y, Z = f(3, 4), f(3, 4), f(3, 4)
SIGNS = np.sign(f(3)).astype(np.float32)
RUN = (f(8, 3), f(8, 2), f(8), f(8))  # an LSTM of 3 inputs and 2 units
RNN = (f(2, 3), f(2, 2), f(2), f(2))
SEQUENCE, STATE = f(4, 2, 3), f(1, 2, 2)
CALLS = {
    "batch_norm": ((X, f(4), f(4), f(4), np.abs(f(4)), False, 0.1, 1e-5, False), {}),
    "instance_norm": ((f(2, 3, 4), f(3), f(3), None, None, True, 0.1, 1e-5, False), {}),
    "kl_div": ((X, np.abs(Y), 2), {"log_target": False}),
    "binary_cross_entropy_with_logits": ((X, np.abs(Y), None, np.abs(f(4)), 0), {}),
    "poisson_nll_loss": ((X, np.abs(Y), True, False, 1e-8, 1), {}),
    "hinge_embedding_loss": ((X, np.sign(Y), 0.5), {}),
    "margin_ranking_loss": ((f(3), f(3), SIGNS), {"margin": 0.3}),
    "cosine_embedding_loss": ((X, Y, SIGNS, 0.2, 0), {}),
    "triplet_margin_loss": ((X, Y, Z, 1.0, 2, 1e-6, True, 0), {}),
    "ctc_loss": ((f(5, 2, 4), np.array([[1, 2], [3, 1]]), (5, 4), (2, 1), 0, 2), {}),
    "lstm": ((SEQUENCE, (STATE, STATE), RUN, True, 1, 0.0, False, False, False), {}),
    "rnn_tanh": ((SEQUENCE, STATE, RNN, True, 1, 0.0, False, False, False), {}),
    "rnn_relu": ((f(5, 3), np.array([2, 2, 1]), STATE, RNN, True, 1, 0.0, False, False), {}),
    "lstm_cell": ((f(2, 3), (STATE[0], STATE[0]), *RUN), {}),
    "rnn_relu_cell": ((f(2, 3), STATE[0], *RNN), {}),
}


def tensors(t, value):
    if isinstance(value, tuple):
        return tuple(tensors(t, v) for v in value)
    return t.tensor(value) if isinstance(value, np.ndarray) else value


@pytest.mark.parametrize("name", CALLS)
def test_a_function_of_torch(name):
    args, kwargs = CALLS[name]
    mine, theirs = (getattr(t, name)(*tensors(t, args), **kwargs) for t in (ptt, torch))
    pairs = [(mine, theirs)] if isinstance(theirs, torch.Tensor) else zip(mine, theirs, strict=True)
    for a, b in pairs:
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-4, atol=1e-5)


def test_embedding_bag_of_torch_takes_the_weight_first():
    args = tensors(ptt, (X, np.array([0, 1, 2]), np.array([0, 2])))
    others = tensors(torch, (X, np.array([0, 1, 2]), np.array([0, 2])))
    np.testing.assert_allclose(ptt.embedding_bag(*args)[0], torch.embedding_bag(*others)[0], rtol=1e-6)


def test_batch_norm_of_torch_moves_the_statistics():
    for t in (ptt, torch):
        mean, variance = t.zeros(4), t.ones(4)
        t.batch_norm(t.tensor(X), None, None, mean, variance, True, 1.0, 1e-5, False)
        np.testing.assert_allclose(mean.numpy(), X.mean(0), rtol=1e-4, atol=1e-6)


def test_hooks_of_all_modules():
    def run(t):
        module, seen = t.nn.modules.module, []

        def after(m, args, out):
            seen.append(f"after {type(m).__name__}")
            return out * 2 if isinstance(m, t.nn.Linear) else None

        def backward(m, inward, outward):
            seen.append(f"backward {type(m).__name__}")

        handles = [
            module.register_module_forward_pre_hook(lambda m, args: seen.append(f"before {type(m).__name__}")),
            module.register_module_forward_hook(after),
            module.register_module_full_backward_hook(backward),
            module.register_module_parameter_registration_hook(lambda m, name, p: seen.append(name)),
        ]
        try:
            t.manual_seed(0)
            layer = t.nn.Linear(2, 1)
            layer.register_forward_hook(lambda m, args, out: seen.append("own"))
            x = t.ones(1, 2, requires_grad=True)
            out = layer(x)
            out.sum().backward()
        finally:
            for handle in handles:
                handle.remove()
        count = len(seen)
        layer(x)
        assert len(seen) == count + 1  # the layer's own
        return seen, out.item()

    (mine, value), (theirs, other) = run(ptt), run(torch)
    assert mine == theirs
    np.testing.assert_allclose(value, other, rtol=1e-5)


BASES = {
    "conv._ConvNd": "Conv2d",
    "conv._ConvTransposeNd": "ConvTranspose2d",
    "batchnorm._BatchNorm": "BatchNorm1d",
    "batchnorm._NormBase": "InstanceNorm1d",
    "instancenorm._InstanceNorm": "InstanceNorm3d",
    "loss._Loss": "MSELoss",
    "loss._WeightedLoss": "NLLLoss",
    "module.Module": "Linear",
    "rnn.RNNBase": "LSTM",
    "linear.Linear": "Linear",
}


@pytest.mark.parametrize("base", BASES)
def test_base_classes_of_layers_are_where_pytorch_has_them(base):
    file, name = base.split(".")
    for t in (ptt, torch):
        found = getattr(getattr(t.nn.modules, file), name)
        assert issubclass(getattr(t.nn, BASES[base]), found)
        assert not issubclass(t.nn.ReLU, found) or name == "Module"
        with pytest.raises(AttributeError):
            _ = getattr(t.nn.modules, file)._there_is_no_such_name


def test_modules_can_be_imported_from_its_files():
    from pytreemod.torch.nn.modules.batchnorm import _BatchNorm

    assert issubclass(ptt.nn.SyncBatchNorm, _BatchNorm) and ptt.nn.modules.Linear is ptt.nn.Linear
