"""``torch.version``: the PyTorch whose behaviour this is, and what it was not built with."""

__version__ = "2.13.0"
cuda = hip = rocm = xpu = None
debug = False
git_version = ""
