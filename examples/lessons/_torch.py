"""The library named ``torch`` in a lesson: PyTorch, or with ``--impl pytreemod`` the stateful face."""

import importlib
import sys

torch = importlib.import_module("pytreemod.torch" if "pytreemod" in sys.argv[1:] else "torch")


def raises(phrase, action):
    """Run ``action``, which must raise; print the type and the phrase of the message that matters."""
    try:
        action()
    except Exception as error:
        found = phrase if phrase in str(error) else f"(another message) {error}"
        print(f"  {type(error).__name__}: {found}")
    else:
        print(f"  nothing was raised, expected: {phrase}")
