"""What the example programs share: which module plays ``torch``, and the command line."""

import argparse
import importlib
from collections.abc import Callable
from typing import Any

FACES = ("torch", "stateful", "compiled", "functional")


def torch_for(face: str) -> Any:
    """PyTorch itself, or the stateful face that stands in for it."""
    return importlib.import_module("torch" if face == "torch" else "pytreemod.torch")


def main(run: Callable[[str, int, int], list[float]], steps: int = 200) -> None:
    """Run one example from the command line and print some of its losses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--face", choices=FACES, default="stateful")
    parser.add_argument("--steps", type=int, default=steps)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    losses = run(options.face, options.steps, options.seed)
    shown = max(1, options.steps // 10)
    for i, loss in enumerate(losses, start=1):
        if i % shown == 0 or i in (1, options.steps):
            print(f"step {i:5d}  loss {loss:.6f}")
