"""The name that users of PyTorch expect for ``pytreemod.functional``."""

from pytreemod.functional import *  # noqa: F403
from pytreemod.functional import __all__ as __all__
