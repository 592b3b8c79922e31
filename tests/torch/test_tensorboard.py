"""torch.utils.tensorboard: tensors reach tensorboardX's writer as arrays."""

import sys
import types

import numpy as np
import pytest

import pytreemod.torch as torch


class Writer:
    def __init__(self, logdir=None, **options):
        self.logdir, self.options, self.calls = logdir, options, []

    def add_histogram(self, *args, **kwargs):
        self.calls.append((args, kwargs))

    def close(self):
        self.calls.append("closed")


def test_tensors_become_arrays(monkeypatch):
    package = types.ModuleType("tensorboardX")
    package.SummaryWriter = Writer
    monkeypatch.setitem(sys.modules, "tensorboardX", package)
    with torch.utils.tensorboard.SummaryWriter("runs", flush_secs=3) as writer:
        w = torch.ones(2, requires_grad=True)
        writer.add_histogram("w", w, global_step=1, more={"each": [w * 2]})
        assert writer.log_dir == writer.get_logdir() == "runs"
        with pytest.raises(NotImplementedError, match="add_graph"):
            writer.add_graph(None)
    (args, kwargs), closed = writer._writer.calls
    assert type(args[1]) is np.ndarray and args[1].tolist() == [1.0, 1.0] and closed == "closed"
    assert type(kwargs["more"]["each"][0]) is np.ndarray and kwargs["global_step"] == 1
    assert writer._writer.options["flush_secs"] == 3


def test_without_the_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match="pip install tensorboardX"):
        torch.utils.tensorboard.SummaryWriter()
