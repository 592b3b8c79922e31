"""Every layer function under JAX's transformations, looked at abstractly: nothing is compiled here."""

import re

import jax
import jax.numpy as jnp
import pytest

import pytreemod.functional as F
from pytreemod.functional.dropout import alpha_dropout_with, dropout_with

IMAGE = (2, 4, 6, 6)


def ones(shape, dtype=jnp.float32):
    return jnp.ones(shape, dtype)


CALLS = {
    "linear": lambda x: F.linear(x, ones((3, 6)), ones(3)),
    "bilinear": lambda x: F.bilinear(x, x, ones((2, 6, 6)), ones(2)),
    "conv2d": lambda x: F.conv2d(x, ones((2, 2, 3, 3)), ones(2), padding="same", groups=2),
    "conv_transpose2d": lambda x: F.conv_transpose2d(x, ones((4, 2, 3, 3)), stride=2, groups=2),
    "pad": lambda x: F.pad(x, (1, 2, 0, 1), "circular"),
    "max_pool2d": lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True),
    "max_pool2d with indices": lambda x: F.max_pool2d(x, 3, return_indices=True)[0],
    "avg_pool2d": lambda x: F.avg_pool2d(x, 3, 2, 1, count_include_pad=False),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x, (3, 4)),
    "layer_norm": lambda x: F.layer_norm(x, (6,), ones(6), ones(6)),
    "rms_norm": lambda x: F.rms_norm(x, (6,), ones(6)),
    "group_norm": lambda x: F.group_norm(x, 2, ones(4), ones(4)),
    "batch_norm": lambda x: F.batch_norm(x, ones(4), ones(4)),
    "batch_norm_train": lambda x: F.batch_norm_train(
        x, ones(4), ones(4), momentum=None, num_batches_tracked=ones((), jnp.int32)
    )[0],
    "instance_norm_train": lambda x: F.instance_norm_train(x, ones(4), ones(4))[0],
    "normalize": F.normalize,
    "embedding": lambda x: F.embedding(ones(3, jnp.int32), x[0, 0], padding_idx=1, scale_grad_by_freq=True),
    "dropout": lambda x: dropout_with(x, ones(x.shape, bool), 0.5),
    "alpha_dropout": lambda x: alpha_dropout_with(x, ones(x.shape, bool), 0.5),
    "flatten": lambda x: F.flatten(x, 1),
    "unflatten": lambda x: F.unflatten(x, 1, (2, -1)),
    "prelu": lambda x: F.prelu(x, ones(4)),
    "threshold": lambda x: F.threshold(x, 0.1, 2.0),
    **{
        name: (lambda x, f=getattr(F, name): f(x))
        for name in (
            "relu relu6 gelu silu elu selu celu leaky_relu tanh sigmoid softplus softsign hardtanh "
            "hardsigmoid hardswish mish glu logsigmoid tanhshrink softshrink hardshrink"
        ).split()
    },
    **{name: (lambda x, f=getattr(F, name): f(x, -1)) for name in ("softmax", "log_softmax", "softmin")},
}


def program(call, dtype):
    """The program of a Hessian-vector product of ``call``, vectorised: forward over reverse over a batch."""
    x = jax.ShapeDtypeStruct((3, *IMAGE), dtype)

    def loss(x):
        return (call(x) ** 2).sum().astype(dtype)

    return jax.make_jaxpr(jax.vmap(lambda x: jax.jvp(jax.grad(loss), (x,), (x,))))(x)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_second_order_under_vmap_in_float32_alone(call):
    with jax.enable_x64(True), jax.numpy_dtype_promotion("strict"):
        text = str(program(call, jnp.float32))
    assert not re.search(r"\bf64\[", text)
