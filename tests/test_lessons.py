"""Each lesson prints the same text under PyTorch and under the stateful face."""

import contextlib
import io
import re
import runpy
import sys
from pathlib import Path

import pytest

LESSONS = sorted((Path(__file__).parents[1] / "examples" / "lessons").glob("[1-5]_*.py"))


def printed(lesson, implementation, monkeypatch):
    """The lines that ``lesson`` prints, with object addresses masked."""
    monkeypatch.setattr(sys, "argv", [str(lesson), "--impl", implementation])
    monkeypatch.syspath_prepend(str(lesson.parent))
    monkeypatch.delitem(sys.modules, "_torch", raising=False)
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        runpy.run_path(str(lesson), run_name="__main__")
    monkeypatch.delitem(sys.modules, "_torch", raising=False)
    return re.sub(r"0x[0-9a-f]+", "0x...", out.getvalue()).splitlines()


def test_there_are_five():
    assert [lesson.name[0] for lesson in LESSONS] == list("12345")


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_both_print_the_same(lesson, monkeypatch):
    expected = printed(lesson, "torch", monkeypatch)
    found = printed(lesson, "pytreemod", monkeypatch)
    different = [pair for pair in zip(expected, found, strict=False) if pair[0] != pair[1]]
    assert not different, "\n".join(f"torch:     {a}\npytreemod: {b}" for a, b in different)
    assert len(found) == len(expected)


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.stem)
def test_what_the_lesson_says_is_what_pytorch_does(lesson, monkeypatch):
    text = "\n".join(printed(lesson, "torch", monkeypatch))
    assert "another message" not in text and "nothing was raised" not in text


def test_the_fifth_lesson_gives_the_numbers_of_maml(monkeypatch):
    (lesson,) = [lesson for lesson in LESSONS if lesson.stem == "5_updates"]
    lines = printed(lesson, "torch", monkeypatch)
    assert [int(line.rsplit(" ", 1)[1]) for line in lines if "nodes back" in line] == [7, 13, 19]
    assert [line.split()[-1] for line in lines if line.endswith(("-5.76", "-7.20"))][1:] == ["-5.76"] * 4 + [
        "-7.20"
    ] * 2
