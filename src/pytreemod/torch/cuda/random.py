"""Seeds of a GPU: there is no second stream of random numbers, whatever JAX computes on.

Without a GPU, seeding does nothing and reading raises, as in PyTorch's CPU build. With one, they are those of the
default generator: a tensor on the device draws from the same stream as any other.
"""

from __future__ import annotations

from typing import Any

from pytreemod.torch import random
from pytreemod.torch.backend import accelerator_type
from pytreemod.torch.cuda.properties import needed


def manual_seed(seed: int) -> None:
    """Seed the default generator, if JAX computes on a GPU."""
    if accelerator_type() == "cuda":
        random.manual_seed(seed)


def seed() -> None:
    """Seed the default generator with a number that nobody knows, if JAX computes on a GPU."""
    if accelerator_type() == "cuda":
        random.seed()


manual_seed_all, seed_all = manual_seed, seed


def initial_seed() -> int:
    """The seed of the default generator.

    Raises:
        AssertionError: JAX does not compute on a GPU.
    """
    needed()
    return random.initial_seed()


def get_rng_state(device: Any = "cuda") -> Any:
    """The state of the default generator.

    Raises:
        AssertionError: JAX does not compute on a GPU.
    """
    needed()
    return random.get_rng_state()


def set_rng_state(new_state: Any, device: Any = "cuda") -> None:
    """Set the state of the default generator, if JAX computes on a GPU."""
    if accelerator_type() == "cuda":
        random.set_rng_state(new_state)


def get_rng_state_all() -> list:
    """The states of all GPUs: one or none."""
    return [random.get_rng_state()] if accelerator_type() == "cuda" else []


def set_rng_state_all(new_states: Any) -> None:
    """Set what ``get_rng_state_all`` gave."""
    for state in new_states:
        set_rng_state(state)
