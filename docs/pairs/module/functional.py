"""A module with a parameter, a layer and a buffer, on the functional face."""

# [show]
import jax.numpy as jnp
import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream


class Scaled(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.fc = nn.Linear(size, 2)
        self.scale = nn.Parameter(jnp.ones(2))
        seen = jnp.zeros(())
        self.register_buffer("seen", seen)

    def forward(self, x):
        self.seen = self.seen + 1
        return self.fc(x) * self.scale


key = HostStream(0)  # or jax.random.key(0)
model = ptm.init(Scaled, 3, key=key)
y, model = ptm.call(model, jnp.ones((1, 3)))

for name, p in model.named_parameters():
    print(f"{name:10} {tuple(p.shape)}")
print("seen", int(model.seen))
# [/show]

RESULT = {
    "y": y.tolist(),
    "seen": int(model.seen),
}
