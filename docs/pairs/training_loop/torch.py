"""Training a small network on minibatches, and judging it, in PyTorch."""

# [show]
import torch
from torch import nn
from torch.utils import data

x = torch.linspace(-1, 1, 64).reshape(64, 1)
y = (3 * x).sin()
pairs = data.TensorDataset(x, y)
loader = data.DataLoader(pairs, batch_size=16)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(1, 16)
        self.fc2 = nn.Linear(16, 1)

    def forward(self, x):
        return self.fc2(self.fc1(x).tanh())


torch.manual_seed(0)
net = Net()
adam = torch.optim.Adam
opt = adam(net.parameters(), lr=0.05)

for epoch in range(20):
    for xb, yb in loader:
        opt.zero_grad()
        loss = ((net(xb) - yb) ** 2).mean()
        loss.backward()
        opt.step()

net.eval()
with torch.no_grad():
    error = ((net(x) - y) ** 2).mean()
print(f"error {error.item():.4f}")
# [/show]

RESULT = {
    "loss": loss.item(),
    "error": error.item(),
}
