"""What a program sets about the machine, and names that PyTorch keeps for old programs, against PyTorch."""

import pytest
import torch

import pytreemod.torch as ptt


def debug_modes(t):
    seen = []
    for mode in (1, 2, "default", "warn", "error", 0):
        t.set_deterministic_debug_mode(mode)
        asked = t.are_deterministic_algorithms_enabled(), t.is_deterministic_algorithms_warn_only_enabled()
        seen.append([t.get_deterministic_debug_mode(), *asked])
    t.use_deterministic_algorithms(True, warn_only=True)
    seen.append(t.get_deterministic_debug_mode())
    t.use_deterministic_algorithms(False)
    return seen


def warnings_always(t):
    before = t.is_warn_always_enabled()
    t.set_warn_always(True)
    after = t.is_warn_always_enabled()
    t.set_warn_always(False)
    return before, after, t.init_num_threads(), t.compiled_with_cxx11_abi(), t.get_num_interop_threads() > 0


def resized(t):
    x = t.arange(6.0)
    return x.resize(2, 3), x.resize_as(t.ones(1, 6)), t.from_dlpack(t.to_dlpack(x))


def close(t):
    x = t.ones(2)
    return t.testing.assert_allclose(x, [1.0, 1.00005]), t.testing.assert_allclose(x.double(), x, rtol=0, atol=0)


@pytest.mark.parametrize("case", [debug_modes, warnings_always, resized, close], ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


@pytest.mark.parametrize(
    "case, phrase",
    [
        (lambda t: t.set_warn_always(1), "expects a bool, but got int"),
        (lambda t: t.set_deterministic_debug_mode("x"), "expected one of `default`, `warn`, `error`, but got x"),
        (lambda t: t.set_deterministic_debug_mode(5), "expected 0, 1, or 2, but got 5"),
        (lambda t: t.set_deterministic_debug_mode(2.0), "debug_mode must be str or int"),
        (lambda t: t.set_num_interop_threads(0), "expects a positive integer"),
        (lambda t: t.ones(3).resize(2), "requested resize to 2 (2 elements in total)"),
        (lambda t: t.ones(3).reinforce(1), "reinforce() was removed"),
        (lambda t: t.ones(3).record_stream(None), "unknown parameter type"),
        (lambda t: t.testing.assert_allclose(t.ones(2), [1.0, 1.0003]), "Tensor-likes are not close"),
        (lambda t: t.testing.assert_allclose(t.ones(2).double(), [1.0, 1.00005]), "Tensor-likes are not close"),
    ],
)
def test_refused_as_in_pytorch(refuse, case, phrase):
    refuse(case, phrase)


def test_settings_do_not_reach_pytorch():
    ptt.set_num_interop_threads(3)
    assert ptt.get_num_interop_threads() == 3 and ptt.get_num_threads() != -1
    assert not torch.is_warn_always_enabled()
