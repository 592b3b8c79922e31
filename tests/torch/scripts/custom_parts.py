"""Functions with their own backward, user-made layers with buffers, hooks, and containers."""

import math
from collections import OrderedDict, defaultdict

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.autograd import Function
from torch.nn.parameter import Parameter


class SignSTE(Function):
    @staticmethod
    def forward(ctx, input):
        ctx.save_for_backward(input)
        return input.sign()

    @staticmethod
    def backward(ctx, grad_output):
        (input,) = ctx.saved_tensors
        grad_input = grad_output.clone()
        grad_input[input.abs() > 1.5] = 0
        return grad_input


class LinearFunction(Function):
    @staticmethod
    def forward(ctx, input, weight, bias=None):
        ctx.save_for_backward(input, weight, bias)
        output = input.mm(weight.t())
        if bias is not None:
            output += bias.unsqueeze(0).expand_as(output)
        return output

    @staticmethod
    def backward(ctx, grad_output):
        input, weight, bias = ctx.saved_tensors
        grad_input = grad_weight = grad_bias = None
        if ctx.needs_input_grad[0]:
            grad_input = grad_output.mm(weight)
        if ctx.needs_input_grad[1]:
            grad_weight = grad_output.t().mm(input)
        if bias is not None and ctx.needs_input_grad[2]:
            grad_bias = grad_output.sum(0)
        return grad_input, grad_weight, grad_bias


class MyLinear(nn.Module):
    __constants__ = ["in_features", "out_features"]
    in_features: int

    def __init__(self, in_features, out_features, bias=True):
        super().__init__()
        self.in_features = in_features
        self.out_features = out_features
        self.weight = Parameter(torch.Tensor(out_features, in_features))
        if bias:
            self.bias = Parameter(torch.Tensor(out_features))
        else:
            self.register_parameter("bias", None)
        self.reset_parameters()

    def reset_parameters(self):
        stdv = 1.0 / math.sqrt(self.weight.size(1))
        self.weight.data.uniform_(-stdv, stdv)
        if self.bias is not None:
            self.bias.data.uniform_(-stdv, stdv)

    def forward(self, input):
        return LinearFunction.apply(input, self.weight, self.bias)

    def extra_repr(self):
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class RunningNorm(nn.Module):
    def __init__(self, dim):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("count", torch.tensor(0.0))
        self.register_buffer("scratch", torch.zeros(1), persistent=False)

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                self.count += 1
                self.mean += (x.mean(0) - self.mean) / self.count
        return (x - self.mean) / torch.sqrt(x.var(0, unbiased=False).detach() + 1e-5) * self.gamma + self.beta


class Net(nn.Module):
    def __init__(self, width=12, depth=3):
        super().__init__()
        self.layers = nn.ModuleList([MyLinear(8 if i == 0 else width, width) for i in range(depth)])
        self.norms = nn.ModuleList(RunningNorm(width) for _ in range(depth))
        self.heads = nn.ModuleDict({"cls": nn.Linear(width, 4), "reg": nn.Linear(width, 1)})
        self.scales = nn.ParameterList([nn.Parameter(torch.tensor(1.0)) for _ in range(depth)])
        self.stem = nn.Sequential(OrderedDict([("drop", nn.Dropout(p=0.1)), ("id", nn.Identity())]))

    def forward(self, x):
        x = self.stem(x)
        for i, (layer, norm) in enumerate(zip(self.layers, self.norms, strict=False)):
            h = norm(layer(x)) * self.scales[i]
            h = SignSTE.apply(h) if i == 1 else torch.relu(h)
            x = h if x.shape[-1] != h.shape[-1] else x + h
        return self.heads["cls"](x), self.heads["reg"](x).squeeze(-1)


torch.manual_seed(11)
np.random.seed(1)
X = torch.from_numpy(np.random.randn(320, 8)).float()
y = torch.from_numpy(np.random.randint(0, 4, size=(320,))).long()
t = torch.sin(X).sum(dim=1)
net = Net()
print(net)
activations = defaultdict(list)


def get_activation(name):
    def hook(module, input, output):
        activations[name].append(output.detach().abs().mean().item())

    return hook


handles = [m.register_forward_hook(get_activation(n)) for n, m in net.named_modules() if isinstance(m, RunningNorm)]
grads = {}
net.layers[0].weight.register_hook(lambda g: grads.__setitem__("first", g.norm().item()))
optimizer = torch.optim.Adam(net.parameters(), lr=5e-3)
for step in range(24):
    i = (step * 32) % 320
    xb, yb, tb = X[i : i + 32], y[i : i + 32], t[i : i + 32]
    logits, value = net(xb)
    loss_cls = F.cross_entropy(logits, yb)
    loss_reg = F.smooth_l1_loss(value, tb)
    l2 = sum(p.pow(2).sum() for p in net.parameters())
    loss = loss_cls + 0.5 * loss_reg + 1e-3 * l2
    optimizer.zero_grad()
    loss.backward()
    torch.nn.utils.clip_grad_value_(net.parameters(), 0.5)
    optimizer.step()
    print(
        "%d %.6f %.6f %.6f act %.5f grad %.5f"  # noqa: UP031
        % (step, loss.item(), loss_cls.item(), loss_reg.item(), activations["norms.2"][-1], grads["first"])
    )
for h in handles:
    h.remove()
print(sorted(net.state_dict().keys()))
print(f"{net.norms[0].count.item():.4f}", [f"{s.item():.3f}" for s in net.scales])
