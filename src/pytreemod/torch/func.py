"""``torch.func``: transforms of functions of tensors (PyTorch 2.13).

Each is recorded, so that they nest, and gradients go back through them.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from pytreemod.torch.func_jacobian import hessian, jacfwd, jacrev, jvp, linearize
from pytreemod.torch.func_recorded import Watched, detached, recorded_grad_and_value
from pytreemod.torch.func_vmap import vmap
from pytreemod.torch.nn.module import Module
from pytreemod.torch.ops.registry import FUNCTIONS
from pytreemod.torch.tensor import Tensor
from pytreemod.torch.trees import pack, unpack

__all__ = [
    "functional_call", "functionalize", "grad", "grad_and_value", "hessian", "jacfwd", "jacrev", "jvp", "linearize",
    "replace_all_batch_norm_modules_", "stack_module_state", "vjp", "vmap",
]  # fmt: skip


def grad_and_value(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """(gradient, value) of a scalar function with respect to the arguments ``argnums``, which may be trees."""

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        places = (argnums,) if isinstance(argnums, int) else tuple(argnums)
        chosen = tuple(args[k] for k in places)

        def scalar(new: Any) -> tuple:
            given = list(args)
            for k, value in zip(places, new, strict=True):
                given[k] = value
            out = func(*given, **kwargs)
            value, aux = out if has_aux else (out, ())
            if not isinstance(value, Tensor) or value.ndim:
                raise RuntimeError(
                    "grad_and_value(f)(*args): Expected f(*args) to return a scalar Tensor, got "
                    + (f"tensor with {value.ndim} dims" if isinstance(value, Tensor) else type(value).__name__)
                    + ". Maybe you wanted to use the vjp or jacrev APIs instead?"
                )
            return value, aux

        grads, value, aux = recorded_grad_and_value(scalar, chosen)
        grads = grads[0] if isinstance(argnums, int) else tuple(grads)
        return (grads, (value, aux)) if has_aux else (grads, value)

    return wrapped


def grad(func: Callable, argnums: Any = 0, has_aux: bool = False) -> Callable:
    """The gradient of a scalar function (PyTorch 2.13's ``torch.func.grad``)."""
    both = grad_and_value(func, argnums, has_aux)

    @functools.wraps(func)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        grads, value = both(*args, **kwargs)
        return (grads, value[1]) if has_aux else grads

    return wrapped


def vjp(func: Callable, *primals: Any, has_aux: bool = False) -> tuple:
    """(the value of ``func``, the function from cotangents to the gradients of the arguments), and aux if there is one.

    Raises:
        RuntimeError: the cotangents are not like the value.
    """
    watched = Watched(primals)
    result = watched.run(lambda new: func(*new))
    out, aux = result if has_aux else (result, ())
    found: list[Tensor] = []
    tree, _ = unpack(out, found)
    if not found:
        raise RuntimeError(f"vjp(f, *primals): Expected f(*args) to return Tensors, got {type(out)}")

    def back(*cotangents: Any, retain_graph: bool = True, create_graph: bool = True) -> Any:
        given: list[Tensor] = []
        unpack(cotangents, given)
        if [t.shape for t in given] != [t.shape for t in found]:
            raise RuntimeError(
                "Expected pytree structure of cotangents to be the same as pytree structure of outputs to the "
                f"function. cotangents: {_shapes(given)}, primal output: {_shapes(found)}"
            )
        grads = pack(watched.places, watched.gradients(found, given))
        return grads if watched.seen_outside([*found, *given]) else detached(grads)

    if not watched.seen_outside(found):
        out, aux = detached((out, aux))
    return (out, back, aux) if has_aux else (out, back)


def _shapes(tensors: list[Tensor]) -> list[tuple]:
    return [tuple(t.shape) for t in tensors]


def functional_call(module: Any, parameter_and_buffer_dicts: Any, args: Any = None, kwargs: Any = None, *,
                    tie_weights: bool = True, strict: bool = False) -> Any:  # fmt: skip
    """Call a module with these parameters and buffers in the place of its own, for this call only.

    Raises:
        RuntimeError: ``strict`` and the names do not match the module's.
    """
    given: dict = {}
    for part in (
        [parameter_and_buffer_dicts] if isinstance(parameter_and_buffer_dicts, dict) else parameter_and_buffer_dicts
    ):
        given.update(part)
    places: dict[int, list] = {}
    names: dict[str, tuple] = {}
    for prefix, sub in module.named_modules(remove_duplicate=False):
        for store in (sub._parameters, sub._buffers):
            for name, value in store.items():
                full = f"{prefix}.{name}" if prefix else name
                names[full] = (store, name)
                if value is not None:
                    places.setdefault(id(value), []).append((store, name))
    if strict:
        wrong = [
            f"{what} key(s): {', '.join(map(repr, sorted(keys)))}."
            for what, keys in (("Unexpected", set(given) - set(names)), ("Missing", set(names) - set(given)))
            if keys
        ]
        if wrong:
            raise RuntimeError(f"Error(s) in reparametrizing for {type(module).__name__}:\n\t" + "\n\t".join(wrong))
    undo = []
    try:
        for name, value in given.items():
            if name not in names:
                continue
            store, own = names[name]
            spots = places.get(id(store[own]), [(store, own)]) if tie_weights else [(store, own)]
            for where, key in spots:
                undo.append((where, key, where[key]))
                where[key] = value
        args = () if args is None else args if isinstance(args, tuple) else (args,)
        return module(*args, **(kwargs or {}))
    finally:
        for where, key, value in reversed(undo):
            where[key] = value


def stack_module_state(models: Any) -> tuple[dict, dict]:
    """The parameters and the buffers of several modules of one kind, each stacked along a new first dimension."""
    stack = FUNCTIONS["stack"]

    def joined(kind: str) -> dict:
        dicts = [dict(getattr(m, kind)()) for m in models]
        return {k: stack([d[k].detach() for d in dicts]) for k in dicts[0]}

    parameters = {k: v.requires_grad_() for k, v in joined("named_parameters").items()}
    return parameters, joined("named_buffers")


def functionalize(func: Callable, *, remove: str = "mutations") -> Callable:
    """``func`` itself: what it changes in place is recorded as new values anyway."""
    if remove not in ("mutations", "mutations_and_views"):
        raise RuntimeError(
            "functionalize(f, remove='mutations'): expected remove to be 'mutations' or 'mutations_and_views', got "
            f"{remove}"
        )
    return func


def replace_all_batch_norm_modules_(root: Module) -> Module:
    """Make every batch norm below ``root`` one without running statistics, which transforms can go through."""
    for module in root.modules():
        if hasattr(module, "running_mean") and hasattr(module, "num_batches_tracked"):
            module.running_mean = module.running_var = module.num_batches_tracked = None
            module.track_running_stats = False
    return root
