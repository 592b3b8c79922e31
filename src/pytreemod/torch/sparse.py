"""``torch.sparse``: there are no sparse tensors here, and every name says so. Loaded at first use."""

from typing import Any

_NEAREST = {
    "mm": "torch.mm", "addmm": "torch.addmm", "sum": "torch.sum", "softmax": "torch.softmax",
    "log_softmax": "torch.log_softmax", "spdiags": "torch.diag_embed", "spsolve": "torch.linalg.solve",
    "sampled_addmm": "torch.addmm and a mask", "as_sparse_gradcheck": "torch.autograd.gradcheck",
}  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _NEAREST:
        raise AttributeError(f"module 'torch.sparse' has no attribute '{name}'")

    def refuse(*_: Any, **__: Any) -> Any:
        raise NotImplementedError(
            f"torch.sparse.{name}: sparse tensors are not implemented; use {_NEAREST[name]} of dense ones"
        )

    return refuse
