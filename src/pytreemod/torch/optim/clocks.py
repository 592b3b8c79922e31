"""Clocks, the scalars of a rule that no gradient touches: each parameter has one, and in lockstep they are one."""

from __future__ import annotations

from typing import Any

from pytreemod.torch.cell import Cell
from pytreemod.torch.tape.value import Value


def shared_clocks(optimizer: Any, params: list, holders: list, names: tuple) -> tuple[dict, tuple]:
    """The distinct clocks of the parameters. Parameters in lockstep share one, so it is counted once."""
    if not names:
        return {}, (0,) * len(params)
    groups: dict[tuple, int] = {}
    members, firsts = [], []
    for holder in holders:
        key = tuple(id(holder[n]._cell) for n in names)
        if key not in groups:
            groups[key] = len(groups)
            firsts.append(holder)
        members.append(groups[key])
    if len(firsts) > 1:
        _join(holders, members, firsts, names)
        groups_now = {}
        members = [groups_now.setdefault(id(h[names[0]]._cell), len(groups_now)) for h in holders]
        firsts = [holders[members.index(k)] for k in range(len(groups_now))]
    chosen = {id(p) for p in params}
    idle = {id(s[n]._cell) for p, s in optimizer.state.items() if id(p) not in chosen for n in names if n in s}
    idle |= {id(s[n]._cell) for p, s in optimizer._hidden.items() if id(p) not in chosen for n in names if n in s}
    for k, first in enumerate(firsts):
        for n in names:
            if id(first[n]._cell) in idle:  # somebody who rests shares the clock: it must not go on for them
                fresh = Cell(Value(first[n]._array(), first[n]._aval))
                for holder, member in zip(holders, members, strict=True):
                    if member == k:
                        holder[n]._cell = fresh
    return {n: [f[n] for f in firsts] for n in names}, tuple(members)


def _join(holders: list, members: list, firsts: list, names: tuple) -> None:
    """Let clocks that show the same time be one: as after the first step, or after loading a state."""
    if any(first[n]._read()[0].array is None for first in firsts for n in names):
        return
    times: dict[tuple, dict] = {}
    for first in firsts:
        times.setdefault(tuple(float(first[n]._array()) for n in names), first)
    for holder in holders:
        first = times[tuple(float(holder[n]._array()) for n in names)]
        for n in names:
            holder[n]._cell = first[n]._cell
