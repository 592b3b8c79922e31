"""The switches that a thread carries: is gradient recorded, is a program being captured, what is pending."""

import threading
from typing import Any

from pytreemod.torch.tape.trail import Trail


class Modes(threading.local):
    """State of the stateful face in one thread."""

    grad: bool = True  # record what gradients need
    inference: bool = False
    anomaly: bool = False  # remember the line of every recorded operation
    autocast: Any = None  # casts the arguments of calls, within torch.autocast
    capture: Any = None  # the Capture in progress, under torch.compile
    tracing: bool = False  # an example runs, for torch.jit.trace
    mutable: bool = False  # what forward used may change in place before backward
    hooks_disabled: str | None = None  # what hooks on saved tensors raise

    def __init__(self) -> None:
        self.trail = Trail()
        self.backwards: list = []  # weak references to gradients that were asked for and not yet computed
        self.updated: list = []  # weak references to cells that hold a value not yet computed
        self.finishing: list = []  # pairs to call when the backward going on is done: one if it succeeded, one if not


modes = Modes()
autocasting = [False]  # whether any thread ever was within torch.autocast
