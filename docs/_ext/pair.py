"""The directive ``{pair} name``: programs of ``pairs/name`` as tabs, or as columns where there is room."""

from pathlib import Path

from docutils import nodes
from sphinx.util.docutils import SphinxDirective

COLUMNS = {"torch": "PyTorch", "stateful": "Stateful", "functional": "Functional"}


def changed(lines: list[str], left: list[str]) -> str:
    """The numbers of the lines that the left neighbour does not have, for highlighting."""
    return ",".join(str(i) for i, line in enumerate(lines, start=1) if line.strip() and line not in left)


class Pair(SphinxDirective):
    """Shows the marked part of each column and what it prints."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        folder = Path(self.env.srcdir) / "pairs" / self.arguments[0]
        text, left = ["::::::{div} sbs", ":::::{tab-set}", ":sync-group: face", ""], None
        for column, label in COLUMNS.items():
            file = folder / f"{column}.py"
            self.env.note_dependency(str(file))
            shown = file.read_text(encoding="utf-8").split("# [show]\n")[1].split("# [/show]\n")[0].splitlines()
            text += [f"::::{{tab-item}} {label}", f":sync: {column}", "", "```{code-block} python"]
            if left is not None and (numbers := changed(shown, left)):
                text += [f":emphasize-lines: {numbers}"]
            out = (folder / f"{column}.out").read_text(encoding="utf-8").splitlines()
            text += ["", *shown, "```", "", "```{code-block} text", "", *out, "```", "::::", ""]
            left = shown
        text += [":::::", "::::::"]
        return self.parse_text_to_nodes("\n".join(text))


def setup(app):
    app.add_directive("pair", Pair)
    return {"version": "1", "parallel_read_safe": True}
