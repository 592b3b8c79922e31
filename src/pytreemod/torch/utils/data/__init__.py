"""Datasets, samplers and the DataLoader: ``torch.utils.data``. Pipes are loaded at first use."""

from importlib import import_module
from typing import Any

from pytreemod.torch.missing import told
from pytreemod.torch.utils.data.collate import default_collate, default_convert
from pytreemod.torch.utils.data.dataloader import DataLoader, _DatasetKind
from pytreemod.torch.utils.data.dataset import (
    ChainDataset,
    ConcatDataset,
    Dataset,
    IterableDataset,
    StackDataset,
    Subset,
    TensorDataset,
    random_split,
)
from pytreemod.torch.utils.data.distributed import DistributedSampler
from pytreemod.torch.utils.data.sampler import (
    BatchSampler,
    RandomSampler,
    Sampler,
    SequentialSampler,
    SubsetRandomSampler,
    WeightedRandomSampler,
)
from pytreemod.torch.utils.data.worker import WorkerInfo, get_worker_info

__all__ = [
    "BatchSampler",
    "ChainDataset",
    "ConcatDataset",
    "DataLoader",
    "Dataset",
    "DistributedSampler",
    "IterableDataset",
    "RandomSampler",
    "Sampler",
    "SequentialSampler",
    "StackDataset",
    "Subset",
    "SubsetRandomSampler",
    "TensorDataset",
    "WeightedRandomSampler",
    "WorkerInfo",
    "_DatasetKind",
    "default_collate",
    "default_convert",
    "get_worker_info",
    "random_split",
]

_MODULES = frozenset("datapipes graph graph_settings".split())
_LATE = {
    **dict.fromkeys("DFIterDataPipe DataChunk IterDataPipe MapDataPipe".split(), "datapipe"),
    **dict.fromkeys("argument_validation runtime_validation".split(), "validation"),
    **dict.fromkeys(
        "functional_datapipe guaranteed_datapipes_determinism non_deterministic runtime_validation_disabled".split(),
        "decorators",
    ),
}


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _LATE:
        import_module(f"{__name__}.datapipes.map")  # with all standard steps, whose names are then taken
        return getattr(import_module(f"{__name__}.datapipes.{_LATE[name]}"), name)
    raise AttributeError(f"module 'torch.utils.data' has no attribute '{name}': {told(f'torch.utils.data.{name}')}")
