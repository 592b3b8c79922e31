"""Lesson 2. What a tensor holds: an array, and its place in a calculation.

Run: python examples/lessons/2_tensor.py [--impl pytreemod]
"""

import warnings

from _torch import raises, torch

torch.manual_seed(0)
x = torch.randn(2, 3, requires_grad=True)

print("2.1 The array: shape, type, place, arrangement")
print("  shape:", x.shape, " size():", x.size(), " size(1):", x.size(1))
print("  dtype:", x.dtype, " device:", x.device, " layout:", x.layout)
print("  dim():", x.dim(), " ndimension():", x.ndimension(), " numel():", x.numel())
print("  stride():", x.stride(), " is_contiguous():", x.is_contiguous())
t = x.detach().t()
print("  transposed: shape", tuple(t.shape), "stride", t.stride(), "contiguous", t.is_contiguous())

print("2.2 The calculation: y remembers how it was made, x was made by hand")
y = x * 2 + 1
print("  x  is_leaf:", x.is_leaf, " grad_fn:", x.grad_fn, " requires_grad:", x.requires_grad)
print("  y  is_leaf:", y.is_leaf, " grad_fn:", y.grad_fn, " requires_grad:", y.requires_grad)
print(y)

print("2.3 The way back from y: one node for each operation, down to the leaf")
node = y.grad_fn
while node is not None:
    print("  ", type(node).__name__)
    last, node = node, next((f for f, _ in node.next_functions if f is not None), None)
print("  the last one holds x itself:", last.variable is x)

print("2.4 backward() fills .grad of leaves")
y.sum().backward()
print(x.grad)

print("2.5 ... and only of leaves, unless you ask for it beforehand")
y = x * 2
y.sum().backward()
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    print("  y.grad:", y.grad)
print("  warned:", any("not a leaf Tensor" in str(w.message) for w in caught))
y = x * 2
y.retain_grad()
(y * y).sum().backward()
print("  with retain_grad():", torch.allclose(y.grad, 2 * y))

print("2.6 A second backward needs the first one's values, which were let go")
loss = (x * x).sum()
loss.backward()
raises("Trying to backward through the graph a second time", loss.backward)
loss = (x * x).sum()
x.grad = None
loss.backward(retain_graph=True)
loss.backward()
print("  with retain_graph=True both count:", torch.allclose(x.grad, 4 * x))

print("2.7 backward() starts from one number, or from a gradient that you give")
raises("grad can be implicitly created only for scalar outputs", lambda: (x * 2).backward())
x.grad = None
(x * 2).backward(torch.ones(2, 3))
print("  given ones:", x.grad.tolist())
raises("does not require grad", lambda: torch.ones(3).sum().backward())

print("2.8 Leaving the calculation")
raises("Can't call numpy() on Tensor that requires grad", x.numpy)
print("  detach().numpy():", x.detach().numpy().shape)
with torch.no_grad():
    print("  under no_grad:", (x * 2).requires_grad)
print("  detached:", (x * 2).detach().requires_grad, " as a number:", f"{x.sum().item():.4f}")

print("2.9 What cannot have a gradient says so")
raises("floating point", lambda: torch.tensor([1, 2], requires_grad=True))
raises("you can only change requires_grad flags of leaf variables", lambda: (x * 2).requires_grad_(False))
raises("Boolean value of Tensor with more than one value is ambiguous", lambda: bool(x))
