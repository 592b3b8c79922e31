"""``torch.utils.model_zoo``: the older names of ``torch.hub``. Loaded at first use."""

from pytreemod.torch.hub import load_state_dict_from_url as load_url

__all__ = ["load_url"]
