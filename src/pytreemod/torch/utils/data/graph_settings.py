"""Settings of all pipes that a pipe reads: ``torch.utils.data.graph_settings``."""

from __future__ import annotations

import inspect
import warnings
from typing import Any

from pytreemod.torch.utils.data import _tensors
from pytreemod.torch.utils.data.datapipes.iter.ordering import ShufflerIterDataPipe
from pytreemod.torch.utils.data.datapipes.iter.sharding import SHARDING_PRIORITIES
from pytreemod.torch.utils.data.graph import traverse_dps

__all__ = ["apply_random_seed", "apply_sharding", "apply_shuffle_settings", "get_all_graph_pipes"]


def get_all_graph_pipes(graph: dict) -> list:
    """The pipes of a graph, each once, a pipe before those it reads."""
    found: dict[int, Any] = {}

    def visit(graph: dict) -> None:
        for key, (pipe, inner) in graph.items():
            if key not in found:
                found[key] = pipe
                visit(inner)

    visit(graph)
    return list(found.values())


def _has(pipe: Any, *names: str) -> bool:
    return all(inspect.ismethod(getattr(pipe, name, None)) for name in names)


def apply_sharding(
    datapipe: Any, num_of_instances: int, instance_id: int, sharding_group: int = SHARDING_PRIORITIES.DEFAULT
) -> Any:
    """Tell every ``sharding_filter`` its share; gives the pipe.

    Raises:
        RuntimeError: one reads from another.
    """

    def visit(graph: dict, above: Any) -> None:
        for pipe, inner in graph.values():
            shares = _has(pipe, "apply_sharding")
            if shares:
                if above is not None:
                    raise RuntimeError(
                        "Sharding twice on a single pipeline is likely unintended and will cause data loss. "
                        f"Sharding already applied to {above} while trying to apply to {pipe}"
                    )
                takes_group = len(inspect.signature(pipe.apply_sharding).parameters) > 2
                group = {"sharding_group": sharding_group} if takes_group else {}
                pipe.apply_sharding(num_of_instances, instance_id, **group)
            visit(inner, pipe if shares else above)

    visit(traverse_dps(datapipe), None)
    return datapipe


def apply_shuffle_settings(datapipe: Any, shuffle: bool | None = None) -> Any:
    """Switch every shuffler on or off; gives the pipe, with a shuffler at its end if there was none to switch on."""
    if shuffle is None:
        return datapipe
    shufflers = [p for p in get_all_graph_pipes(traverse_dps(datapipe)) if _has(p, "set_shuffle", "set_seed")]
    if shuffle and not shufflers:
        warnings.warn(
            "`shuffle=True` was set, but the datapipe does not contain a `Shuffler`. Adding one at the end. "
            "Be aware that the default buffer size might not be sufficient for your task.",
            stacklevel=3,
        )
        return ShufflerIterDataPipe(datapipe)
    for pipe in shufflers:
        pipe.set_shuffle(shuffle)
    return datapipe


def apply_random_seed(datapipe: Any, rng: Any) -> Any:
    """Give every pipe with ``set_seed`` a seed drawn from the generator ``rng``; gives the pipe."""
    for pipe in get_all_graph_pipes(traverse_dps(datapipe)):
        if _has(pipe, "set_seed"):
            pipe.set_seed(_tensors.seed_draw(rng))
    return datapipe
