"""A line search: a step along a direction that satisfies the strong Wolfe conditions.

It works on numbers and a function that evaluates a step; arrays only pass through. Steps, bounds and safeguards are
those of PyTorch's LBFGS, so that a run takes the same steps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

SUFFICIENT, CURVATURE = 1e-4, 0.9  # the two Wolfe constants


class Trial(NamedTuple):
    """One point on the line: the step, the loss and the gradient there, and the slope along the line."""

    t: Any
    loss: float
    grad: Any
    slope: Any


def cubic_minimum(one: Trial, other: Trial, bounds: tuple[Any, Any]) -> Any:
    """Where the cubic through two points and their slopes is smallest, within bounds; their middle if nowhere."""
    left, right = (one, other) if one.t <= other.t else (other, one)
    mean = left.slope + right.slope - 3 * (left.loss - right.loss) / (left.t - right.t)
    square = mean * mean - left.slope * right.slope
    if not square >= 0:
        return (bounds[0] + bounds[1]) / 2.0
    root = np.sqrt(square)
    share = (right.slope + root - mean) / (right.slope - left.slope + 2 * root)
    return min(max(right.t - (right.t - left.t) * share, bounds[0]), bounds[1])


def strong_wolfe(
    evaluate: Callable[[Any], Trial], start: Trial, t: Any, width: Any, tolerance: float, limit: int
) -> tuple[Trial, int]:
    """(the step taken, how many points were evaluated).

    Args:
        evaluate: the point at a step.
        start: the point at step 0.
        t: the first step to try.
        width: the largest entry of the direction; where ``width`` times a bracket is below ``tolerance``, it is small.
        limit: how often a step may be changed.

    Source: Nocedal and Wright 2006, algorithms 3.5 and 3.6.
    """

    def too_high(trial: Trial) -> bool:
        return bool(trial.loss > start.loss + SUFFICIENT * trial.t * start.slope)

    def flat(trial: Trial) -> bool:
        return bool(abs(trial.slope) <= -CURVATURE * start.slope)

    # until a minimum lies between two points
    before, now = start, evaluate(t)
    count = 1
    ends = None
    while count - 1 < limit:
        if too_high(now) or (count > 2 and now.loss >= before.loss):
            ends = before, now
            break
        if flat(now):
            return now, count
        if now.slope >= 0:
            ends = before, now
            break
        t = cubic_minimum(before, now, (now.t + 0.01 * (now.t - before.t), now.t * 10))
        before, now = now, evaluate(t)
        count += 1
    # then the two come closer
    one, other = ends or (start, now)
    best, far = (one, other) if one.loss <= other.loss else (other, one)
    stuck = False
    while count - 1 < limit and not abs(far.t - best.t) * width < tolerance:
        low, high = min(best.t, far.t), max(best.t, far.t)
        t = cubic_minimum(best, far, (low, high))
        margin = 0.1 * (high - low)
        if min(high - t, t - low) < margin:
            if stuck or t >= high or t <= low:
                t = high - margin if abs(t - high) < abs(t - low) else low + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = evaluate(t)
        count += 1
        if too_high(now) or now.loss >= best.loss:
            far = now
            if far.loss < best.loss:
                best, far = far, best
        elif flat(now):
            return now, count
        else:
            if now.slope * (far.t - best.t) >= 0:
                far = best
            best = now
    return best, count
