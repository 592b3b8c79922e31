"""``python -m pytreemod run``: a script runs as Python would run it, and ``import torch`` means our package."""

import os
import subprocess
import sys
import textwrap

import pytest


def python(folder, *arguments):
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, timeout=120, env=os.environ.copy()
    )


def run(folder, *arguments):
    return python(folder, "-m", "pytreemod", "run", *arguments)


def write(folder, text, name="script.py"):
    (folder / name).write_text(textwrap.dedent(text))


def test_every_spelling_of_an_import_is_the_same_module(tmp_path):
    write(
        tmp_path,
        """
        import sys, importlib.util
        import torch, torch.nn as nn
        import torch.nn.functional as F
        import torch.optim as optim
        from torch import nn as other, Tensor
        from torch.nn.modules.conv import Conv2d
        from torch.optim.adam import Adam
        from torch.optim.lr_scheduler import StepLR
        from torch.utils.data import DataLoader
        from torch.utils.data.dataset import Dataset
        import pytreemod.torch as ours

        assert torch is ours and nn is other is ours.nn and F is ours.nn.functional and Tensor is ours.Tensor
        assert Conv2d is ours.nn.Conv2d and Adam is ours.optim.Adam and DataLoader is ours.utils.data.DataLoader
        assert sys.modules["torch.nn.functional"] is F and ours.__spec__.name == "pytreemod.torch"
        assert importlib.util.find_spec("torch.distributed") is None and importlib.util.find_spec("torch.nn")
        print(float(F.relu(torch.tensor(2.0))))
        """,
    )
    done = run(tmp_path, "script.py")
    assert (done.returncode, done.stdout, done.stderr) == (0, "2.0\n", "")


@pytest.mark.parametrize("how", [["script.py"], ["-m", "script"], ["package"], ["-m", "package"]], ids=" ".join)
def test_a_program_sees_what_python_shows_it(tmp_path, how):
    text = """
    import sys
    print(sys.argv, __name__, __file__, sys.path[0], __package__, __spec__ and __spec__.name)
    print(sys.modules["__main__"].__dict__ is globals(), type(__loader__).__name__)
    sys.exit(3)
    """
    write(tmp_path, text)
    (tmp_path / "package").mkdir()
    write(tmp_path / "package", text, "__main__.py")
    write(tmp_path / "package", "", "__init__.py")
    expected = python(tmp_path, *how, "--flag", "x")
    found = run(tmp_path, *how, "--flag", "x")
    assert expected.returncode == found.returncode == 3
    if how == ["package"]:  # Python runs a folder as a module of itself, which nobody looks at
        expected.stdout, found.stdout = (o.replace(" None None\n", "").replace("  __main__\n", "")
                                         for o in (expected.stdout, found.stdout))  # fmt: skip
    assert found.stdout == expected.stdout


@pytest.mark.parametrize("fault", ["raise KeyError(1)", "import json; json.loads('{')", "x = (", "exit('no')",
                                   "import nothing.there", "raise KeyboardInterrupt"])  # fmt: skip
def test_a_traceback_and_its_status_are_pythons(tmp_path, fault):
    write(tmp_path, f"def f():\n    pass\nif True:\n    {fault}\n")
    expected, found = python(tmp_path, "script.py"), run(tmp_path, "script.py")
    assert found.stderr == expected.stderr
    assert found.returncode == expected.returncode != 0


@pytest.mark.parametrize("name", ["there.py", "empty"])
def test_what_is_not_there_ends_as_under_python(tmp_path, name):
    (tmp_path / "empty").mkdir()
    expected, found = python(tmp_path, name), run(tmp_path, name)
    assert (found.stderr, found.returncode) == (expected.stderr, expected.returncode)


@pytest.mark.parametrize(
    "line, says",
    [
        ("import torch.distributed as dist", "ModuleNotFoundError: No module named 'torch.distributed'"),
        ("import torch.utils.bottleneck", "torch.utils.bottleneck"),
        ("from torch import nonsense", "ImportError: cannot import name 'nonsense'"),
    ],
)
def test_a_missing_module_says_so_at_the_users_line_and_points_to_check(tmp_path, line, says):
    write(tmp_path, f"import torch\n{line}\n")
    done = run(tmp_path, "script.py")
    assert done.returncode == 1 and says in done.stderr and "python -m pytreemod check" in done.stderr
    assert f'script.py", line 2, in <module>\n    {line}' in done.stderr
    assert done.stderr.count("File ") == 1


def test_workers_of_a_loader_mean_the_same_torch(tmp_path):
    write(
        tmp_path,
        """
        import torch
        from torch.utils.data import DataLoader, Dataset

        class Squares(Dataset):
            def __len__(self):
                return 4
            def __getitem__(self, index):
                assert torch.__name__ == "pytreemod.torch"
                return torch.tensor(index) ** 2

        if __name__ == "__main__":
            for batch in DataLoader(Squares(), 2, num_workers=1):
                print(batch.tolist())
        """,
    )
    done = run(tmp_path, "script.py")
    assert (done.returncode, done.stdout) == (0, "[0, 1]\n[4, 9]\n"), done.stderr


def test_the_help_says_both_commands(tmp_path):
    done = python(tmp_path, "-m", "pytreemod", "--help")
    assert done.returncode == 0 and "run script.py" in done.stdout and "check" in done.stdout
    assert python(tmp_path, "-m", "pytreemod", "walk").returncode == 2
