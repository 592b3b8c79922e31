"""Every operation of the registry against PyTorch: value, dtype, gradient, the name of the node, the in-place form.

The samples are in ``op_samples.txt``, and evaluated twice, on PyTorch's tensors and on ours. An operation without a
line is an error.
"""

import ast
import types
from pathlib import Path

import jax
import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours
from pytreemod.torch.ops.absent import ABSENT
from pytreemod.torch.ops.registry import FUNCTIONS

from .samples import SAMPLES, agree, array, inputs, run

# what PyTorch says of some names that it still has
pytestmark = pytest.mark.filterwarnings(
    "ignore:.*is deprecated:UserWarning", "ignore:.*A window was not provided:UserWarning"
)


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation():
    """Hundreds of programs, each run once: XLA need not optimise them."""
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


# aliases in place and out of it are exercised through the operation that they are; these have no sample of their own
IN_PLACE_ONLY = {"zero_", "fill_", "detach_", "celu_", "selu_", "threshold_", "embedding_renorm_", "histogramdd"}
# these say where their successors are, or draw numbers and go their own way; see test_linalg_names.py
ELSEWHERE = {"eig", "lobpcg", "lstsq", "matrix_rank", "pca_lowrank", "solve", "svd_lowrank", "symeig"}
# functions of networks and draws have tests of their own: nn/test_torch_names.py, test_making.py
ELSEWHERE |= set(
    "batch_norm binary_cross_entropy_with_logits binomial cosine_embedding_loss ctc_loss embedding_bag gru gru_cell "
    "hinge_embedding_loss instance_norm kl_div lstm lstm_cell margin_ranking_loss native_batch_norm "
    "native_group_norm poisson poisson_nll_loss rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell "
    "triplet_margin_loss".split()
)

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


def _their(name):
    if hasattr(theirs, name):
        return getattr(theirs, name)
    return getattr(theirs.Tensor, name)


def test_every_operation_has_a_sample():
    base = {n for n in FUNCTIONS if not (n.endswith("_") and n[:-1] in FUNCTIONS)}
    assert base - set(SAMPLES) - IN_PLACE_ONLY - ELSEWHERE - set(ABSENT) == set()
    assert set(SAMPLES) - set(FUNCTIONS) == set()


def _offered(function):
    """The name that a decorated definition offers as a function of torch, if it does."""
    for found in function.decorator_list:
        if isinstance(found, ast.Call) and getattr(found.func, "id", "") in ("operation", "composite"):
            named = {k.arg: k.value.value for k in found.keywords if isinstance(k.value, ast.Constant)}
            if named.get("function", True):
                yield named.get("name") or function.name.rstrip("_")


def test_an_operation_is_defined_once():
    files = sorted(Path(ours.__file__).parent.rglob("*.py"))
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in files]
    names = [n for t in trees for f in t.body if isinstance(f, ast.FunctionDef) for n in _offered(f)]
    assert len(names) > 200
    around = {"as_strided", "block_diag", "where"}  # a function written around the operation of its name
    assert {n for n in names if names.count(n) > 1} == around


def test_a_sample_is_in_one_line():
    lines = Path(__file__).with_name("op_samples.txt").read_text().splitlines()
    assert len(lines) == len(SAMPLES)


@pytest.mark.filterwarnings("ignore:index_reduce:UserWarning", "ignore:torch.range:UserWarning")
@pytest.mark.parametrize("name", SAMPLES)
def test_operation(name):
    for sample in SAMPLES[name]:
        agree(name, _their(name), FUNCTIONS[name], sample)


def test_node_names_are_pytorchs():
    for name, node in NODES.items():
        got, _, _ = run(ours, lambda *a, _f=FUNCTIONS[name], **k: _f(*a, **k), SAMPLES[name][0])
        assert got[0].grad_fn.name() == node, name
        assert run(theirs, _their(name), SAMPLES[name][0])[0][0].grad_fn.name() == node, name


RESHAPING = ("as_strided", "squeeze", "unsqueeze", "transpose", "t", "swapaxes", "swapdims")
IN_PLACE = sorted(
    n for n in SAMPLES
    if hasattr(ours.Tensor, n + "_") and hasattr(theirs.Tensor, n + "_")
    and n not in ("detach", "fill", "zero", "polygamma")
)  # fmt: skip


@pytest.mark.parametrize("name", IN_PLACE)
def test_in_place_form(name):
    sample = SAMPLES[name][0]
    outcomes = []
    for torch in (theirs, ours):
        floating, rest = inputs(torch)
        scope = {**{k: v.detach() for k, v in floating.items()}, **rest}
        args, kwargs = eval(f"pack({sample})", {**scope, "pack": lambda *a, **k: (a, k)})
        first = next(k for k, a in enumerate(args) if isinstance(a, torch.Tensor))  # of polygamma the second
        target, rest = args[first].clone(), (*args[:first], *args[first + 1 :])
        version = target._version
        try:
            back = getattr(target, name + "_")(*rest, **kwargs)
        except (RuntimeError, IndexError) as error:
            outcomes.append(type(error).__name__)
            continue
        assert back is target, name
        assert target._version > version or name in RESHAPING, name
        outcomes.append((array(target), str(target.dtype)))
    want, got = outcomes
    if isinstance(want, str) or isinstance(got, str):
        assert want == got
        return
    assert want[1] == got[1]
    np.testing.assert_allclose(got[0], want[0], rtol=2e-5, atol=2e-6, err_msg=name)


@pytest.mark.filterwarnings("ignore:index_reduce:UserWarning", "ignore:torch.range:UserWarning")
def test_every_sample_of_a_differentiable_operation_has_a_gradient():
    """The table itself: PyTorch sees a gradient in the first sample of most operations, so that it is compared."""
    silent = [n for n in SAMPLES if not any(g is not None for g in run(theirs, _their(n), SAMPLES[n][0])[1].values())]
    assert len(silent) < 145, silent


def test_a_name_that_is_missing_says_so():
    with pytest.raises(AttributeError, match="torch.no_such_function"):
        ours.no_such_function  # noqa: B018
    assert isinstance(ours, types.ModuleType)
