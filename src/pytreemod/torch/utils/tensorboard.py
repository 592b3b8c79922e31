"""``torch.utils.tensorboard``: tensorboardX's writer, which is given tensors as arrays. Loaded at first use."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.tensor import Tensor


def _package() -> Any:
    try:
        import tensorboardX
    except ImportError:
        raise ImportError(
            "torch.utils.tensorboard writes with tensorboardX, not installed: pip install tensorboardX"
        ) from None
    return tensorboardX


def _plain(value: Any) -> Any:
    """Arrays in the place of tensors, also in lists, tuples and dicts."""
    if isinstance(value, Tensor):
        return value.detach().numpy()  # type: ignore[attr-defined]
    if type(value) in (list, tuple):
        return type(value)(_plain(each) for each in value)
    if type(value) is dict:
        return {key: _plain(each) for key, each in value.items()}
    return value


class SummaryWriter:
    """Writes scalars, histograms, images, text … to a folder that TensorBoard shows (tensorboardX's SummaryWriter).

    Raises:
        ImportError: tensorboardX is not installed.
        NotImplementedError: ``add_graph`` and ``add_onnx_graph``, which need TorchScript.
    """

    def __init__(
        self,
        log_dir: Any = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: int = 120,
        filename_suffix: str = "",
    ):
        self._writer = _package().SummaryWriter(
            log_dir,
            comment=comment,
            purge_step=purge_step,
            max_queue=max_queue,
            flush_secs=flush_secs,
            filename_suffix=filename_suffix,
        )

    @property
    def log_dir(self) -> str:
        """The folder."""
        return self._writer.logdir

    def get_logdir(self) -> str:
        """The folder."""
        return self._writer.logdir

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in ("add_graph", "add_onnx_graph"):
            raise NotImplementedError(
                f"SummaryWriter.{name} needs TorchScript's graph; pytreemod.show_functional shows a program as text, "
                "which add_text writes"
            )
        method = getattr(self._writer, name)
        if not name.startswith("add_"):
            return method

        def add(*args: Any, **kwargs: Any) -> Any:
            return method(*_plain(args), **_plain(kwargs))

        return add

    def __enter__(self) -> SummaryWriter:
        return self

    def __exit__(self, *_: Any) -> None:
        self._writer.close()


def __getattr__(name: str) -> Any:
    if name in ("FileWriter", "RecordWriter"):
        return getattr(_package(), name)
    raise AttributeError(f"module 'torch.utils.tensorboard' has no attribute '{name}'")
