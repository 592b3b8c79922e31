"""Fitting a line by gradient descent, on the functional face."""

# [show]
import jax
import jax.numpy as jnp
import pytreemod as ptm

x = jnp.linspace(-1, 1, 16)
y = 2 * x + 1

w = {"w": jnp.zeros(()), "b": jnp.zeros(())}
opt = ptm.optim.sgd(lr=0.3)
state = opt.init(w)


def loss_of(w):
    guess = w["w"] * x + w["b"]
    return ((guess - y) ** 2).mean()


@jax.jit
def step(w, state):
    loss, grad = jax.value_and_grad(loss_of)(w)
    updates, state = opt.update(grad, state, w)
    w = ptm.apply_updates(w, updates)
    return w, state, loss


for _ in range(20):
    w, state, loss = step(w, state)

print(f"w={w['w']:.4f} b={w['b']:.4f}")
# [/show]

RESULT = {
    "w": float(w["w"]),
    "b": float(w["b"]),
    "loss": float(loss),
}
