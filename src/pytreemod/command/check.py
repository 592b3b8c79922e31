"""``python -m pytreemod check``: which names of PyTorch a program uses that are not here, without running it."""

from __future__ import annotations

import ast
import sys
import tokenize
import warnings
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from pytreemod.command.names import missing_part, namesakes, refused
from pytreemod.command.source import Use, uses
from pytreemod.torch.missing import alternative


class Missing(NamedTuple):
    """A name of PyTorch that a file uses and that is not there; ``name`` is its first part that is missing."""

    file: str
    lines: tuple[int, ...]
    name: str
    instead: str | None


class Report(NamedTuple):
    """What was found in some files: how many names they use, what is missing, what could not be read."""

    files: int
    names: int
    missing: list[Missing]
    unreadable: list[str]


def main(places: list[str]) -> int:
    """Print what the files under ``places`` use that is not there; returns the exit status."""
    report = check(places)
    for each in report.missing:
        rest = ", ".join(map(str, each.lines[1:]))
        more = f" (also line{'s' * (len(each.lines) > 2)} {rest})" if rest else ""
        instead = f" Instead: {each.instead}." if each.instead else ""
        print(f"{each.file}:{each.lines[0]}: {each.name} is not there{more}.{instead}")
    for says in report.unreadable:
        print(says, file=sys.stderr)
    absent = len({each.name for each in report.missing})
    used = (
        f"{report.names} name{'s' * (report.names != 1)} of PyTorch in {report.files} file{'s' * (report.files != 1)}"
    )
    print(f"{used}: " + (f"{absent} not there" if absent else "all there" if report.names else "none used"))
    return 2 if report.unreadable else int(bool(report.missing))


def check(places: list[str]) -> Report:
    """Read the Python files under ``places`` (files and folders)."""
    missing: list[Missing] = []
    unreadable: list[str] = []
    names: set[str] = set()
    files = 0
    for place in places:
        for file in _files(Path(place)):
            try:
                found = _uses(file)
            except (OSError, SyntaxError, UnicodeDecodeError) as error:
                unreadable.append(f"{file}: cannot be read: {error}")
                continue
            files += 1
            names.update(use.name for use in found if use.name != "torch")
            missing += _missing(str(file), found)
    return Report(files, len(names), missing, unreadable)


def _files(place: Path) -> list[Path]:
    """A file itself; of a folder, all programs in it but those of environments and hidden folders."""
    if not place.is_dir():
        return [place]
    skipped = {"__pycache__", "site-packages", "node_modules"}
    return [
        file
        for file in sorted(place.rglob("*.py"))
        if not any(part in skipped or part.startswith(".") for part in file.relative_to(place).parts)
    ]


def _uses(file: Path) -> list[Use]:
    with tokenize.open(file) as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore", SyntaxWarning)  # the file's own affair
        return uses(ast.parse(opened.read(), str(file)))


def _missing(file: str, found: list[Use]) -> list[Missing]:
    """What is not there, once for each name, with all of its lines."""
    lines: dict[str, list[int]] = {}
    for use in found:
        part = use.name if use.foreign else missing_part(use.name)
        if part is not None:
            lines.setdefault(part, []).append(use.line)
    found_there = [Missing(file, tuple(sorted(set(at))), name, _instead(name)) for name, at in lines.items()]
    return sorted(found_there, key=lambda each: each.lines)


_BUILT_ON_PYTORCH = "it needs PyTorch's C++ library; read the data with NumPy, and write the model in this script"


def _instead(name: str) -> str | None:
    if not name.startswith("torch."):
        return _BUILT_ON_PYTORCH
    known = alternative(name) or refused(name)
    if known is not None:
        return known
    parent, _, last = name.rpartition(".")
    near = get_close_matches(last, namesakes(name), 1, 0.75)
    return f"{parent}.{near[0]} is the nearest name" if near else None
