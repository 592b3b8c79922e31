"""Flatten and Unflatten."""

import pytest

from pytreemod import nn

from .helpers import agree, numbers


@pytest.mark.parametrize("args", [(), (2, 3), (0, -1)])
def test_flatten_matches_pytorch(args):
    agree("Flatten", args, {}, numbers(2, 3, 4, 2))


@pytest.mark.parametrize("args", [(1, (2, 3)), (-1, (-1, 2))])
def test_unflatten_matches_pytorch(args):
    agree("Unflatten", args, {}, numbers(2, 6, 4))


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("features", (2, 3)), "named dimensions"),
        ((1, 6), "found type int"),
        ((1, (2, "3")), "type str at pos 1"),
    ],
)
def test_wrong_settings_are_refused_at_construction(args, message):
    with pytest.raises(TypeError, match=message):
        nn.Unflatten(*args)
