"""A module with a parameter, a layer and a buffer, in PyTorch."""

# [show]
import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self, size):
        super().__init__()
        self.fc = nn.Linear(size, 2)
        self.scale = nn.Parameter(torch.ones(2))
        seen = torch.zeros(())
        self.register_buffer("seen", seen)

    def forward(self, x):
        self.seen = self.seen + 1
        return self.fc(x) * self.scale


torch.manual_seed(0)
model = Scaled(3)
y = model(torch.ones(1, 3))

for name, p in model.named_parameters():
    print(f"{name:10} {tuple(p.shape)}")
print("seen", int(model.seen))
# [/show]

RESULT = {
    "y": y.tolist(),
    "seen": int(model.seen),
}
