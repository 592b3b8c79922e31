"""Every operation of the registry against PyTorch: value, dtype, gradient, the name of the node, the in-place form.

``SAMPLES`` has one line an operation: argument lists in terms of the inputs below, separated by ``|``. They are
evaluated twice, on PyTorch's tensors and on ours. An operation without a line fails ``test_every_operation_has_a_sample``.
"""

import types

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours
from pytreemod.torch.ops.registry import FUNCTIONS

SAMPLES = {
    line.split(":", 1)[0].strip(): [s.strip() for s in line.split(":", 1)[1].split("|")]
    for line in """
    abs: x - 0.5
    absolute: x - 0.5
    acos: x
    acosh: x + 1.5
    adaptive_avg_pool1d: x[None], 2
    add: x, y | x, 2, alpha=3 | x, i | i, 2.5 | x, s
    addbmm: a, b, c | a, b, c, beta=2, alpha=0.5
    addcdiv: x, y, x, value=0.5
    addcmul: x, y, x, value=2
    addmm: a, x, w | a, x, w, beta=2, alpha=3
    addmv: v3, x, v | v3, x, v, beta=2
    addr: x, v3, v
    all: m | m, 1 | i, -1, True
    allclose: x, y
    amax: x | x, 1 | ties, 1, True | ties
    amin: x | x, -1 | ties, (0, 1)
    aminmax: x | x, dim=1, keepdim=True
    angle: x - 0.5
    any: m | m, 0 | i, -1, True
    arccos: x
    arccosh: x + 1.5
    arcsin: x
    arcsinh: x
    arctan: x
    arctan2: x, y
    arctanh: x
    argmax: x | x, 1 | x, -1, True
    argmin: x | x, 0
    argsort: x | x, 0, True
    argwhere: m
    asin: x
    asinh: x
    atan: x
    atan2: x, y
    atanh: x
    atleast_1d: s | x
    atleast_2d: v
    atleast_3d: v | x
    avg_pool1d: x[None], 2
    baddbmm: b, b, c.transpose(1, 2) @ b
    bilinear: x[:, :3], y, b2
    bincount: i.reshape(-1) | i.reshape(-1), None, 9
    bitwise_and: i, i + 1 | m, m.flip(1) | i, 3
    bitwise_left_shift: i, 2
    bitwise_not: i | m
    bitwise_or: i, i + 1
    bitwise_right_shift: i, 1
    bitwise_xor: i, i + 1
    block_diag: x, y
    bmm: b, c
    broadcast_shapes: (3, 1), (4,)
    broadcast_tensors: x, v
    broadcast_to: v, (3, 4)
    bucketize: x, v.detach().sort()[0]
    cat: [x, y], 1 | [x, i], 0
    cdist: x, y | x, y, 1.0
    ceil: x * 3
    celu: x - 0.5
    chunk: x, 2, 1
    clamp: x, 0.3, 0.6 | x, None, v | x, min=0.4
    clamp_max: x, 0.5
    clamp_min: x, 0.5
    clip: x, 0.3, 0.6
    clone: x
    column_stack: [v3, x]
    concat: [x, y], 1
    concatenate: [x, y], 1
    conj: x
    conj_physical: x
    conv1d: b, c[:, :, :2]
    conv2d: b[None], b[:, None, :2, :2].expand(2, 2, 2, 2)
    conv3d: b[None, None], b[None, None, :, :2, :2]
    conv_transpose1d: b, c[:3, :3, :2].expand(3, 3, 2) if c.shape[0] > 2 else b[:1].transpose(0, 1)
    conv_transpose2d: b[None], b[:, None, :2, :2]
    conv_transpose3d: b[None, None], b[None, None, :, :2, :2]
    copysign: x, v - 0.5 | x, -1
    corrcoef: x
    cos: x
    cosh: x
    cosine_similarity: x, y
    count_nonzero: i | i, 1
    cov: x
    cross: x[:, :3], y[:, :3], 1
    cummax: x, 1 | ties, 1
    cummin: x, 0
    cumprod: x, 1
    cumsum: x, 1 | i, 0
    deg2rad: x
    det: a
    detach: x
    diag: v | a, 1
    diag_embed: x
    diagflat: v, 1
    diagonal: x | x, 1
    diagonal_scatter: x, v3
    diff: x | x, 1, 0
    digamma: x
    dist: x, y | x, y, 1
    div: x, y | i, 2 | x, y, rounding_mode="floor" | i, 2, rounding_mode="trunc"
    divide: x, y
    dot: v, v
    dropout: x, 0.5, False
    dsplit: b, 2 if b.shape[2] % 2 == 0 else 3
    dstack: [x, y]
    einsum: "ij,jk->ik", x, w
    embedding: x, i[0] % 3
    eq: x, y | i, 2
    equal: x, y
    erf: x
    erfc: x
    erfinv: x
    exp: x | i
    exp2: x
    expm1: x
    fill: x, 2.0
    fix: x * 3
    flatten: b, 1 | s
    flip: x, (0, 1)
    fliplr: x
    flipud: x
    float_power: x, 2 | x, y
    floor: x * 3
    floor_divide: x.detach() * 5, 2 | i, 2
    fmax: x, y
    fmin: x, y
    fmod: x * 5, 2 | i, 3
    frac: x * 3
    gather: x, 1, i % 4
    gcd: i, i + 2
    ge: x, y
    ger: v, v3
    greater: x, y
    greater_equal: x, y
    group_norm: x[None], 3
    gt: x, 0.5
    hardshrink: x - 0.5
    heaviside: x.detach() - 0.5, s.detach()
    histc: x.detach(), 4
    hsplit: x, 2
    hstack: [x, y] | [v, v3]
    hypot: x, y
    i0: x
    imag: z
    index_add: x, 1, k, w.T[:, [0, 1]] if w.shape[0] == 3 else y[:, :2]
    index_copy: x, 1, k, y[:, :2]
    index_fill: x, 1, k, 5.0
    index_put: x, (k, k), v[:2]
    index_reduce: x, 1, k, y[:, :2], "amax"
    index_select: x, 1, k
    inner: x, y
    inverse: a
    isclose: x, y
    isfinite: x
    isin: i, k
    isinf: x
    isnan: x
    isneginf: x
    isposinf: x
    isreal: x
    kron: x, k.float()
    kthvalue: x, 2
    layer_norm: x, (4,), v
    lcm: i, i + 2
    ldexp: x, i
    le: x, y
    lerp: x, y, 0.3 | x, y, 0.7 | x, y, v
    less: x, y
    less_equal: x, y
    lgamma: x
    log: x
    log10: x
    log1p: x
    log2: x
    log_softmax: x, -1
    logaddexp: x, y
    logaddexp2: x, y
    logcumsumexp: x, 1
    logdet: a @ a.T
    logical_and: m, i
    logical_not: i
    logical_or: m, i
    logical_xor: m, i
    logit: x | x, 0.3
    logsumexp: x, 1 | x, (0, 1), True
    lt: x, y
    masked_fill: x, m, 2.0 | x, m, s
    masked_scatter: x, m, y
    masked_select: x, m
    matmul: x, w | x, v | b, c | v, w | b, x[:, :3]
    matrix_power: a, 2
    max: x | x, 1 | x, y | ties | ties, 1, True
    max_pool1d: x[None], 2
    max_pool2d: b[None], 2
    max_pool3d: b[None, None], 2
    maximum: x, y | ties, ties.flip(1)
    mean: x | x, 1 | x, (0, 1), True
    median: x | x, 1
    meshgrid: v, v3, indexing="ij" | v, v3, indexing="xy"
    min: x | x, 0 | x, y
    minimum: x, y | ties, ties.flip(1)
    mm: x, w
    mode: i.float() | i, 0
    moveaxis: b, 0, 2
    movedim: b, (0, 1), (1, 2)
    msort: x
    mul: x, y | x, 2 | i, 2.5 | m, m
    multiply: x, y
    mv: x, v
    mvlgamma: x + 2, 2
    nan_to_num: x / (x > 0.5), 0.0, 1.0, 2.0
    nanmean: x | x, 1
    nanquantile: x, 0.3
    nansum: x, 1
    narrow: x, 1, 1, 2
    ne: x, y
    neg: x
    negative: x
    nextafter: x.detach(), y.detach()
    nonzero: m
    norm: x | x, 1 | x, 2, 1 | x, 3, 0, True
    not_equal: x, y
    outer: v, v3
    pairwise_distance: x, y
    permute: b, (2, 0, 1)
    pinverse: a
    positive: x
    pow: x, 2 | x, y | 2, x | x, 0.5 | i, 2
    polygamma: 1, x
    prelu: x - 0.5, s.reshape(1)
    prod: x | x, 1 | i
    put: x, k, v[:2]
    quantile: x, 0.3 | x, 0.5, 1
    rad2deg: x
    ravel: x
    real: x | z
    reciprocal: x
    relu: x - 0.5
    remainder: x * 5, 2 | i, 3 | x, y
    repeat_interleave: x, 2 | x, 2, 1 | x, i[0, :3], 0
    reshape: x, (2, 6) | x, (-1,)
    rms_norm: x, (4,)
    roll: x, 1 | x, (1, 2), (0, 1)
    rot90: x | x, 3
    round: x * 3 | x, decimals=1
    row_stack: [x, y]
    rsqrt: x
    rsub: x, y | x, 2
    scatter: x, 1, p, y | x, 1, p[:, :2], 2.0
    scatter_add: x, 1, i % 4, y
    scatter_reduce: x, 1, i % 4, y, "sum" | x, 1, i % 4, y, "mean"
    searchsorted: v.detach().sort()[0], x
    select: x, 1, 2
    select_scatter: x, v, 0, 1
    selu: x - 0.5
    sgn: x - 0.5
    sigmoid: x
    sign: x - 0.5
    signbit: x - 0.5
    sin: x
    sinc: x
    sinh: x
    slice_scatter: x, y[:2], 0, 1
    slogdet: a
    softmax: x, -1 | x, 0
    sort: x | x, 0, True
    split: x, 3, 1 | x, [1, 2], 0
    split_with_sizes: x, [1, 3], 1
    sqrt: x
    square: x
    squeeze: x[None] | x[None, None], 1
    stack: [x, y], 1 | [x, y]
    std: x | x, 1 | x, 1, False
    std_mean: x
    sub: x, y | x, 2, alpha=3
    subtract: x, y
    sum: x | x, 1 | x, (0, 1), True | i | m
    swapaxes: x, 0, 1
    swapdims: x, 0, 1
    t: x
    take: x, i
    take_along_dim: x, i % 4, 1
    tan: x
    tanh: x
    tensor_split: x, 3, 1 | x, (1, 3), 1
    tensordot: x, w, 1 | x, y, ([0], [0])
    threshold: x, 0.5, 0.1
    tile: x, (2, 1)
    topk: x, 2 | x, 2, 0, False
    trace: a
    transpose: b, 0, -1
    trapezoid: x
    trapz: x, dx=0.5
    tril: x
    triu: x, 1
    true_divide: x, y
    trunc: x * 3
    unbind: x | x, 1
    unflatten: x, 1, (2, 2)
    unique: i
    unsqueeze: x, 0 | x, -1
    var: x | x, 1 | x, 0, correction=0, keepdim=True
    var_mean: x, 1
    vdot: v, v
    vsplit: x, 3
    vstack: [x, v]
    where: m, x, y | m, x, 0.0
    xlogy: x, y
    """.strip().splitlines()
}  # fmt: skip

# aliases in place and out of it are exercised through the operation that they are; these have no sample of their own
IN_PLACE_ONLY = {"zero_", "fill_", "detach_", "celu_", "selu_", "threshold_"}

NODES = {
    "add": "AddBackward0", "sub": "SubBackward0", "mul": "MulBackward0", "div": "DivBackward0", "pow": "PowBackward0",
    "exp": "ExpBackward0", "log": "LogBackward0", "tanh": "TanhBackward0", "sigmoid": "SigmoidBackward0",
    "relu": "ReluBackward0", "sum": "SumBackward0", "mean": "MeanBackward0", "max": "MaxBackward1",
    "softmax": "SoftmaxBackward0", "log_softmax": "LogSoftmaxBackward0", "matmul": "MmBackward0", "mm": "MmBackward0",
    "bmm": "BmmBackward0", "cat": "CatBackward0", "stack": "StackBackward0", "transpose": "TransposeBackward0",
    "permute": "PermuteBackward0", "reshape": "ViewBackward0", "unsqueeze": "UnsqueezeBackward0", "t": "TBackward0",
    "clamp": "ClampBackward1", "abs": "AbsBackward0", "neg": "NegBackward0", "sqrt": "SqrtBackward0",
    "gather": "GatherBackward0", "where": "WhereBackward0", "cumsum": "CumsumBackward0", "std": "StdBackward0",
    "var": "VarBackward0", "prod": "ProdBackward0", "clone": "CloneBackward0", "select": "SelectBackward0",
    "narrow": "SliceBackward0", "masked_fill": "MaskedFillBackward0", "addmm": "AddmmBackward0", "mv": "MvBackward0",
}  # fmt: skip


def _inputs(torch):
    r = np.random.RandomState(0)

    def floats(*shape):
        return torch.tensor(r.permutation(int(np.prod(shape))).reshape(shape).astype(np.float32) / 16 % 0.9 + 0.05)

    named = {
        "x": floats(3, 4), "y": floats(3, 4), "w": floats(4, 3), "a": floats(3, 3), "b": floats(2, 3, 3),
        "c": floats(2, 3, 3), "v": floats(4), "v3": floats(3), "s": torch.tensor(0.25), "b2": floats(2, 3, 4),
        "ties": torch.tensor([[1.0, 3.0, 3.0, 0.0], [2.0, 2.0, 2.0, 2.0], [3.0, 1.0, 0.0, 3.0]]),
    }  # fmt: skip
    named["a"] += 2 * torch.eye(3)
    floating = {name: t.requires_grad_() for name, t in named.items()}
    rest = {
        "i": torch.tensor(np.arange(12).reshape(3, 4) * 7 % 6), "k": torch.tensor([0, 2]),
        "z": torch.tensor(np.arange(3) * (1 + 2j)).to(torch.complex64),
        "m": torch.tensor(np.arange(12).reshape(3, 4) % 3 > 0), "p": torch.tensor(np.stack([np.roll([0, 3, 1, 2], r) for r in range(3)])),
    }  # fmt: skip
    return floating, rest


def _run(torch, function, sample):
    """(results, gradients by input) of one sample; gradients of a weighted sum of all results that have one."""
    floating, rest = _inputs(torch)
    scope = {**floating, **rest}
    args, kwargs = eval(f"pack({sample})", {**scope, "pack": lambda *a, **k: (a, k)})  # our own table
    out = function(*args, **kwargs)
    results = list(out) if isinstance(out, (tuple, list)) else [out]
    loss = None
    for r in results:
        if isinstance(r, torch.Tensor) and r.requires_grad:
            weight = torch.tensor(np.linspace(0.5, 1.5, r.numel()).reshape(tuple(r.shape)).astype(np.float32))
            term = (r * weight.to(r.dtype)).sum()
            loss = term if loss is None else loss + term
    used = {name: t for name, t in floating.items()}
    if loss is not None:
        loss.backward()
    return results, {name: t.grad for name, t in used.items()}, args


def _array(t):
    return np.asarray(t.detach().numpy(force=True)) if hasattr(t, "detach") else np.asarray(t)


def _their(name):
    if hasattr(theirs, name):
        return getattr(theirs, name)
    return getattr(theirs.Tensor, name)


def test_every_operation_has_a_sample():
    base = {n for n in FUNCTIONS if not (n.endswith("_") and n[:-1] in FUNCTIONS)}
    assert base - set(SAMPLES) - IN_PLACE_ONLY == set()
    assert set(SAMPLES) - set(FUNCTIONS) == set()


@pytest.mark.filterwarnings("ignore:index_reduce:UserWarning")
@pytest.mark.parametrize("name", SAMPLES)
def test_operation(name):
    for sample in SAMPLES[name]:
        want, want_grads, _ = _run(theirs, _their(name), sample)
        got, grads, _ = _run(ours, FUNCTIONS[name], sample)
        assert len(got) == len(want), sample
        for g, w in zip(got, want, strict=True):
            if not isinstance(w, theirs.Tensor):
                assert g == w, sample
                continue
            assert str(g.dtype) == str(w.dtype), f"{name}({sample}): dtype {g.dtype}, expected {w.dtype}"
            assert tuple(g.shape) == tuple(w.shape), sample
            assert g.requires_grad == w.requires_grad, f"{name}({sample}): requires_grad {g.requires_grad}"
            assert (g.grad_fn is None) == (w.grad_fn is None), f"{name}({sample}): grad_fn {g.grad_fn}"
            np.testing.assert_allclose(_array(g), _array(w), rtol=2e-5, atol=2e-6, err_msg=f"{name}({sample})")
        for key, w in want_grads.items():
            g = grads[key]
            assert (g is None) == (w is None), f"{name}({sample}): gradient of {key} is {g}, expected {w}"
            if w is not None:
                np.testing.assert_allclose(
                    _array(g), _array(w), rtol=2e-4, atol=2e-5, err_msg=f"gradient of {key} in {name}({sample})"
                )


def test_node_names_are_pytorchs():
    for name, node in NODES.items():
        got, _, _ = _run(ours, lambda *a, _f=FUNCTIONS[name], **k: _f(*a, **k), SAMPLES[name][0])
        assert got[0].grad_fn.name() == node, name
        assert _run(theirs, _their(name), SAMPLES[name][0])[0][0].grad_fn.name() == node, name


RESHAPING = ("squeeze", "unsqueeze", "transpose", "t", "swapaxes", "swapdims")
IN_PLACE = sorted(
    n for n in SAMPLES
    if hasattr(ours.Tensor, n + "_") and hasattr(theirs.Tensor, n + "_") and n not in ("detach", "fill", "zero")
)  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_form(name):
    sample = SAMPLES[name][0]
    outcomes = []
    for torch in (theirs, ours):
        floating, rest = _inputs(torch)
        scope = {**{k: v.detach() for k, v in floating.items()}, **rest}
        args, kwargs = eval(f"pack({sample})", {**scope, "pack": lambda *a, **k: (a, k)})
        target = args[0].clone()
        version = target._version
        try:
            back = getattr(target, name + "_")(*args[1:], **kwargs)
        except (RuntimeError, IndexError) as error:
            outcomes.append(type(error).__name__)
            continue
        assert back is target, name
        assert target._version > version or name in RESHAPING, name
        outcomes.append((_array(target), str(target.dtype)))
    want, got = outcomes
    if isinstance(want, str) or isinstance(got, str):
        assert want == got
        return
    assert want[1] == got[1]
    np.testing.assert_allclose(got[0], want[0], rtol=2e-5, atol=2e-6, err_msg=name)


def test_every_sample_of_a_differentiable_operation_has_a_gradient():
    """The table itself: PyTorch sees a gradient in the first sample of most operations, so that it is compared."""
    silent = [n for n in SAMPLES if not any(g is not None for g in _run(theirs, _their(n), SAMPLES[n][0])[1].values())]
    assert len(silent) < 110, silent


def test_a_name_that_is_missing_says_so():
    with pytest.raises(AttributeError, match="torch.no_such_function"):
        ours.no_such_function  # noqa: B018
    assert isinstance(ours, types.ModuleType)
