"""The comparison every test of a function makes: values and gradients, ours against PyTorch's."""

import jax
import numpy as np
import torch


def numbers(*shape, seed=0):
    """Standard normal float32 numbers of ``shape``, the same every time."""
    return np.random.RandomState(seed).randn(*shape).astype(np.float32)


def agree(ours, theirs, *inputs, rtol=1e-5, atol=1e-6):
    """Assert that ``ours(*inputs)`` has PyTorch's values, dtypes and gradients.

    ``inputs`` are NumPy arrays. Float inputs get gradients, of the sum of all float results weighted with
    fixed numbers that differ from place to place.
    """
    floats = [i for i, x in enumerate(inputs) if x.dtype.kind == "f"]
    leaves = [torch.tensor(x, requires_grad=i in floats) for i, x in enumerate(inputs)]
    expected = _outputs(theirs(*leaves))

    def loss(*values):
        outputs = _outputs(ours(*_merged(inputs, floats, values)))
        return sum((o * _weights(o)).sum() for o in outputs if o.dtype.kind == "f"), outputs

    given = [jax.numpy.asarray(inputs[i]) for i in floats]
    if floats:
        differentiate = jax.value_and_grad(loss, argnums=tuple(range(len(floats))), has_aux=True)
        (_, outputs), gradients = jax.jit(differentiate)(*given)
    else:
        outputs, gradients = loss()[1], ()

    assert len(outputs) == len(expected)
    for output, other in zip(outputs, expected, strict=True):
        other = other.detach().numpy()
        assert output.shape == other.shape
        assert output.dtype == other.dtype or output.dtype.kind == other.dtype.kind == "i"
        np.testing.assert_allclose(output, other, rtol=rtol, atol=atol)
    total = sum((o * torch.tensor(_weights(o))).sum() for o in expected if o.is_floating_point())
    if isinstance(total, torch.Tensor) and total.requires_grad:
        total.backward()
        for i, gradient in zip(floats, gradients, strict=True):
            other = leaves[i].grad if leaves[i].grad is not None else torch.zeros_like(leaves[i])
            np.testing.assert_allclose(gradient, other, rtol=rtol, atol=atol, err_msg=f"gradient of input {i}")


def _outputs(result):
    return tuple(result) if isinstance(result, tuple | list) else (result,)


def _merged(inputs, floats, values):
    merged = [jax.numpy.asarray(x) if x.dtype.kind != "f" else None for x in inputs]
    for i, value in zip(floats, values, strict=True):
        merged[i] = value
    return merged


def _weights(output):
    """Numbers between 0.5 and 1.5 of the shape of ``output``, so that no two places have one gradient."""
    return np.asarray(np.random.RandomState(7).rand(*output.shape) + 0.5, np.float32)
