"""The comparison every test of a layer makes: one seed, PyTorch's layer and ours."""

import jax
import numpy as np
import torch

import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream

CLOSE = {"rtol": 1e-4, "atol": 1e-5}


def numbers(*shape, seed=0):
    """Standard normal float32 numbers of ``shape``, the same every time."""
    return np.random.RandomState(seed).randn(*shape).astype(np.float32)


def twins(name, *args, seed=5, **kwargs):
    """Our layer ``name`` and PyTorch's, made from one seed."""
    torch.manual_seed(seed)
    theirs = getattr(torch.nn, name)(*args, **kwargs)
    with ptm.rng(HostStream(seed)):
        ours = getattr(nn, name)(*args, **kwargs)
    return ours, theirs


def agree(name, args, kwargs, *inputs):
    """Assert equal text, names, initial values, outputs and gradients of parameters; ours is a pytree."""
    ours, theirs = twins(name, *args, **kwargs)
    assert repr(ours) == repr(theirs)
    same_state(ours, theirs, rtol=1e-6, atol=1e-7)
    leaves, structure = jax.tree.flatten(ours)
    assert all(isinstance(leaf, jax.Array) for leaf in leaves)
    ours = jax.tree.unflatten(structure, leaves)

    expected = theirs(*map(torch.tensor, inputs))
    output, after = ptm.call(ours, *inputs)
    np.testing.assert_allclose(output, expected.detach(), **CLOSE)
    same_state(after, theirs)

    parameters = dict(theirs.named_parameters())
    if parameters:
        (expected**2).sum().backward()
        gradient = ptm.grad(lambda layer: (ptm.call(layer, *inputs)[0] ** 2).sum())(ours)
        for path, value in gradient.named_parameters():
            other = parameters.pop(path).grad
            np.testing.assert_allclose(value, other, rtol=1e-3, atol=1e-4, err_msg=path)
        assert not parameters
    return ours, theirs


def same_state(ours, theirs, **tolerance):
    """Assert that both state dicts have the same names, in the same order, and values."""
    state = theirs.state_dict()
    assert list(ours.state_dict()) == list(state)
    for path, value in ours.state_dict().items():
        assert value.shape == tuple(state[path].shape)
        np.testing.assert_allclose(value, state[path], **(tolerance or CLOSE), err_msg=path)
