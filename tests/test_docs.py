"""The code of the README and of the pages runs, each page as one program, and prints or raises what it shows.

A ``python`` fence followed directly by a ``text`` fence promises its output. If the text begins with the
name of an error, the fence must raise it, with what follows the colon in its message.
"""

import contextlib
import io
import re
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```python\n(?P<code>.*?)^```$(?:\n\n^```text\n(?P<shown>.*?)^```$)?", re.M | re.S)
ERROR = re.compile(r"(?P<kind>\w+Error): (?P<phrase>.*)")


class Block(NamedTuple):
    """One fence, with blank lines in front so that errors name the line of the page."""

    code: str
    shown: str | None


def blocks(page):
    text = page.read_text(encoding="utf-8")
    return [Block("\n" * text[: m.start("code")].count("\n") + m["code"], m["shown"]) for m in FENCE.finditer(text)]


def run(block, page, names):
    """What the block prints; its error, if it raises one and shows one."""
    out = io.StringIO()
    code = compile(block.code, str(page), "exec")
    with contextlib.redirect_stdout(out):
        expected = ERROR.match(block.shown or "")
        if expected is None:
            exec(code, names)
        else:
            with pytest.raises(Exception) as caught:
                exec(code, names)
            assert type(caught.value).__name__ == expected["kind"]
            assert expected["phrase"] in str(caught.value)
    return None if expected else out.getvalue()


with_code = [page for page in PAGES if blocks(page)]


@pytest.mark.parametrize("page", with_code, ids=lambda page: str(page.relative_to(ROOT)))
def test_page_runs_and_shows_what_it_prints(page):
    names = {"__name__": "__main__"}
    for block in blocks(page):
        printed = run(block, page, names)
        if printed is not None:
            assert printed == (block.shown or ""), f"{page.name}: the fence prints something else"


def test_every_page_is_in_the_table_of_contents():
    index = (ROOT / "docs" / "index.md").read_text(encoding="utf-8")
    named = set(re.search(r"```\{toctree\}(.*?)```", index, re.S)[1].split()) | {"index"}
    pages = {str(p.relative_to(ROOT / "docs").with_suffix("")) for p in (ROOT / "docs").rglob("*.md")}
    assert pages <= named


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / link).exists(), f"{page.name} -> {link}"


def test_the_readme_names_its_two_commands():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    for mark in ("main-command", "test-command"):
        assert re.search(rf"<!-- {mark} -->\n```bash\n[^\n]+\n```", text), mark
