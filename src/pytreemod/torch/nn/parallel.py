"""``torch.nn.parallel`` on the one device that tensors are on: a module that hands its inputs to another."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.nn.module import Module


class DataParallel(Module):
    """A module under the name ``module``, as PyTorch's does without or with one GPU.

    Raises:
        RuntimeError: more than one device is asked for.
    """

    def __init__(self, module: Module, device_ids: Any = None, output_device: Any = None, dim: int = 0):
        super().__init__()
        _one(device_ids)
        self.module = module
        self.dim = dim
        self.device_ids: list = []

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the module makes of its inputs."""
        return self.module(*inputs, **kwargs)


def data_parallel(
    module: Module, inputs: Any, device_ids: Any = None, output_device: Any = None, dim: int = 0,
    module_kwargs: dict | None = None,
) -> Any:  # fmt: skip
    """``module(*inputs)``, for one device.

    Raises: as ``DataParallel``.
    """
    _one(device_ids)
    return module(*(inputs if isinstance(inputs, tuple) else (inputs,)), **(module_kwargs or {}))


def _one(device_ids: Any) -> None:
    if device_ids is not None and len(list(device_ids)) > 1:
        raise RuntimeError(
            f"DataParallel: expected one device, got {list(device_ids)}; to use more, shard the functional face with "
            "jax.sharding"
        )


__all__ = ["DataParallel", "data_parallel"]
