"""Flush: compute pending values as one compiled program."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.tape.compiled import owned, program_of, settled
from pytreemod.torch.tape.hollow import HOLLOW, keep_histories
from pytreemod.torch.tape.known import Known, Mark, described, learn
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.owners import dropped, is_alive, left_behind, needed_for, ownership
from pytreemod.torch.tape.program import GradientSpec, Recording, linearize
from pytreemod.torch.tape.trail import Trail
from pytreemod.torch.tape.value import Projection, Value


def force(value: Value) -> Any:
    """The array of a value, computed now if it is pending."""
    if value.array is None:
        if modes.capture is not None:
            modes.capture.refuse(value)
        source = value.inputs[0] if type(value.spec) is Projection else None
        if source is not None and source.array is not None:
            value.array = source.array[value.spec.index]
            if (not value.mask or value.released) and not asked() and not keep_histories([value]):
                value.inputs = None  # a gradient that is pending would go through them
        else:
            flush([value])
    return value.array


def computed(value: Value) -> Any:
    """The array of a value as a program takes it."""
    force(value)
    return settled(value)


def asked() -> list[Value]:
    """The gradients that were asked for, are not computed, and belong to somebody."""
    found = []
    for reference in modes.backwards:
        gradient = reference()
        if gradient is not None and gradient.array is None and gradient.inputs is not None and is_alive(gradient):
            found.append(gradient)
    return found


def owners() -> dict[Value, Value]:
    """For each value that a pending gradient computes on its way, that gradient.

    With several gradients that is the one that holds all others. Where there is none (hooks between them need values
    from within), nobody owns: what two of them run is run once all the same, as XLA merges equal computations.
    """
    waiting = asked()
    for gradient in waiting:
        inside = set(gradient.spec.inside)
        if gradient.spec.cuts:  # it reads some of these values from outside
            continue
        if all(other is gradient or other in inside for other in waiting):
            return owned_by(gradient)
    return {}


def owned_by(gradient: Value) -> dict[Value, Value]:
    """The values that a pending gradient computes on its way, and it for each of them.

    Not those that its own inputs need: a leaf that was overwritten with what it made, a factor that was calculated
    without a gradient from what the gradient goes through.
    """
    found = dict.fromkeys([v for v in gradient.spec.inside if v.array is None], gradient)
    found.pop(gradient, None)
    for value in needed_for(gradient.inputs):
        found.pop(value, None)
    return found


def pending() -> list[Value]:
    """What is computed together with whatever is read: gradients asked for, and cells already overwritten."""
    found = asked()
    for reference in modes.updated:
        cell = reference()
        if cell is not None and cell.value.array is None:
            found.append(cell.value)
    return found


def foresee(trail: Trail, mark: Mark, known: Known, roots: list[Value]) -> bool:
    """Where a backward came next the last time, compute it too: so that a loss read before costs no second forward.

    If it does not come, it is not foreseen again.
    """
    after = known.after
    if not roots or after is None or after.foretells is None or trail.foreseen is not None:
        return False
    if known.ahead is None or known.ahead[0] is not after.foretells:
        whole, _ = after.foretells.gradient.again(trail.log)
        extra = pending()
        recording = linearize([*roots, whole, *extra], owned_by(whole))
        outputs, donated = ownership(recording, (*roots, whole), extra)
        outputs = first([whole], recording, outputs)
        better = described(mark, trail, recording, outputs, donated, program_of(recording, outputs, donated), [whole])
        if better is not None:
            better.clears, better.hollow, better.after = known.clears, known.hollow, after
        known.ahead = after.foretells, better
    expected, better = known.ahead
    results = None if better is None else better.run(trail)
    if results is None:
        return False
    trail.foreseen = after, expected, results[0]
    return True


def flush(
    roots: list[Value], together: list[tuple[Value, list[Value]]] | None = None, mark: Mark | None = None
) -> None:
    """Compute ``roots`` and everything pending, as one program; nothing changes if it fails.

    ``together`` are operations with several results and the values of these results, all of them wanted. ``mark``: the
    caller has looked already whether this end of the recording is known, and it is not.
    """
    roots = [r for r in roots if r.array is None]
    trail = modes.trail
    if not roots and not modes.backwards and not modes.updated and not together:
        return
    if mark is None and trail.fork is not None:
        if trail.ended:
            trail.open(roots)
        epoch = trail.epoch
        mark = Mark(trail, [r.position if r.epoch is epoch else None for r in roots])
        if None in mark.wanted or None in mark.updated:  # from before: not on this trail
            mark = None
        elif (known := mark.known()) is not None:
            if foresee(trail, mark, known, roots) or known.run(trail) is not None:
                return
    extra = pending()
    wholes = [whole for whole, _ in together or () if whole.array is None]  # it may have run at once
    if not roots and not extra and not wholes:
        return
    if mark is not None:
        extra += left_behind(trail.log)
    recording = linearize([*roots, *wholes, *extra], owners())
    outputs, donated = ownership(recording, (*roots, *wholes), extra)
    if wholes:
        outputs = first(wholes, recording, outputs)
    try:
        compiled = program_of(recording, outputs, donated)
        kept = tuple([settled(v) for k, v in enumerate(recording.leaves) if k not in donated])
        given = tuple([owned(v) for k, v in enumerate(recording.leaves) if k in donated])
        arrays = compiled.run(kept, given, tuple(recording.numbers))
        del kept, given
    except BaseException:
        modes.backwards.clear()  # what cannot be computed fails whoever reads it, not whoever reads anything
        modes.updated.clear()
        trail.begin()
        raise
    modes.backwards.clear()
    modes.updated.clear()
    order = recording.order
    for position, array in zip(outputs, arrays, strict=True):
        order[position].array = array
    for whole, items in together or ():
        for item, array in zip(items, whole.array, strict=True):
            item.array = array
            item.inputs = None
        whole.array = None
    hollow = dict.fromkeys(keep_histories(order))
    for value in order:
        if value.inputs is not None and (value.released or (value.array is not None and not value.mask)):
            if value.epoch is HOLLOW or value in hollow:
                continue
            value.inputs = None
            if type(value.spec) is GradientSpec:
                value.spec = None
    if mark is None:
        trail.begin()
    else:
        learn(mark, trail, recording, outputs, donated, compiled, wholes, hollow)


def first(wholes: list[Value], recording: Recording, outputs: tuple) -> tuple:
    """The outputs, with those in front that the caller distributes itself.

    A step of an optimizer gives parameters the memory of parameters, as JAX takes for each array that is given away
    the first output of its kind; the gradients, which nothing is given for, come last.
    """
    chosen = [recording.index[w] for w in wholes]
    return (*chosen, *[k for k in outputs if k not in chosen])


def relieve(trail: Trail) -> None:
    """The trail has become long: compute the metrics that are left of what was dropped, and drop it."""
    metrics, gone = dropped(trail.log)
    if gone < len(trail.log) // 2:
        trail.limit *= 2
        return
    if metrics:
        flush(metrics)
    trail.begin()
    trail.loose = True


Trail.relieve = relieve
