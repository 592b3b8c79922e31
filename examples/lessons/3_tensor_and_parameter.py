"""Lesson 3. Tensor and parameter side by side: what a module sees.

Run: python examples/lessons/3_tensor_and_parameter.py [--impl pytreemod]
"""

from _torch import raises, torch

nn = torch.nn
torch.manual_seed(0)

print("3.1 Two lines that look alike")
t = torch.randn(3, 3, requires_grad=True)
p = nn.Parameter(torch.randn(3, 3))
rows = {
    "isinstance(_, torch.Tensor)": lambda v: isinstance(v, torch.Tensor),
    "isinstance(_, nn.Parameter)": lambda v: isinstance(v, nn.Parameter),
    "requires_grad": lambda v: v.requires_grad,
    "is_leaf": lambda v: v.is_leaf,
    "hasattr(_, '_is_param')": lambda v: hasattr(v, "_is_param"),
}
print(f"  {'':<28} {'tensor':<8} parameter")
for name, ask in rows.items():
    print(f"  {name:<28} {ask(t)!s:<8} {ask(p)}")
print(
    "  unless you say so, requires_grad is",
    torch.randn(1).requires_grad,
    "and",
    nn.Parameter(torch.randn(1)).requires_grad,
)
print("  isinstance is the test; there is no hidden flag on an ordinary parameter")

print("3.2 A module registers the parameter and lets the tensor be an attribute")


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w_param = nn.Parameter(torch.randn(3, 3))
        self.w_tensor = torch.randn(3, 3, requires_grad=True)
        self.register_buffer("running", torch.zeros(3))


net = Net()
print("  parameters():", [name for name, _ in net.named_parameters()])
print("  buffers():   ", [name for name, _ in net.named_buffers()])
print("  state_dict():", list(net.state_dict()))
print("  the tensor is in __dict__:", "w_tensor" in net.__dict__)

print("3.3 So an optimizer made from net.parameters() trains one of them")
optimizer = torch.optim.SGD(net.parameters(), lr=0.5)
before = net.w_param.detach().clone(), net.w_tensor.detach().clone()
(net.w_param.sum() + net.w_tensor.sum()).backward()
optimizer.step()
moved = before[0] - net.w_param.detach(), before[1] - net.w_tensor.detach()
print(f"  w_param moved by {moved[0][0, 0].item():.4f}")
print(f"  w_tensor moved by {moved[1][0, 0].item():.4f}, with a gradient of {net.w_tensor.grad[0, 0].item()}")

print("3.4 Registration happens at the assignment, and is strict")


class Early(nn.Module):
    def __init__(self):
        self.w = nn.Parameter(torch.zeros(1))


def overwrite():
    net.w_param = torch.zeros(3, 3)


raises("cannot assign parameters before Module.__init__() call", Early)
raises("cannot assign", overwrite)
net.w_param = nn.Parameter(torch.ones(2))
print("  another parameter may take its place:", tuple(net.w_param.shape))

print("3.5 A parameter that is not trained is still a parameter")
net.w_param.requires_grad_(False)
print("  listed:", [(name, p.requires_grad) for name, p in net.named_parameters()])
