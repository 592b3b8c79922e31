"""Which operation runs in which type under autocast: PyTorch 2.13's lists for the CPU, by our names."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.dtypes import dtype as Dtype
from pytreemod.torch.dtypes import float32
from pytreemod.torch.ops.output import CAST
from pytreemod.torch.promotion import promote_types
from pytreemod.torch.record import call
from pytreemod.torch.tape.value import Op
from pytreemod.torch.tensor import Tensor, wrap

LOWER = frozenset(
    "linear matmul mm bmm addmm addbmm baddbmm einsum tensordot linalg_vecdot linalg_matrix_power linalg_multi_dot "
    "chain_matmul conv1d conv2d conv3d conv_tbc conv_transpose1d conv_transpose2d conv_transpose3d prelu "
    "attention_with multi_head_attention_with affine_grid inner".split()
)
SINGLE = frozenset(
    "prod trace cdist quantile nanquantile cross_entropy nll_loss mse_loss l1_loss smooth_l1_loss huber_loss "
    "binary_cross_entropy binary_cross_entropy_with_logits kl_div cosine_embedding_loss hinge_embedding_loss "
    "poisson_nll_loss margin_ranking_loss soft_margin_loss _triplet triplet_margin_loss multi_margin_loss "
    "multilabel_margin_loss ctc_loss avg_pool3d max_pool3d adaptive_avg_pool3d adaptive_max_pool3d "
    "fractional_max_pool2d fractional_max_pool3d max_unpool2d max_unpool3d grid_sample grid_sampler stft polar "
    "view_as_complex cholesky cholesky_inverse cholesky_solve inverse lu_solve orgqr ormqr geqrf qr svd "
    "triangular_solve linalg_inv linalg_inv_ex linalg_solve linalg_solve_ex linalg_qr linalg_cholesky "
    "linalg_cholesky_ex linalg_eigh linalg_eigvalsh linalg_eig linalg_eigvals linalg_svd linalg_svdvals linalg_lstsq "
    "linalg_cond linalg_matrix_rank linalg_householder_product linalg_tensorinv linalg_tensorsolve".split()
)
WIDEST = frozenset("cat stack index_copy".split())


class Casting:
    """What autocast does to the arguments of a call; one for each lower type."""

    def __init__(self, lower: Dtype):
        self.lower = lower

    def __call__(self, op: Op, args: tuple, kwargs: dict | None) -> tuple[tuple, dict | None]:
        """The arguments, cast as the lists say."""
        name = op.name
        if name == "linalg_matrix_power" and _no_product(args, kwargs):
            return args, kwargs
        if name in LOWER or (name == "recurrent_with" and "gru" not in (*args, *(kwargs or {}).values())):
            to = self.lower
        elif name in SINGLE or name.startswith("fft_") or (name == "pad" and _mirrors(args, kwargs)):
            to = float32
        elif name in WIDEST:
            kinds = [t.dtype for t in _tensors((args, kwargs)) if _eligible(t)]
            if len(set(kinds)) < 2:
                return args, kwargs
            to = kinds[0]
            for kind in kinds[1:]:
                to = promote_types(to, kind)
        else:
            return args, kwargs
        return _cast(args, to), kwargs and _cast(kwargs, to)


def _no_product(args: tuple, kwargs: dict | None) -> bool:
    n = args[1] if len(args) > 1 else (kwargs or {}).get("n")
    return n in (0, 1)


def _mirrors(args: tuple, kwargs: dict | None) -> bool:
    mode = args[2] if len(args) > 2 else (kwargs or {}).get("mode")
    return mode in ("reflect", "replicate")


def _eligible(tensor: Tensor) -> bool:
    aval = tensor._aval
    return aval.inexact and aval.dtype.kind != "c" and aval.dtype.itemsize < 8


def _tensors(tree: Any) -> list[Tensor]:
    if isinstance(tree, Tensor):
        return [tree]
    if isinstance(tree, dict):
        tree = list(tree.values())
    return [t for part in tree for t in _tensors(part)] if isinstance(tree, (tuple, list)) else []


def _cast(tree: Any, to: Dtype) -> Any:
    if isinstance(tree, Tensor):
        return wrap(call(CAST, (tree, to))) if _eligible(tree) and tree.dtype is not to else tree
    if isinstance(tree, dict):
        return {name: _cast(value, to) for name, value in tree.items()}
    return type(tree)([_cast(value, to) for value in tree]) if type(tree) in (tuple, list) else tree


cast_tree = _cast
