"""Lesson 5. Four ways to write "move the weight against its gradient".

Inner loss (w - 3)^2, outer loss (w - 5)^2, w = 1, rate 0.1.
Run: python examples/lessons/5_updates.py [--impl pytreemod]
"""

from _torch import raises, torch

nn = torch.nn
rate = 0.1


def inner(w):
    return (w - 3) ** 2


def outer(w):
    return (w - 5) ** 2


def weight():
    """A fresh weight with its gradient, and no trace of how it got it."""
    w = torch.tensor(1.0, requires_grad=True)
    inner(w).backward()
    return w


def nodes(t):
    """How many steps of calculation ``t`` can be followed back through."""
    seen, rest = set(), [t.grad_fn]
    while rest:
        node = rest.pop()
        if node is not None and node not in seen:
            seen.add(node)
            rest += [f for f, _ in node.next_functions]
    return len(seen)


def report(w):
    print(f"  w = {w.item():.4f}  leaf {w.is_leaf}  grad_fn {w.grad_fn}  version {w._version}")


print("5.0 A gradient is an ordinary tensor: no history unless you ask")
w = weight()
print("  grad:", w.grad, " requires_grad:", w.grad.requires_grad, " grad_fn:", w.grad.grad_fn)

print("5.1 In place, in the open: refused")


def in_the_open():
    w = weight()
    w -= rate * w.grad


raises("a leaf Variable that requires grad is being used in an in-place operation.", in_the_open)

print("5.2 Through .data: done, unseen by autograd, unchecked")
w = weight()
w.data -= rate * w.grad
report(w)

print("5.3 Under no_grad: done, unseen by autograd, and counted, so mistakes are found")
w = weight()
with torch.no_grad():
    w -= rate * w.grad
report(w)
w = weight()
loss = (w * w * w).sum()
with torch.no_grad():
    w -= rate * w.grad
raises("modified by an inplace operation", loss.backward)
with torch.no_grad():
    moved = w - rate * w.grad
print("  out of place it makes a new plain tensor:", type(moved).__name__, "requires_grad", moved.requires_grad)

print("5.4 Out of place, with a gradient that is itself a calculation: differentiable")
w = torch.tensor(1.0, requires_grad=True)
moved = w
for step in (1, 2, 3):
    # d(w-3)^2/dw, written as autograd writes it
    gradient = torch.tensor(1.0) * (2 * (moved - 3) ** 1)
    moved = moved - rate * gradient
    print(f"  step {step}: w = {moved.item():.4f}  leaf {moved.is_leaf}  nodes back to w: {nodes(moved)}")

print("5.5 Why it matters: the derivative of the outer loss with respect to the first w")
print("  by hand: 2 * (1.4 - 5) * (1 - 2 * 0.1) = -5.76")


def show(way, value):
    print(f"  {way:<46} {value.item():.2f}")


w = torch.tensor(1.0, requires_grad=True)
(g,) = torch.autograd.grad(inner(w), w, create_graph=True)
print("  with create_graph=True the gradient has a history:", g.requires_grad, g.grad_fn is not None)
outer(w - rate * g).backward()
show("create_graph=True", w.grad)

w = torch.tensor(1.0, requires_grad=True)
p = w.clone()
(g,) = torch.autograd.grad(inner(p), p, create_graph=True)
p.grad = g
torch.optim.SGD([p], lr=rate, differentiable=True).step()
outer(p).backward()
show("SGD(..., differentiable=True)", w.grad)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.tensor(1.0))

    def forward(self, target):
        return (self.w - target) ** 2


net = Net()
(g,) = torch.autograd.grad(net(3.0), net.w, create_graph=True)
torch.func.functional_call(net, {"w": net.w - rate * g}, (5.0,)).backward()
show("func.functional_call", net.w.grad)

meta = torch.func.grad(lambda w: outer(w - rate * torch.func.grad(inner)(w)))
show("func.grad of func.grad", meta(torch.tensor(1.0)))

w = torch.tensor(1.0, requires_grad=True)
(g,) = torch.autograd.grad(inner(w), w)
outer(w - rate * g).backward()
show("without create_graph (first order)", w.grad)

w = weight()
with torch.no_grad():
    w -= rate * w.grad
w.grad = None
outer(w).backward()
show("no_grad in place (gradient at the moved w)", w.grad)

w = weight()
with torch.no_grad():
    moved = w - rate * w.grad
print("  no_grad out of place: nothing leads back to w")
raises("does not require grad and does not have a grad_fn", lambda: outer(moved).backward())
