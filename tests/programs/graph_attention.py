"""Classifies the nodes of a random graph by attention over its edges, with scatter operations on an edge list."""

import torch
import torch.nn.functional as F
from torch import nn


def softmax_at(scores, index, count):
    """Softmax over the edges that end at the same node."""
    places = index.unsqueeze(-1).expand_as(scores)
    top = scores.new_full((count, scores.size(1)), float("-inf")).scatter_reduce(0, places, scores, reduce="amax")
    weights = (scores - top[index]).exp()
    return weights / torch.zeros_like(top).index_add(0, index, weights).clamp(min=1e-9)[index]


class GraphAttention(nn.Module):
    def __init__(self, inputs, outputs, heads):
        super().__init__()
        self.heads = heads
        self.lin = nn.Linear(inputs, heads * outputs, bias=False)
        self.source = nn.Parameter(torch.empty(1, heads, outputs))
        self.target = nn.Parameter(torch.empty(1, heads, outputs))
        self.reset_parameters()

    def reset_parameters(self):
        for p in self.parameters():
            nn.init.xavier_uniform_(p)

    def forward(self, x, edges):
        src, dst = edges
        h = self.lin(x).view(x.size(0), self.heads, -1)
        scores = (h * self.source).sum(-1)[src] + (h * self.target).sum(-1)[dst]
        weights = F.dropout(softmax_at(F.leaky_relu(scores, 0.2), dst, x.size(0)), 0.1, self.training)
        message = (h[src] * weights.unsqueeze(-1)).flatten(1)
        return x.new_zeros(x.size(0), message.size(1)).scatter_add_(0, dst[:, None].expand_as(message), message)

    def extra_repr(self):
        return f"heads={self.heads}"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList([GraphAttention(8, 8, 2), GraphAttention(16, 3, 1)])
        self.norm = nn.LayerNorm(16)

    def forward(self, x, edges):
        return self.convs[1](F.elu(self.norm(self.convs[0](x, edges))), edges)


torch.manual_seed(7)
labels = torch.arange(60) % 3
same = labels[:, None] == labels[None]
adjacency = torch.rand(60, 60) < torch.where(same, 0.2, 0.03)
adjacency = (adjacency | adjacency.T).fill_diagonal_(True)
edges = adjacency.nonzero(as_tuple=False).t().contiguous()
x = F.one_hot(labels, 8).float() * 0.5 + torch.randn(60, 8)
train = torch.zeros(60, dtype=torch.bool)
train[torch.randperm(60)[:30]] = True

net = Net()
print(net, edges.shape, int(edges[1].bincount().max()))
optimizer = torch.optim.Adam(net.parameters(), lr=0.01, weight_decay=5e-4)
for epoch in range(25):
    net.train()
    optimizer.zero_grad()
    loss = F.cross_entropy(net(x, edges)[train], labels[train])
    loss.backward()
    optimizer.step()
    net.eval()
    with torch.no_grad():
        out = net(x, edges)
        accuracy = (out[~train].argmax(dim=-1) == labels[~train]).float().mean().item()
        held_out = F.cross_entropy(out[~train], labels[~train])
    print(f"epoch {epoch} loss {loss.item():.5f} held out {held_out:.5f} accuracy {accuracy:.3f}")
