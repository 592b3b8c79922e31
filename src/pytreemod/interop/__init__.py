"""Files and other libraries."""

from pytreemod.interop.safetensors import load_safetensors, save_safetensors

__all__ = ["load_safetensors", "save_safetensors"]
