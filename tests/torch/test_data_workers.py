"""Data loading in worker processes: the same batches, the same seeds, errors, and nobody left behind."""

import multiprocessing
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.utils.data as theirs
from torch.utils.data._utils.worker import _generate_state

import pytreemod.torch.utils.data as ours
from pytreemod.torch.random import Generator, default_generator
from pytreemod.torch.tensor import as_tensor
from pytreemod.torch.utils.data import _tensors, team
from pytreemod.torch.utils.data.worker import Failure


@pytest.fixture
def workers(monkeypatch):
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    import worker_datasets

    yield worker_datasets
    deadline = time.monotonic() + 5
    while multiprocessing.active_children() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not multiprocessing.active_children()  # nobody is left behind


def test_workers_give_the_same_batches_and_leave_the_same_stream(workers):
    local = ours.DataLoader(workers.Points(), batch_size=2, shuffle=True)
    apart = ours.DataLoader(workers.Points(), batch_size=2, shuffle=True, num_workers=2)
    default_generator.manual_seed(1)
    expected, after = repr([list(local), list(local)]), _tensors.seed_draw()
    default_generator.manual_seed(1)
    assert repr([list(apart), list(apart)]) == expected
    assert _tensors.seed_draw() == after

    x = np.arange(22, dtype=np.float32).reshape(11, 2)
    a = ours.DataLoader(ours.TensorDataset(as_tensor(x)), 4, True, generator=Generator().manual_seed(3), num_workers=1)
    b = theirs.DataLoader(
        theirs.TensorDataset(torch.from_numpy(x)), 4, True, generator=torch.Generator().manual_seed(3)
    )
    assert repr(list(a)) == repr(list(b))


def test_workers_know_themselves_and_are_seeded_as_pytorchs(workers):
    loader = ours.DataLoader(workers.Where(), batch_size=1, num_workers=2, collate_fn=workers.same)
    default_generator.manual_seed(5)
    base = _tensors.seed_draw()
    default_generator.manual_seed(5)
    found = [sample for [sample] in loader]
    assert [sample[:4] for sample in found] == [(i, i % 2, 2, base + i % 2) for i in range(6)]
    for k in range(2):
        python = random.Random(base + k)
        numpy = np.random.RandomState(_generate_state(base, k))
        for i in range(k, 6, 2):
            assert found[i][4:] == (python.random(), numpy.rand())
    assert ours.get_worker_info() is None


def test_workers_share_an_iterable_dataset(workers):
    for n, options in ((9, {}), (8, {"drop_last": True}), (1, {})):
        loader = ours.DataLoader(workers.Counting(n), batch_size=2, num_workers=2, **options)
        batches = [b.tolist() for b in loader]
        if options:
            assert batches == [[0, 2], [1, 3], [4, 6], [5, 7]]
        assert sorted(sum(batches, [])) == list(range(n))
    copies = ours.DataLoader(workers.Counting(2, share=False), batch_size=None, num_workers=2)
    assert list(copies) == [0, 0, 1, 1]


def test_an_error_in_a_worker_arrives_with_its_traceback(workers):
    for trouble, kind, text in (
        ("key", KeyError, "KeyError: 'missing'"),
        ("unicode", RuntimeError, "UnicodeDecodeError: 'utf-8' codec"),
        ("lambda", RuntimeError, "cannot leave its worker process"),
    ):
        collate = workers.same if trouble == "lambda" else None
        loader = ours.DataLoader(workers.Troubled(trouble), 2, num_workers=1, collate_fn=collate)
        batches = iter(loader)
        next(batches)
        with pytest.raises(kind) as caught:
            next(batches)
        assert str(caught.value).startswith("Caught ")
        assert "in DataLoader worker process 0.\nOriginal Traceback" in str(caught.value) or trouble == "lambda"
        assert text in str(caught.value)
        assert len(list(batches)) == 2  # the pass goes on
    with pytest.raises(ValueError, match="worker 0 will not start"):
        list(ours.DataLoader([1, 2], num_workers=1, worker_init_fn=workers.refuse))


def test_a_failure_is_the_error_pytorch_raises():
    try:
        {}["k"]
    except KeyError as error:
        with pytest.raises(KeyError) as caught:
            Failure(error, 4).reraise()
    assert str(caught.value).startswith("Caught KeyError in DataLoader worker process 4.\nOriginal Traceback (most")


def test_a_worker_that_dies_or_takes_too_long_is_reported(workers, monkeypatch):
    with pytest.raises(RuntimeError, match=r"DataLoader worker \(pid\(s\) \d+\) exited unexpectedly"):
        list(ours.DataLoader(workers.Troubled("death"), 2, num_workers=1))
    monkeypatch.setattr(team, "_FAREWELL", 0.3)
    start = time.monotonic()
    loader = ours.DataLoader(workers.Troubled("sleep"), 1, num_workers=1, timeout=1, sampler=[3])
    with pytest.raises(RuntimeError, match="DataLoader timed out after 1 seconds"):
        next(iter(loader))
    assert time.monotonic() - start < 10  # seconds, of the 30 that the sample takes


def test_persistent_workers_start_once_and_drop_what_was_left(workers):
    loader = ours.DataLoader(
        workers.Points(), 1, num_workers=2, persistent_workers=True, collate_fn=workers.doubled_names
    )
    before = list(loader)
    processes = {p.pid for p in multiprocessing.active_children()}
    assert len(processes) == 2
    for batch in loader:  # left early
        assert batch == before[0]
        break
    assert list(loader) == before
    assert {p.pid for p in multiprocessing.active_children()} == processes
    del loader


def test_out_of_order_gives_what_is_there_first(workers):
    loader = ours.DataLoader(workers.Waiting(), None, num_workers=2, in_order=False, prefetch_factor=1)
    found = list(loader)
    assert sorted(found) == [0, 1, 2, 3]
    assert found[0] == 1


def test_a_collate_function_may_compute_in_a_worker(workers):
    loader = ours.DataLoader(np.arange(4.0), 2, num_workers=1, collate_fn=workers.doubled)
    assert [b.tolist() for b in loader] == [[0, 2], [4, 6]]


def test_importing_what_a_worker_needs_starts_no_jax():
    """Else worker processes would be forked from a server in which JAX's threads run, and could deadlock."""
    program = (
        "import pytreemod.torch.utils.data.worker, jax._src.xla_bridge as bridge\n"
        "assert not bridge.backends_are_initialized(), 'importing pytreemod.torch ran a JAX program'\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=60)
