"""Comparing what both libraries say: values, texts and refusals."""

import pytest
import torch

import pytreemod.torch as ptt


def outcome(function, library):
    """The repr of a result, or the type and text of the exception, with the library's own names taken out."""
    try:
        text = repr(function(library))
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
    return text.replace("pytreemod.torch.", "torch.")


@pytest.fixture
def same():
    """``same(f)``: ``f(torch)`` gives the same text, or raises the same error, in both libraries."""

    def check(function):
        assert outcome(function, ptt) == outcome(function, torch)

    return check
