"""Comparing gradients with finite differences."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pytreemod.torch.backward import grad
from pytreemod.torch.tensor import Tensor, as_tensor


class GradcheckError(RuntimeError):
    """A gradient does not agree with finite differences."""


def _outputs(out: Any) -> list[Tensor]:
    return [o for o in (out if isinstance(out, (tuple, list)) else (out,)) if isinstance(o, Tensor)]


def gradcheck(func: Callable, inputs: Any, *, eps: float = 1e-6, atol: float = 1e-5, rtol: float = 1e-3,
              raise_exception: bool = True, **_: Any) -> bool:  # fmt: skip
    """Do the gradients of ``func`` agree with central differences? Wants inputs in float64 (PyTorch's gradcheck).

    Raises:
        GradcheckError: they do not, naming the output and the input.
        ValueError: no input requires grad.
    """
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    active = [k for k, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not active:
        raise ValueError(
            "gradcheck expects at least one input tensor to require gradient, but none of the them have "
            "requires_grad=True."
        )

    def values(k: int, array: np.ndarray) -> list[np.ndarray]:
        given = [as_tensor(array) if j == k else x for j, x in enumerate(inputs)]
        return [np.asarray(o.detach().numpy(), np.float64) for o in _outputs(func(*given))]  # type: ignore

    for k in active:
        x = np.array(inputs[k].detach().numpy())
        columns = []
        for i in range(x.size):
            ahead, behind = x.copy(), x.copy()
            ahead.flat[i] += eps
            behind.flat[i] -= eps
            pairs = zip(values(k, ahead), values(k, behind), strict=True)
            columns.append([(a - b).ravel() / (2 * eps) for a, b in pairs])
        outputs = _outputs(func(*inputs))
        for o, out in enumerate(outputs):
            if not out.requires_grad:
                continue
            for row in range(out.numel()):  # type: ignore[attr-defined]
                seed = np.zeros(tuple(out.shape))
                seed.flat[row] = 1
                (found,) = grad(out, [inputs[k]], as_tensor(seed.astype(out._aval.dtype)), retain_graph=True,
                                allow_unused=True)  # fmt: skip
                analytic = np.zeros(x.size) if found is None else np.asarray(found.detach().numpy()).ravel()  # type: ignore
                numeric = np.array([c[o][row] for c in columns])
                if not np.allclose(analytic, numeric, rtol, atol):
                    if not raise_exception:
                        return False
                    raise GradcheckError(
                        f"Jacobian mismatch for output {o} with respect to input {k},\nnumerical:{numeric}\n"
                        f"analytical:{analytic}\n"
                    )
    return True


def gradgradcheck(func: Callable, inputs: Any, grad_outputs: Any = None, **options: Any) -> bool:
    """``gradcheck`` of the gradient of ``func``: are second derivatives right?"""
    inputs = tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)
    active = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]

    def first(*given: Any) -> tuple:
        chosen = [g if isinstance(g, Tensor) and g.requires_grad else g for g in given]
        wanted = [
            c if c.requires_grad else c.requires_grad_() for c, x in zip(chosen, inputs, strict=True)
            if any(x is a for a in active)
        ]  # fmt: skip
        outputs = _outputs(func(*chosen))
        total = sum(((o * o).sum() for o in outputs[1:]), (outputs[0] * outputs[0]).sum())  # type: ignore[attr-defined]
        return grad(total, wanted, create_graph=True)

    return gradcheck(first, inputs, **options)
