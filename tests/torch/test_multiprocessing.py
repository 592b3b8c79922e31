"""torch.multiprocessing: Python's, with spawn(); its errors say what happened in which process."""

import os
import pickle
import signal

import pytest
import torch.multiprocessing as theirs

import pytreemod.torch.multiprocessing as ours

# the processes here run no JAX, which warns of every fork once it has threads
pytestmark = pytest.mark.filterwarnings("ignore:os.fork")


def write(index, folder):
    (folder / str(index)).write_text("done")


def fail(index):
    if index == 1:
        raise KeyError("lost")
    signal.pause()


def leave(index, code):
    os._exit(code)


def die(index):
    os.kill(os.getpid(), signal.SIGTERM)


def test_names_and_strategies():
    for t in (ours, theirs):
        assert t.get_sharing_strategy() in t.get_all_sharing_strategies()
        t.set_sharing_strategy("file_system")
        assert t.get_sharing_strategy() == "file_system"
        with pytest.raises(AssertionError):
            t.set_sharing_strategy("telepathy")
    assert ours.get_all_sharing_strategies() == theirs.get_all_sharing_strategies()
    names = {name for name in dir(theirs) if name[0] != "_"} - {
        "torch",
        "ENV_VAR_PARALLEL_START",
        "init_reductions",
        "reductions",
    }
    assert names <= set(dir(ours))


def test_each_process_gets_its_index(tmp_path):
    assert ours.start_processes(write, (tmp_path,), nprocs=2, start_method="fork") is None
    assert sorted(path.name for path in tmp_path.iterdir()) == ["0", "1"]
    context = ours.start_processes(write, (tmp_path,), nprocs=1, join=False, start_method="fork")
    assert len(context.pids()) == 1
    while not context.join(timeout=5):
        pass
    assert context.join()


@pytest.mark.parametrize("function, args", [(fail, ()), (leave, (3,)), (die, ())])
def test_what_a_failed_process_says(function, args):
    found = []
    for t in (ours, theirs):
        with pytest.raises((t.ProcessRaisedException, t.ProcessExitedException)) as caught:
            t.start_processes(function, args, nprocs=2 if function is fail else 1, start_method="fork")
        again = pickle.loads(pickle.dumps(caught.value))
        facts = [getattr(again, name, None) for name in ("error_index", "exit_code", "signal_name")]
        found.append((type(caught.value).__name__, str(again).splitlines()[:3], str(again).splitlines()[-1], facts))
    assert found[0] == found[1]


def test_spawn_takes_the_function_by_name(tmp_path):
    ours.spawn(write, (tmp_path,), nprocs=1)
    assert [path.name for path in tmp_path.iterdir()] == ["0"]
