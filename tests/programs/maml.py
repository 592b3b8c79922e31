"""Model-agnostic meta-learning on sine waves: gradients through gradient steps, with a functional call of the model."""

import argparse
import math
import random

import torch
import torch.nn.functional as F
from torch import nn
from torch.func import functional_call


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--steps", type=int, default=24)
    parser.add_argument("--tasks", type=int, default=3)
    parser.add_argument("--inner-lr", type=float, default=0.02)
    parser.add_argument("--first-order", action="store_true")
    return parser.parse_args()


class Wave:
    def __init__(self):
        self.height, self.phase = random.uniform(0.5, 3.0), random.uniform(0.0, math.pi)

    def sample(self, count):
        x = torch.empty(count, 1).uniform_(-4, 4)
        return x, self.height * torch.sin(x + self.phase)


def adapt(model, weights, x, y, lr, first_order):
    loss = F.mse_loss(functional_call(model, weights, (x,)), y)
    grads = torch.autograd.grad(loss, list(weights.values()), create_graph=not first_order)
    return {name: w - lr * g for (name, w), g in zip(weights.items(), grads, strict=True)}


def main():
    args = parse()
    random.seed(1)
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(1, 24), nn.Tanh(), nn.Linear(24, 24), nn.Tanh(), nn.Linear(24, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min(1.0, (step + 1) / 5))
    for step in range(args.steps):
        total = 0
        for _ in range(args.tasks):
            wave = Wave()
            weights = dict(model.named_parameters())
            for _ in range(2):
                weights = adapt(model, weights, *wave.sample(8), args.inner_lr, args.first_order)
            x, y = wave.sample(8)
            total = total + F.mse_loss(functional_call(model, weights, (x,)), y)
        optimizer.zero_grad()
        (total / args.tasks).backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        scheduler.step()
        rate = scheduler.get_last_lr()[0]
        print(f"step {step} loss {total.item() / args.tasks:.5f} norm {norm.item():.4f} lr {rate:.4f}")
    print(model)


if __name__ == "__main__":
    main()
