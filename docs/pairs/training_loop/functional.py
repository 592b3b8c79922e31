"""Training a small network on minibatches, and judging it, on the functional face."""

# [show]
import jax
import jax.numpy as jnp
import pytreemod as ptm
from pytreemod import nn
from pytreemod.rng import HostStream

x = jnp.linspace(-1, 1, 64).reshape(64, 1)
y = jnp.sin(3 * x)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(1, 16)
        self.fc2 = nn.Linear(16, 1)

    def forward(self, x):
        return self.fc2(jnp.tanh(self.fc1(x)))


key = HostStream(0)  # or jax.random.key(0)
net = ptm.init(Net, key=key)
opt = ptm.optim.adam(lr=0.05)
state = opt.init(net)


@jax.value_and_grad
def loss_grad(net, x, y):
    return ((net(x) - y) ** 2).mean()


@jax.jit
def step(net, state, x, y):
    loss, grad = loss_grad(net, x, y)
    grad, state = opt.update(grad, state, net)
    net = ptm.apply_updates(net, grad)
    return net, state, loss


for epoch in range(20):
    for i in range(0, 64, 16):
        b = slice(i, i + 16)
        net, state, loss = step(
            net, state, x[b], y[b]
        )

net = net.eval()
error = ((net(x) - y) ** 2).mean()
print(f"error {error:.4f}")
# [/show]

RESULT = {
    "loss": float(loss),
    "error": float(error),
}
