"""Datasets and functions that the worker processes of test_data_workers.py import by name."""

import os
import random
import time
from collections import namedtuple

import numpy as np

from pytreemod.torch.utils.data import Dataset, IterableDataset, default_collate, get_worker_info

Point = namedtuple("Point", "x y")


class Points(Dataset):
    """Samples of every kind of leaf."""

    def __len__(self):
        return 7

    def __getitem__(self, i):
        return {"point": Point(np.full(2, i, np.float32), i), "name": f"n{i}", "pair": (i / 2, [i == 3])}


class Where(Dataset):
    """Says which worker made the sample and what its generators give."""

    def __len__(self):
        return 6

    def __getitem__(self, i):
        info = get_worker_info()
        assert info.dataset is self
        return i, info.id, info.num_workers, info.seed, random.random(), np.random.rand()


class Counting(IterableDataset):
    """The numbers below n, shared out between the workers."""

    def __init__(self, n, share=True):
        self.n, self.share = n, share

    def __len__(self):
        return self.n

    def __iter__(self):
        info = get_worker_info()
        if info is None or not self.share:
            return iter(range(self.n))
        return iter(range(info.id, self.n, info.num_workers))


class Troubled(Dataset):
    """Its sample 3 goes wrong in one of several ways."""

    def __init__(self, trouble):
        self.trouble = trouble

    def __len__(self):
        return 8

    def __getitem__(self, i):
        if i == 3 and self.trouble == "key":
            return {"a": 1}["missing"]
        if i == 3 and self.trouble == "unicode":  # its type takes five arguments
            return b"\xff".decode("utf-8")
        if i == 3 and self.trouble == "death":
            os._exit(3)
        if i == 3 and self.trouble == "lambda":
            return lambda: None
        if i == 3 and self.trouble == "sleep":
            time.sleep(30)
        return i


class Waiting(Dataset):
    """Even samples take long."""

    def __len__(self):
        return 4

    def __getitem__(self, i):
        time.sleep(0.5 * (i % 2 == 0))
        return i


def same(batch):
    return batch


def refuse(worker):
    raise ValueError(f"worker {worker} will not start")


def doubled(batch):
    return default_collate(batch) * 2


def doubled_names(batch):
    return [2 * sample["name"] for sample in batch]
