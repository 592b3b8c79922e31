"""Files: their names, the open files, and what is in them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from fnmatch import fnmatch
from typing import Any, NoReturn

from pytreemod.torch.utils.data.datapipes.datapipe import IterDataPipe
from pytreemod.torch.utils.data.datapipes.decorators import functional_datapipe
from pytreemod.torch.utils.data.datapipes.iter.wrapping import IterableWrapperIterDataPipe
from pytreemod.torch.utils.data.datapipes.streams import StreamWrapper


class _Told(IterDataPipe):
    """A pipe whose length, -1 for unknown, was told when it was made."""

    length: int

    def __len__(self) -> int:
        if self.length == -1:
            raise TypeError(f"{type(self).__name__} instance doesn't have valid length")
        return self.length


@functional_datapipe("list_files")
class FileListerIterDataPipe(_Told):
    """The paths of the files in folders, sorted in each.

    Args:
        root: a folder, several, or a pipe of them; a file stands for itself.
        masks: patterns of which a file's name must match one; none for all.
        recursive: also the folders inside.
        abspath: absolute paths.
        non_deterministic: in the order of the file system, not sorted.
        length: what ``len`` says; -1 for unknown.
    """

    def __init__(
        self,
        root: Any = ".",
        masks: str | list[str] = "",
        *,
        recursive: bool = False,
        abspath: bool = False,
        non_deterministic: bool = False,
        length: int = -1,
    ):
        roots = [root] if isinstance(root, str) else root
        self.datapipe = roots if isinstance(roots, IterDataPipe) else IterableWrapperIterDataPipe(roots)
        self.masks, self.recursive, self.abspath = masks, recursive, abspath
        self.non_deterministic, self.length = non_deterministic, length

    def __iter__(self) -> Iterator[str]:
        for root in self.datapipe:
            yield from self._paths(root)

    def _matches(self, name: str) -> bool:
        masks = [self.masks] if isinstance(self.masks, str) else self.masks
        return not self.masks or any(fnmatch(name, mask) for mask in masks)

    def _paths(self, root: str) -> Iterator[str]:
        if os.path.isfile(root):
            if self._matches(os.path.basename(root)):
                yield os.path.abspath(root) if self.abspath else root
            return
        for folder, inside, files in os.walk(root, onerror=_refuse):
            if not self.non_deterministic:
                inside.sort()  # the walk goes on in this order
                files.sort()
            for name in filter(self._matches, files):
                yield os.path.join(os.path.abspath(folder) if self.abspath else folder, name)
            if not self.recursive:
                return


def _refuse(error: OSError) -> NoReturn:
    warnings.warn(f"{error.filename} : {error.strerror}", stacklevel=2)
    raise error


@functional_datapipe("open_files")
class FileOpenerIterDataPipe(_Told):
    """Pairs of a path and the open file.

    Args:
        datapipe: the paths.
        mode: "r", "t", "rt" for text, "b", "rb" for bytes.
        encoding: of the text.
        length: what ``len`` says; -1 for unknown.

    Raises:
        ValueError: another mode, or an encoding of bytes.
        TypeError: on iteration, a path is no string.
    """

    def __init__(self, datapipe: Any, mode: str = "r", encoding: str | None = None, length: int = -1):
        if mode not in ("b", "t", "rb", "rt", "r"):
            raise ValueError(f"Invalid mode {mode}")
        if "b" in mode and encoding is not None:
            raise ValueError("binary mode doesn't take an encoding argument")
        self.datapipe, self.mode, self.encoding, self.length = datapipe, mode, encoding, length

    def __iter__(self) -> Iterator[tuple[str, StreamWrapper]]:
        mode = self.mode if "r" in self.mode else f"r{self.mode}"
        for path in self.datapipe:
            if not isinstance(path, str):
                raise TypeError(f"Expected string type for pathname, but got {type(path)}")
            yield path, StreamWrapper(open(path, mode, encoding=self.encoding))


@functional_datapipe("read_from_stream")
class StreamReaderIterDataPipe(IterDataPipe):
    """Pairs of a label and what is read of its stream.

    Args:
        datapipe: pairs of a label and a stream.
        chunk: how much is read at a time; None for all.
    """

    def __init__(self, datapipe: Any, chunk: int | None = None):
        self.datapipe, self.chunk = datapipe, chunk

    def __iter__(self) -> Iterator[tuple[str, Any]]:
        for label, stream in self.datapipe:
            while read := stream.read(self.chunk):
                yield label, read
            stream.close()
