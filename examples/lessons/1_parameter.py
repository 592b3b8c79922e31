"""Lesson 1. What a parameter is: a tensor that says "train me".

Run: python examples/lessons/1_parameter.py [--impl pytreemod]
"""

from _torch import raises, torch

nn = torch.nn

print("1.1 A parameter is a tensor, and prints its name")
torch.manual_seed(0)
p = nn.Parameter(torch.randn(3, 4))
print(p)
print("  is a Tensor:", isinstance(p, torch.Tensor))

print("1.2 Its fields, before anything has happened")
print("  shape:", p.shape, " dtype:", p.dtype, " device:", p.device)
print("  grad:", p.grad)
print("  requires_grad:", p.requires_grad)
print("  is_leaf:", p.is_leaf)
print("  grad_fn:", p.grad_fn)

print("1.3 .data is the same numbers without the wish for a gradient")
print("  p.data.requires_grad:", p.data.requires_grad)
print("  equal to p:", torch.equal(p.data, p))
print("  a new object at each reading:", p.data is not p.data)
p.data[0, 0] = 7.0
print("  writing to it writes to p:", p[0, 0].item())

print("1.4 .grad appears at the first backward, and later backwards add to it")
w = nn.Parameter(torch.tensor([1.0, 1.0]))
(w * 2).sum().backward()
first = w.grad
print("  after one: ", w.grad)
(w * 2).sum().backward()
print("  after two: ", w.grad, " same object:", first is w.grad)

print("1.5 The mark does not spread: what you compute from a parameter is a plain tensor")
y = w * 2
print("  type:", type(y).__name__, " is_leaf:", y.is_leaf, " requires_grad:", y.requires_grad)

print("1.6 requires_grad=True is a default, not a law")
frozen = nn.Parameter(torch.tensor([1.0]), requires_grad=False)
print("  asked for False:", frozen.requires_grad)
raises("floating point", lambda: nn.Parameter(torch.tensor([1, 2])))
whole = nn.Parameter(torch.tensor([1, 2]), requires_grad=False)
print("  whole numbers can be a parameter that is not trained:", whole.dtype)

print("1.7 Made from the result of a calculation, it begins anew: the history is cut")
x = torch.ones(2, requires_grad=True)
cut = nn.Parameter(x * 3)
print("  is_leaf:", cut.is_leaf, " grad_fn:", cut.grad_fn)

print("1.8 You could do without: an optimizer takes any leaf tensor")
plain = torch.tensor([1.0, 1.0], requires_grad=True)
optimizer = torch.optim.SGD([plain], lr=0.1)
plain.sum().backward()
optimizer.step()
print(" ", plain)
