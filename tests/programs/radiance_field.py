"""A small radiance field: rays through a scene, positions encoded by sines, colours added up along each ray."""

import math

import torch
import torch.nn.functional as F
from torch import nn

SIDE, SAMPLES, NEAR, FAR = 8, 10, 1.0, 5.0


def rays(pose, focal):
    rows, columns = torch.meshgrid(torch.arange(SIDE).to(pose), torch.arange(SIDE).to(pose), indexing="ij")
    local = torch.stack([(columns - SIDE / 2) / focal, (SIDE / 2 - rows) / focal, -torch.ones_like(rows)], dim=-1)
    directions = (local[..., None, :] * pose[:3, :3]).sum(dim=-1)
    return pose[:3, 3].expand_as(directions), directions


def encoded(x, bands=4):
    frequencies = 2.0 ** torch.linspace(0.0, bands - 1, bands, dtype=x.dtype, device=x.device)
    angles = (x[..., None] * frequencies).flatten(-2)
    return torch.cat([x, angles.sin(), angles.cos()], dim=-1)


class Field(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        size = 3 * (1 + 2 * 4)
        self.first = nn.Sequential(nn.Linear(size, width), nn.ReLU(True), nn.Linear(width, width), nn.ReLU(True))
        self.second = nn.Linear(width + size, width)
        self.density, self.colour = nn.Linear(width, 1), nn.Linear(width, 3)

    def forward(self, x):
        x = encoded(x)
        h = F.relu(self.second(torch.cat([self.first(x), x], dim=-1)))
        return F.softplus(self.density(h)).squeeze(-1), torch.sigmoid(self.colour(h))


def render(field, origins, directions, jitter=True):
    depth = torch.linspace(NEAR, FAR, SAMPLES).expand(*origins.shape[:-1], SAMPLES)
    if jitter:
        depth = depth + torch.rand_like(depth) * (FAR - NEAR) / SAMPLES
    density, colour = field(origins[..., None, :] + directions[..., None, :] * depth[..., None])
    gaps = torch.cat([depth[..., 1:] - depth[..., :-1], torch.full_like(depth[..., :1], 1e3)], dim=-1)
    opaque = 1.0 - torch.exp(-density * gaps)
    clear = torch.cumprod(1.0 - opaque + 1e-10, dim=-1).roll(1, dims=-1)
    clear[..., 0] = 1.0
    weights = opaque * clear
    return torch.einsum("...s,...sc->...c", weights, colour), (weights * depth).sum(-1)


torch.manual_seed(3)
poses = torch.eye(4).repeat(4, 1, 1)
for k, angle in enumerate((0.0, 0.3, 0.6, 0.9)):
    s, c = math.sin(angle), math.cos(angle)
    poses[k, :3, :3] = torch.tensor([[c, 0, s], [0, 1, 0], [-s, 0, c]])
    poses[k, :3, 3] = 3 * poses[k, :3, 2]
images = F.interpolate(torch.rand(4, 3, 2, 2), size=(SIDE, SIDE), mode="bilinear", align_corners=True).permute(
    0, 2, 3, 1
)

field = Field()
decay, rest = [], []
for name, parameter in field.named_parameters():
    (rest if name.endswith("bias") else decay).append(parameter)
optimizer = torch.optim.AdamW([{"params": decay}, {"params": rest, "weight_decay": 0.0}], lr=5e-3)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.97)
for step in range(30):
    view = torch.randint(len(poses), (1,)).item()
    colours, _ = render(field, *rays(poses[view], torch.tensor(9.0)))
    loss = F.mse_loss(colours, images[view])
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()
    scheduler.step()
    print(f"step {step} view {view} loss {loss.item():.6f} psnr {-10 * loss.log10().item():.4f}")
with torch.inference_mode():
    colours, depth = render(field, *rays(poses[0], torch.tensor(9.0)), jitter=False)
print(colours[0, :3], depth.mean())
