"""What the parts of a live module share: its root class, and PyTorch's name of a type for error texts."""

from __future__ import annotations

from typing import Any

from pytreemod.torch import messages
from pytreemod.torch.tensor import Tensor

MACHINERY = frozenset(
    {
        "_parameters",
        "_buffers",
        "_modules",
        "_non_persistent_buffers_set",
        "_boxes",
        "_order",
        "_places",
        "_writes",
        "_backward_hooks",
        "_backward_pre_hooks",
        "_is_full_backward_hook",
        "_compiled_call",
        "_forward_hooks",
        "_forward_hooks_with_kwargs",
        "_forward_hooks_always_called",
        "_forward_pre_hooks",
        "_forward_pre_hooks_with_kwargs",
        "_state_dict_hooks",
        "_state_dict_pre_hooks",
        "_load_state_dict_pre_hooks",
        "_load_state_dict_post_hooks",
    }
)  # what is in the __dict__ of a module and is no attribute of the user's


class Root:
    """The root of live modules, for ``isinstance`` in the files that ``Module`` is made of."""


def typename(value: Any) -> str:
    """PyTorch's name for the type of a value: ``torch.FloatTensor``, ``int``, ``package.Class``."""
    if isinstance(value, Tensor):
        return messages.type_name(value)
    kind = value if isinstance(value, type) else type(value)
    module = kind.__module__
    return kind.__qualname__ if module in ("builtins", "", None) else f"{module}.{kind.__qualname__}"
