"""Fitting a line by gradient descent, on the stateful face."""

# [show]
import pytreemod.torch as torch

x = torch.linspace(-1, 1, 16)
y = 2 * x + 1

w = torch.zeros((), requires_grad=True)
b = torch.zeros((), requires_grad=True)
opt = torch.optim.SGD([w, b], lr=0.3)

for step in range(20):
    opt.zero_grad()
    loss = ((w * x + b - y) ** 2).mean()
    loss.backward()
    opt.step()

print(f"w={w.item():.4f} b={b.item():.4f}")
# [/show]

RESULT = {
    "w": w.item(),
    "b": b.item(),
    "loss": loss.item(),
}
