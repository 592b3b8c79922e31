"""How a module shows itself: PyTorch's text, and the protocols of wadler-lindig and treescope."""

from typing import Any

from pytreemod.tree.listing import child, submodules


class Describing:
    """The ``repr`` of a module, and what other printers ask for."""

    __slots__ = ()

    def extra_repr(self) -> str:
        """The settings to show between the parentheses; a subclass defines it."""
        return ""

    def _get_name(self) -> str:
        return type(self).__name__

    def __repr__(self: Any) -> str:
        extra = self.extra_repr()
        lines = extra.split("\n") if extra else []
        below = [f"({name}): {indent(repr(module))}" for name, module in all_children(self)]
        if len(lines) == 1 and not below:
            return f"{self._get_name()}({lines[0]})"
        lines += below
        body = "\n  " + "\n  ".join(lines) + "\n" if lines else ""
        return f"{self._get_name()}({body})"

    def __pdoc__(self: Any, **options: Any) -> Any:
        """A document for ``wadler_lindig.pformat``."""
        import wadler_lindig

        pairs = list(_shown(self).items())
        return wadler_lindig.bracketed(
            begin=wadler_lindig.TextDoc(type(self).__name__ + "("),
            docs=wadler_lindig.named_objs(pairs, **options),
            sep=wadler_lindig.comma,
            end=wadler_lindig.TextDoc(")"),
            indent=options.get("indent", 2),
        )

    def __treescope_repr__(self: Any, path: Any, subtree_renderer: Any) -> Any:
        """A foldable rendering for ``treescope``."""
        from treescope import repr_lib

        return repr_lib.render_object_constructor(
            object_type=type(self),
            attributes=_shown(self),
            path=path,
            subtree_renderer=subtree_renderer,
            roundtrippable=False,
        )


def all_children(module: Any) -> list[tuple[str, Any]]:
    """(name, module) of each direct submodule; a shared one under each of its names, as PyTorch shows it."""
    return [(path, child(module, path)) for path, _ in submodules(module._structure)]


def indent(text: str) -> str:
    """All lines but the first moved two to the right."""
    return text.replace("\n", "\n  ")


def _shown(module: Any) -> dict[str, Any]:
    hidden = {"training"}
    return {name: getattr(module, name) for name in module._structure.attributes if name not in hidden}
