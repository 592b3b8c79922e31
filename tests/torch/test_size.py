"""Size, device, layout and memory formats, against PyTorch's."""

import copy
import pickle

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from pytreemod.torch import size as ours
from pytreemod.torch.size import Size

EXPRESSIONS = [
    "Size()",
    "Size([2, 3])",
    "Size(range(3))",
    "Size((np.int64(3), True))",
    "Size(np.array([1, 2]))",
    "Size([2, 3, 4])[1:]",
    "Size([2, 3, 4])[-1]",
    "Size([2, 3]) + (1,)",
    "Size([2]) + Size([3])",
    "(1,) + Size([2, 3])",
    "Size([2, 3]) * 2",
    "2 * Size([2, 3])",
    "Size([2, 3]) * 0",
    "Size([2, 3]).numel()",
    "Size().numel()",
    "Size([-1, 3]).numel()",
    "Size([2, 3]) == (2, 3)",
    "hash(Size([2, 3])) == hash((2, 3))",
    "f'{Size([2, 3])}'",
    "Size([2, 3]).index(3)",
    "Size([2, 1.5])",
    "Size('ab')",
    "Size(5)",
    "Size([2]) + [1]",
    "Size([2]) + 3",
    "[1] + Size([2])",
    "Size([2]) * 1.5",
]


def outcome(expression, kind):
    try:
        found = eval(expression, {"Size": kind, "np": np})
    except TypeError as error:
        return "TypeError", str(error).replace("torch.Size", "Size")
    return type(found).__name__, repr(found)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_expressions_match_pytorch(expression):
    ours, theirs = outcome(expression, Size), outcome(expression, torch.Size)
    assert ours[0] == theirs[0]
    if "1.5" not in expression or "*" not in expression:  # that text is Python's own
        assert ours[1] == theirs[1]


def test_copies_and_pickles_stay_sizes():
    shape = Size([2, 3])
    for other in (pickle.loads(pickle.dumps(shape)), copy.deepcopy(shape), Size.of((2, 3))):
        assert type(other) is Size and other == shape


def test_jax_and_numpy_take_a_size_as_shape():
    assert jnp.zeros(Size([2, 3]), dtype=jnp.float32).shape == np.zeros(Size([2, 3])).shape == (2, 3)


DEVICES = [
    "device('cpu')",
    "device('cpu', 0)",
    "device('cuda:1')",
    "device(type='cuda', index=3)",
    "device(device('cpu'))",
    "str(device('cpu'))",
    "str(device('cuda', 1))",
    "device('cuda:2').index",
    "device('cpu').index",
    "device('meta').type",
    "device('cpu') == device('cpu')",
    "device('cpu') == device('cpu:0')",
    "device('cpu') == 'cpu'",
    "len({device('cpu'), device('cpu'), device('cuda')})",
    "device('')",
    "device('CPU')",
    "device('cpu:x')",
    "device('cpu:-1')",
    "device('cpu:01')",
    "device('cuda:0', 1)",
    "device('cpu', -2)",
    "device(device('cpu'), 1)",
    "device(None)",
    "device(0)",
]


def device_outcome(expression, kind):
    try:
        return "", repr(eval(expression, {"device": kind}))
    except (TypeError, RuntimeError) as error:
        return type(error).__name__, str(error).replace(", tpu", "")


@pytest.mark.parametrize("expression", DEVICES)
def test_devices_match_pytorch(expression):
    found, expected = device_outcome(expression, ours.device), device_outcome(expression, torch.device)
    assert found[0] == expected[0]
    # Where ours says more than PyTorch, it begins with PyTorch's words.
    beginning = {"device(None)": 40, "device(0)": 33, "device('cpu', -2)": 33}.get(expression)
    assert found[1][:beginning] == expected[1][:beginning]


def test_names_print_as_pytorchs_and_are_single_objects():
    names = ("strided", "contiguous_format", "preserve_format", "channels_last", "channels_last_3d")
    for name in names:
        found = getattr(ours, name)
        assert repr(found) == repr(getattr(torch, name))
        assert type(found).__name__ == type(getattr(torch, name)).__name__
        assert pickle.loads(pickle.dumps(found)) is copy.deepcopy(found) is found


def test_a_device_is_immutable_and_pickles():
    place = ours.device("cuda", 1)
    assert pickle.loads(pickle.dumps(place)) == copy.copy(place) == place
    with pytest.raises(AttributeError, match="immutable"):
        place.index = 2
