"""Lesson 4. Module, parameter, optimizer, gradient: four objects, and who writes to which.

Run: python examples/lessons/4_who_updates_what.py [--impl pytreemod]
"""

from _torch import raises, torch

nn = torch.nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(torch.ones(2))

    def forward(self, x):
        return (self.w * x).sum()


net = Net()
x = torch.tensor([3.0, 4.0])

print("4.1 The module holds the parameter under a name")
print("  in _parameters:", list(net._parameters), " the same object:", net._parameters["w"] is net.w)

print("4.2 The optimizer holds the same object, not a copy")
optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
held = optimizer.param_groups[0]["params"][0]
print("  param_groups[0]['params'][0] is net.w:", held is net.w)

print("4.3 backward() writes .grad; the value does not move")
net(x).backward()
print("  grad:", net.w.grad, " value:", net.w.tolist())

print("4.4 step() writes the value; the gradient stays where it is")
version = net.w._version
optimizer.step()
print("  value:", [round(v, 4) for v in net.w.tolist()], " grad:", net.w.grad.tolist())
print("  still the same object:", held is net.w, " version", version, "->", net.w._version)
print("  and still a leaf without history:", net.w.is_leaf, net.w.grad_fn)
state = optimizer.state[net.w]
print("  what it remembers, under the parameter as key:", {k: v.tolist() for k, v in state.items()})

print("4.5 zero_grad() takes the gradient away: None, not zeros")
optimizer.zero_grad()
print("  grad:", net.w.grad)
before = net.w.tolist()
optimizer.step()
print("  a step without a gradient changes nothing:", net.w.tolist() == before)
net(x).backward()
optimizer.zero_grad(set_to_none=False)
print("  asked for zeros:", net.w.grad)

print("4.6 Forgetting zero_grad() adds up")
optimizer.zero_grad()
for _ in range(3):
    net(x).backward()
print("  three backwards:", net.w.grad.tolist())

print("4.7 The references survive loading and changes of type")
net.load_state_dict({"w": torch.tensor([5.0, 6.0])})
print("  after load_state_dict:", held is net.w, net.w.tolist())
net.double()
print("  after double():", held is net.w, net.w.dtype)

print("4.8 parameters() is used up as it is read")
iterator = Net().parameters()
torch.optim.SGD(iterator, lr=0.1)
raises("optimizer got an empty parameter list", lambda: torch.optim.SGD(iterator, lr=0.1))
raises("params argument given to the optimizer should be an iterable", lambda: torch.optim.SGD(net.w, lr=0.1))
raises("can't optimize a non-leaf Tensor", lambda: torch.optim.SGD([net.w * 2], lr=0.1))

print("4.9 One parameter under two names counts once")
a, b = nn.Linear(2, 2), nn.Linear(2, 2)
b.weight = a.weight
tied = nn.ModuleDict({"a": a, "b": b})
print("  parameters():", [name for name, _ in tied.named_parameters()])
print("  state_dict():", list(tied.state_dict()))
