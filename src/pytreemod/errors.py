"""The errors of the library and the words they share: place, expectation, fact, remedy."""

import difflib
from collections.abc import Iterable


class ImmutableError(AttributeError):
    """Something was assigned to a sealed module."""


class BufferWriteError(ImmutableError):
    """A buffer was written where the new value would be lost."""


class StaticValueError(TypeError):
    """An attribute is neither an array or module nor a hashable value."""


class PathError(KeyError):
    """A path or pattern names nothing in a module."""

    def __str__(self) -> str:  # KeyError would show the quoted repr of its text
        return str(self.args[0]) if self.args else ""


def nearest(name: str, names: Iterable[str], count: int = 3) -> str:
    """``did you mean 'fc1.weight'?``, or a list of what there is, for the end of an error."""
    names = list(names)
    close = difflib.get_close_matches(name, names, n=count, cutoff=0.5)
    if close:
        return "did you mean " + " or ".join(map(repr, close)) + "?"
    if not names:
        return "there are no names to match"
    more = ", ..." if len(names) > 6 else ""
    return "there are " + ", ".join(map(repr, names[:6])) + more
