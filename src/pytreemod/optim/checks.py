"""Which values of an option make sense. Each message opens with PyTorch's words and adds ours."""

import jax

_PHRASES = {
    "lr": "learning rate",
    "eps": "epsilon value",
    "momentum": "momentum value",
    "weight_decay": "weight_decay value",
    "alpha": "alpha value",
    "lr_decay": "lr_decay value",
    "momentum_decay": "momentum_decay value",
    "initial_accumulator_value": "initial_accumulator_value value",
}


def known(value) -> bool:
    """Whether the number can be looked at now (neither traced nor a schedule)."""
    return not callable(value) and not isinstance(value, jax.core.Tracer)


def not_negative(rule: str, name: str, value) -> None:
    """Raises ValueError for a number that is negative or NaN, TypeError for what is no number."""
    if callable(value) and name != "lr":
        raise TypeError(f"{rule}: expected {name} to be a number, got {value!r}. Only lr may be a schedule")
    if not known(value):
        return
    try:
        fine = bool(value >= 0)
    except (TypeError, ValueError):
        raise TypeError(f"{rule}: expected {name} to be a number, got {value!r}") from None
    if not fine:
        raise ValueError(f"Invalid {_PHRASES.get(name, name)}: {value} ({rule}: expected {name} >= 0)")


def betas(rule: str, value) -> None:
    """Raises ValueError unless ``value`` is a pair of numbers in [0, 1)."""
    if not isinstance(value, (tuple, list)) or len(value) != 2:
        raise ValueError(f"{rule}: expected betas=(beta1, beta2), got {value!r}")
    for index, beta in enumerate(value):
        if known(beta) and not 0 <= beta < 1:
            raise ValueError(
                f"Invalid beta parameter at index {index}: {beta} ({rule}: expected 0 <= betas[{index}] < 1)"
            )


def rho(rule: str, value) -> None:
    """Raises ValueError unless 0 <= rho <= 1."""
    if known(value) and not 0 <= value <= 1:
        raise ValueError(f"Invalid rho value: {value} ({rule}: expected 0 <= rho <= 1)")


def etas(rule: str, value) -> None:
    """Raises ValueError unless 0 < etas[0] < 1 < etas[1]."""
    low, high = value
    if known(low) and known(high) and not 0 < low < 1 < high:
        raise ValueError(f"Invalid eta values: {low}, {high} ({rule}: expected 0 < etas[0] < 1 < etas[1])")


_SPECIAL = {"betas": betas, "rho": rho, "etas": etas}


def check(rule: str, numbers: dict, free: tuple[str, ...] = ()) -> None:
    """Check every number of a rule by its name, but those in ``free``. Traced numbers and schedules pass."""
    for name, value in numbers.items():
        if name in free:
            continue
        if name in _SPECIAL:
            _SPECIAL[name](rule, value)
        else:
            not_negative(rule, name, value)
