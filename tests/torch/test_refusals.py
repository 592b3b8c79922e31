"""Arguments that do not fit: each line of ``misuse.txt`` is refused with PyTorch's type and words, at the call.

After ``##`` a line names the key phrase; without one it is the first line of PyTorch's message.
"""

from pathlib import Path

import pytest
import torch

import pytreemod.torch as ptt
from pytreemod.torch.record import call
from pytreemod.torch.refusals import refusal
from pytreemod.torch.tape.value import Op

MISUSE = Path(__file__).with_name("misuse.txt").read_text().splitlines()


def caught(line, t):
    with pytest.raises(Exception) as error:
        eval(line, {"t": t})
    return error.value


@pytest.mark.parametrize("line", MISUSE)
def test_misuse_is_refused_in_pytorchs_words(line):
    expression, _, phrase = line.partition("  ## ")
    theirs, ours = caught(expression, torch), caught(expression, ptt)
    phrase = (phrase or str(theirs).splitlines()[0]).rstrip(".")
    assert phrase in str(theirs)
    assert phrase in str(ours), str(ours)
    assert isinstance(ours, type(theirs)), type(ours)


@pytest.mark.parametrize("grad", [False, True])
def test_it_is_refused_at_the_call_also_where_the_values_are_pending(refuse, grad):
    def multiplied(t):
        x = t.ones(2, 3).requires_grad_(grad) * 2
        x @ (x + 1)

    refuse(multiplied, "mat1 and mat2 shapes cannot be multiplied (2x3 and 2x3)")


def test_what_jax_refuses_names_the_operation_and_its_arguments():
    def added(x, y):
        return x + y

    with pytest.raises(RuntimeError, match=r"added: the arguments .* got \[2, 3\] of float32, \[5\] of int64") as error:
        call(Op(added), (ptt.ones(2, 3), ptt.arange(5)))
    assert isinstance(error.value.__cause__, ValueError)


def test_what_was_worded_here_stays_as_it_is():
    def worded(x):
        raise ValueError("worded: expected nothing")

    with pytest.raises(ValueError, match="^worded: expected nothing"):
        call(Op(worded), (ptt.ones(2),))
    with pytest.raises(TypeError, match="missing 1 required positional argument"):
        call(Op(lambda x, y: x), (ptt.ones(2),))
    other = KeyError("of another kind")
    assert refusal("any", (), other) is other


def test_every_operand_is_named():
    with pytest.raises(RuntimeError, match=r"shapes \[2, 3\] and \[4\]"):
        ptt.where(ptt.ones(2, 3) > 0, ptt.ones(3), ptt.ones(4))
