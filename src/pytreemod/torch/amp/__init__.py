"""``torch.amp``: lower precision where it is enough, and scaled gradients."""

from pytreemod.torch.amp.autocast_mode import autocast, custom_bwd, custom_fwd, is_autocast_available
from pytreemod.torch.amp.grad_scaler import GradScaler

__all__ = ["GradScaler", "autocast", "custom_bwd", "custom_fwd", "is_autocast_available"]
