"""The fused multiply-add of the host stream against exact fractions."""

from fractions import Fraction

import numpy as np
import pytest

from pytreemod.rng.bits import affine


def exact(unit, low, high):
    """``unit * (high - low) + low`` as a fraction, the difference rounded in its dtype as in the program."""
    kind = type(unit)
    return Fraction(float(unit)) * Fraction(float(kind(high) - kind(low))) + Fraction(float(kind(low)))


@pytest.mark.parametrize(("low", "high"), [(-0.37, 1.1), (-3.4, -1.1), (0.1, 1e10), (-(2.0**-70), 1.7)])
def test_float64_rounds_once(low, high):
    unit = np.random.default_rng(0).random(500)
    assert affine(unit, low, high).tolist() == [float(exact(u, low, high)) for u in unit]


@pytest.mark.parametrize("low", [-(2.0**-60), 2.0**-60, -(2.0**-30), 0.37])
def test_float32_rounds_once_even_halfway_between_two_values(low):
    # three times an odd number of this size ends in half a unit: a tiny ``low`` decides where to
    unit = (2**23 + np.arange(1, 400, 2)).astype(np.float32) * np.float32(2.0**-24)
    for u, value in zip(unit, affine(unit, low, 3.0), strict=True):
        truth = exact(u, low, 3.0)
        around = [value, np.nextafter(value, np.float32(-9)), np.nextafter(value, np.float32(9))]
        distance = [abs(Fraction(float(x)) - truth) for x in around]
        assert distance[0] < min(distance[1:])
