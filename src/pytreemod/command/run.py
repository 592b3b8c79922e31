"""``python -m pytreemod run``: a script or module as Python itself would run it, and ``torch`` is ours."""

from __future__ import annotations

import builtins
import io
import os
import sys
from importlib.machinery import SourceFileLoader
from importlib.util import find_spec
from pathlib import Path
from types import CodeType, ModuleType, TracebackType
from typing import Any, NoReturn

from pytreemod.command import imports

_OURS = str(Path(__file__).parent) + os.sep
_RUNNERS = ("<frozen runpy>", str(Path(__file__).parents[1] / "__main__.py"))


def run_script(script: str, arguments: list[str]) -> None:
    """Run a file, or the ``__main__.py`` of a folder, as ``python script arguments``."""
    whole = os.path.abspath(script)
    folder = os.path.dirname(os.path.realpath(whole))
    file = whole
    if os.path.isdir(whole):
        folder, file = whole, os.path.join(whole, "__main__.py")
        if not os.path.isfile(file):
            _stop(f"can't find '__main__' module in {whole!r}", 1)
    try:
        with io.open_code(file) as opened:
            source = opened.read()
    except OSError as error:
        _stop(f"can't open file {whole!r}: [Errno {error.errno}] {error.strerror}", 2)
    _run(file, source, folder, [script, *arguments])


def run_module(name: str, arguments: list[str]) -> None:
    """Run a module of ``sys.path``, or the ``__main__`` of a package, as ``python -m name arguments``."""
    imports.install()
    sys.argv = ["-m", *arguments]
    try:
        spec = find_spec(name)
        if spec is not None and spec.submodule_search_locations is not None:
            name = f"{name}.__main__"
            spec = find_spec(name)
    except ModuleNotFoundError:
        spec = None
    code = spec.loader.get_code(name) if spec is not None and hasattr(spec.loader, "get_code") else None
    if code is None:
        _stop(f"No module named {name}", 1)
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=spec.origin, __spec__=spec, __loader__=spec.loader, __package__=spec.parent, __cached__=spec.cached,
        __builtins__=builtins,
    )  # fmt: skip
    _execute(main, code, [spec.origin, *arguments])


def _run(file: str, source: bytes, folder: str, arguments: list[str]) -> None:
    imports.install()
    if not sys.flags.safe_path:
        sys.path[0] = folder
    main = ModuleType("__main__")
    main.__dict__.update(
        __file__=file, __loader__=SourceFileLoader("__main__", file), __cached__=None, __builtins__=builtins
    )
    _execute(main, source, arguments)


def _execute(main: ModuleType, code: bytes | CodeType, arguments: list[str]) -> None:
    sys.argv = arguments
    sys.modules["__main__"] = main
    try:
        if not isinstance(code, CodeType):
            code = compile(code, main.__file__ or "", "exec", dont_inherit=True)
        exec(code, main.__dict__)
    except SystemExit:
        raise
    except BaseException:
        sys.excepthook = _Hook(sys.excepthook)  # Python calls it, then ends with the status that it always has
        raise


class _Hook:
    """Shows an uncaught exception without the frames of those who ran the script."""

    def __init__(self, shown: Any):
        self.shown = shown

    def __call__(self, kind: type, error: BaseException, trace: TracebackType | None) -> None:
        each: BaseException | None = error
        while each is not None:
            each.__traceback__ = _of_the_script(each.__traceback__)
            each = each.__cause__ or each.__context__
        if isinstance(error, ImportError) and (error.name or "").startswith(imports.OURS):
            error.add_note(imports.REMEDY)
        self.shown(kind, error, error.__traceback__)


def _of_the_script(trace: TracebackType | None) -> TracebackType | None:
    """A traceback without frames of runpy, of this folder, and of the import system between them."""
    frames = []
    while trace is not None:
        frames.append(trace)
        trace = trace.tb_next
    files = [f.tb_frame.f_code.co_filename for f in frames]
    found: TracebackType | None = None
    for each, file in zip(reversed(frames), reversed(files), strict=True):
        if not file.startswith((_OURS, *_RUNNERS)) and (found or not file.startswith("<frozen importlib")):
            found = TracebackType(found, each.tb_frame, each.tb_lasti, each.tb_lineno)
    return found


def _stop(says: str, status: int) -> NoReturn:
    """End as Python does where it cannot begin."""
    print(f"{sys.executable}: {says}", file=sys.stderr)
    sys.exit(status)
