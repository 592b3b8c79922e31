"""Backward: which gradients are asked for, written down as one value of the tape.

Nothing is computed here. ``backward()`` walks the recording once, checks it, and makes a gradient value whose parts
become the ``.grad`` of the leaves; they are computed when somebody reads or steps.
"""

from __future__ import annotations

import traceback
import warnings
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np

from pytreemod.torch import messages
from pytreemod.torch.edges import listed
from pytreemod.torch.hooks import finishing
from pytreemod.torch.record import LEAF, call, item
from pytreemod.torch.tape.flush import asked, flush, force
from pytreemod.torch.tape.graph import node_name
from pytreemod.torch.tape.modes import modes
from pytreemod.torch.tape.program import GradientSpec, one
from pytreemod.torch.tape.recall import recall, remember
from pytreemod.torch.tape.value import Op, Value, constant
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.torch.walk import Survey, ancestors, in_order, inside_of, present_of, survey_to

ADD = Op(lambda a, b: a + b, "AddBackward0", saves="none")


def gradient(
    roots: list[Value],
    cotangents: list[Value],
    targets: list[Value],
    taps: list[Value],
    cuts: list[Value],
    keep: bool,
    inside: list[Value] | None = None,
) -> Value:
    """The pending gradients of ``roots`` with respect to ``targets`` (made before) and ``taps`` (made on the way).

    ``inside``: the calls between them, where they are known already.
    """
    if inside is None:
        inside = inside_of(roots, set(targets))
    members = set(inside)
    boundary = dict.fromkeys(v for value in inside for v in value.inputs if v not in members)  # in order, each once
    for value in (*targets, *roots, *cotangents):
        if value not in members:
            boundary.setdefault(value)
    cuts = [c for c in cuts if c in members]
    boundary.update(dict.fromkeys(cuts))
    inputs = tuple(boundary)
    mask = 0
    if keep:
        wanted = {*targets, *cuts}
        for value in inside:
            wanted.update(v for k, v in enumerate(value.inputs) if value.mask >> k & 1)
        wanted.update(c for c in cotangents if c.mask or c.variable is not None)
        mask = sum(1 << k for k, v in enumerate(inputs) if v in wanted)
    spec = GradientSpec(tuple(inside), tuple(roots), tuple(cotangents), tuple(targets), tuple(taps), tuple(cuts))
    value = Value(None, spec.aval, spec, inputs, mask)
    value.released = not keep
    modes.backwards.append(weakref.ref(value))
    return value


def finish_previous() -> None:
    """At most one backward is pending, so that accumulating over many batches does not grow a program."""
    if modes.backwards and modes.capture is None and any(not g.mask for g in asked()):
        flush([])


def _cotangents(tensors: Sequence[Tensor], grads: Sequence[Any], create_graph: bool) -> tuple[list[Value], list[Value]]:
    roots, cotangents = [], []
    for k, (tensor, grad) in enumerate(zip(tensors, grads, strict=True)):
        value, tracked = tensor._read()
        if not tracked:
            raise RuntimeError(messages.NO_GRAD_FN.format(k))
        if grad is None:
            if int(np.prod(value.aval.shape)) != 1:
                raise RuntimeError(messages.SCALAR_ONLY)
            if not value.aval.inexact or value.aval.dtype.kind == "c":
                raise RuntimeError(
                    "grad can be implicitly created only for real scalar outputs but got " + str(tensor.dtype)
                )
            cotangents.append(one(value.aval))
        else:
            given, follows = grad._read()
            if given.aval.shape != value.aval.shape:
                raise RuntimeError(
                    f"Mismatch in shape: grad_output[{k}] has a shape of {grad.shape} and output[{k}] has a shape of "
                    f"{tensor.shape}."
                )
            if not follows and given.mask:
                given = grad.detach().clone()._read()[0]  # type: ignore[attr-defined]
            cotangents.append(given)
        roots.append(value)
    return roots, cotangents


def run(
    tensors: Sequence[Tensor],
    grads: Sequence[Any],
    retain_graph: bool | None,
    create_graph: bool,
    wanted: Sequence[Value] | None,
) -> tuple[Value | None, list[Value]]:
    """(the pending gradients, the values they belong to): of each leaf, or of each wanted value that was used."""
    keep = create_graph if retain_graph is None else retain_graph
    if not create_graph:
        finish_previous()
    roots, cotangents = _cotangents(tensors, grads, create_graph)
    order = ancestors(roots)
    if wanted is None:
        survey, chosen = Survey(order), []
    else:
        chosen = present_of(order, wanted)
        survey = survey_to(roots, order, chosen)
    cuts: list[Value] = []
    if modes.anomaly:
        _find_anomaly(roots, cotangents, order)
    for value in reversed(survey.hooked):
        # where Python decides how the gradient goes on: hooks, and functions with a backward of their own
        custom = next((h for h in value.hooks if not isinstance(h, Tensor)), None)
        if any(t._hooks for t in value.hooks if isinstance(t, Tensor)):
            roots, cotangents = _apply_hooks(value, roots, cotangents, cuts, create_graph)
            cuts.append(value)
        if custom is not None:
            roots, cotangents = custom.flow(value, roots, cotangents, cuts, create_graph)
    between = None
    if wanted is None:
        targets = survey.leaves
        taps = [v for v in survey.hooked if v not in cuts and any(_retains(t) for t in v.hooks)]
        if survey.simple and not cuts:  # whatever has a history depends on a leaf: no need to look
            between = in_order(survey.calls)
    else:
        upstream = _not_first(chosen)
        targets = [v for v in chosen if v not in upstream]
        taps = [v for v in chosen if v in upstream]
    whole = None
    trail = modes.trail
    if targets or taps:
        whole = gradient(roots, cotangents, targets, taps, cuts, create_graph, between)
        if between is None or taps or create_graph or len(tensors) > 1 or grads[0] is not None:
            trail.stray()
        else:
            remember(trail, whole, survey.calls, survey.saved, bool(keep))
    if not keep:
        for value in survey.calls:
            value.released = True
    return whole, [*targets, *taps]


def _not_first(chosen: list[Value]) -> set[Value]:
    """Those of ``chosen`` that depend on another one of them."""
    if len(chosen) < 2 or not any(v.mask for v in chosen):
        return set()
    found = set()
    for value in chosen:
        if value.mask:
            before = set(ancestors([value]))
            if any(other is not value and other in before for other in chosen):
                found.add(value)
    return found


def _find_anomaly(roots: list[Value], cotangents: list[Value], order: list[Value]) -> None:
    """Compute the gradient of every value on the way, and name the operation whose backward made the first NaN.

    Raises:
        RuntimeError: PyTorch's words and the lines that recorded the operation.
    """
    values = [v for v in order if v.aval.__class__ is not tuple and v.aval.inexact]
    leaves, inner = [v for v in values if not v.mask], [v for v in values if v.mask and v not in roots]
    whole = gradient(roots, cotangents, leaves, inner, [], True)
    found = [*leaves, *inner]
    bad = {v for k, v in enumerate(found) if np.isnan(np.asarray(force(item(whole, k)))).any()}
    for value in reversed(order):
        for k, source in enumerate(value.inputs or () if value.mask else ()):
            if source in bad and value not in bad:
                if getattr(value.spec, "op", None) and value.spec.op.name == "linear" and len(value.inputs) == 3:
                    k = (k + 1) % 3  # PyTorch's addmm has the bias first
                lines = "".join(traceback.format_list([f for f in value.line or () if "pytreemod" not in f.filename]))
                raise RuntimeError(
                    f"Function '{node_name(value)}' returned nan values in its {k}th output. Its forward call was "
                    f"recorded here:\n{lines}"
                )


def _retains(holder: Any) -> bool:
    return isinstance(holder, Tensor) and holder._retains


def flowing_to(
    value: Value, roots: list[Value], cotangents: list[Value], cuts: list[Value], create_graph: bool
) -> tuple[Value | None, list[Value], list[Value]]:
    """(the whole gradient of a value, the roots and cotangents that are left without it)."""
    rest = [(r, c) for r, c in zip(roots, cotangents, strict=True) if r is not value]
    parts = [c for r, c in zip(roots, cotangents, strict=True) if r is value]
    others = [r for r, _ in rest]
    if value in set(ancestors(others)):
        parts.append(item(gradient(others, [c for _, c in rest], [value], [], cuts, create_graph), 0))
    total = None
    for part in parts:
        total = part if total is None else call(ADD, (total, part), grad=create_graph)
    return total, others, [c for _, c in rest]


def _apply_hooks(
    value: Value, roots: list[Value], cotangents: list[Value], cuts: list[Value], create_graph: bool
) -> tuple[list[Value], list[Value]]:
    """Run the hooks of a value on its gradient, which then flows on from there as a root of its own."""
    total, roots, cotangents = flowing_to(value, roots, cotangents, cuts, create_graph)
    if total is None:
        return roots, cotangents
    grad = wrap(total)
    for tensor in [t for t in value.hooks or () if isinstance(t, Tensor)]:
        grad = run_hooks(tensor, grad)
        if tensor._retains:
            tensor._grad = grad
    return [*roots, value], [*cotangents, grad._read()[0]]


def run_hooks(tensor: Tensor, grad: Tensor) -> Tensor:
    for hook in list((tensor._hooks or {}).values()):
        out = hook(grad)
        if out is not None:
            grad = out
    return grad


@finishing
def backward(
    tensors: Any, grad_tensors: Any = None, retain_graph: Any = None, create_graph: bool = False, inputs: Any = None
):
    """Add the gradients of ``tensors`` to the ``.grad`` of the leaves (PyTorch 2.13's ``autograd.backward``).

    Raises:
        RuntimeError: no gradient is recorded, a non-scalar has no ``grad_tensors``, the recording was released, or a
            value it needs was changed in place.
    """
    tensors = listed(tensors)
    grads = [grad_tensors] if grad_tensors is None or isinstance(grad_tensors, Tensor) else list(grad_tensors)
    if len(grads) == 1 and len(tensors) > 1 and grads[0] is None:
        grads = [None] * len(tensors)
    if inputs is not None:
        inputs = listed(inputs)
        if not inputs:
            raise RuntimeError("`inputs` argument to `backward()` cannot be empty.")
    if create_graph:
        warnings.warn(messages.CREATE_GRAPH, UserWarning, stacklevel=3)
    wanted = None if inputs is None else [t._read()[0] for t in inputs]
    whole, of = run(tensors, grads, retain_graph, create_graph, wanted)
    if inputs is not None:
        parts = _parts(whole, of, create_graph)
        for tensor, value in zip(inputs, wanted, strict=True):
            if _owner(value) in parts:
                accumulate(tensor, parts[_owner(value)], create_graph)
        return
    if whole is not None and not create_graph and not any(v.mask for v in of):
        hand_out(whole, of)
        return
    by_tensor: dict[int, tuple[Tensor, Value]] = {}
    for k, value in enumerate(of):
        part = item(whole, k)
        for tensor in (value.variable(),) if not value.mask else [t for t in value.hooks or () if _retains(t)]:
            if tensor is None:
                continue
            if id(tensor) in by_tensor:
                part = call(ADD, (by_tensor[id(tensor)][1], part), grad=create_graph)
            by_tensor[id(tensor)] = (tensor, part)
    for tensor, part in by_tensor.values():
        accumulate(tensor, part, create_graph)


def _owner(value: Value) -> int:
    """Whose gradient it is: that of a leaf tensor, whichever value it had in the recording, or that of the value."""
    return id(value if value.variable is None else value.variable)


def _parts(whole: Value | None, of: list[Value], create_graph: bool) -> dict[int, Value]:
    """The gradients by owner."""
    found: dict[int, Value] = {}
    for k, value in enumerate(of):
        part, owner = item(whole, k), _owner(value)
        found[owner] = call(ADD, (found[owner], part), grad=create_graph) if owner in found else part
    return found


def hand_out(whole: Value, leaves: list[Value]) -> None:
    """Give the leaves' tensors their gradients, as parts that become tensors when somebody asks."""
    for k, leaf in enumerate(leaves):
        tensor = leaf.variable()
        if tensor is None:
            continue
        if tensor._how == LEAF and tensor._gradient is None:
            if modes.capture is not None:
                modes.capture.see_grad(tensor)
                modes.capture.set_grad(tensor)
            tensor._gradient = (whole, k)
        else:
            accumulate(tensor, item(whole, k), False)


@finishing
def _method(
    self: Tensor, gradient: Any = None, retain_graph: Any = None, create_graph: bool = False, inputs: Any = None
):
    """Gradients of this tensor with respect to the leaves, added to their ``.grad``."""
    if gradient is None and not create_graph and inputs is None:
        value, tracked = self._read()
        if tracked:
            finish_previous()
            found = recall(modes.trail, value, bool(retain_graph))
            if found is not None:
                hand_out(*found)
                return
    backward(self, gradient, retain_graph, create_graph, inputs)


Tensor.backward = _method  # type: ignore[attr-defined]


def accumulate(tensor: Tensor, part: Value, create_graph: bool) -> None:
    """Add one gradient to ``tensor.grad``: in place, unless the gradient is to be differentiated itself."""
    if tensor._leaf and tensor._hooks:
        part = run_hooks(tensor, wrap(part))._read()[0]
    if modes.capture is not None:
        modes.capture.see_grad(tensor)
        modes.capture.set_grad(tensor)
    present = tensor._grad
    if present is None:
        tensor._grad = wrap(part)
    elif create_graph:
        tensor._grad = wrap(call(ADD, (present, part)))
    else:
        present._cell.assign(call(ADD, (present._read()[0], part), grad=False))
    for hook in list((tensor._post_hooks or {}).values()):
        if hook(tensor) is not None:
            raise RuntimeError("Tensor post accumulate grad hooks should return None.")


@finishing
def grad(
    outputs: Any,
    inputs: Any,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    only_inputs: bool = True,
    allow_unused: bool | None = None,
    is_grads_batched: bool = False,
    materialize_grads: bool = False,
) -> tuple:
    """The gradients of ``outputs`` with respect to ``inputs``, returned and not accumulated (PyTorch 2.13).

    Raises:
        RuntimeError: an input does not require grad, or was not used and ``allow_unused`` is not set.
    """
    if not only_inputs:
        warnings.warn(messages.ONLY_INPUTS, FutureWarning, stacklevel=2)
    outputs, inputs = listed(outputs), listed(inputs)
    given = [grad_outputs] if grad_outputs is None or isinstance(grad_outputs, Tensor) else list(grad_outputs)
    if len(given) == 1 and len(outputs) > 1:
        given = [None] * len(outputs)
    if is_grads_batched:
        raise NotImplementedError(
            "autograd.grad: is_grads_batched=True is not implemented; use func.vmap over func.vjp"
        )
    for tensor in inputs:
        if not tensor.requires_grad:
            raise RuntimeError("One of the differentiated Tensors does not require grad")
    wanted = [t._read()[0] for t in inputs]
    whole, of = run(outputs, given, retain_graph, create_graph, wanted)
    parts = _parts(whole, of, create_graph)
    results = []
    for index, value in enumerate(wanted):
        part = parts.get(_owner(value))
        if part is None:
            if materialize_grads:
                part = constant(np.zeros(value.aval.shape, value.aval.dtype))
            elif not allow_unused:
                raise RuntimeError(messages.UNUSED.format(index))
        out = None if part is None else wrap(part)
        if out is not None and inputs[index]._leaf and inputs[index]._hooks:
            out = run_hooks(inputs[index], out)
        results.append(out)
    return tuple(results)
