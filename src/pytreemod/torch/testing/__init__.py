"""``torch.testing``: comparing results, and tensors to try functions on."""

from pytreemod.torch.testing.close import assert_allclose, assert_close
from pytreemod.torch.testing.making import make_tensor

__all__ = ["assert_allclose", "assert_close", "make_tensor"]
