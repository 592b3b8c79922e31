"""Soft actor-critic on a point that is to be kept at the origin: replay, two critics and their slow copies."""

import itertools
from collections import deque
from copy import deepcopy

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal


class Actor(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU())
        self.mean, self.log_std = nn.Linear(32, 1), nn.Linear(32, 1)

    def forward(self, state):
        h = self.body(state)
        normal = Normal(self.mean(h), self.log_std(h).clamp(-5, 2).exp())
        raw = normal.rsample()
        log_prob = normal.log_prob(raw) - 2 * (np.log(2) - raw - F.softplus(-2 * raw))
        return torch.tanh(raw), log_prob.sum(axis=-1)

    @torch.no_grad()
    def act(self, state):
        return self(torch.as_tensor(state, dtype=torch.float32))[0].numpy()


class Critic(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))

    def forward(self, state, action):
        return self.net(torch.cat([state, action], dim=-1)).squeeze(-1)


def batch(memory, rng, size=32):
    chosen = [memory[k] for k in rng.randint(len(memory), size=size)]
    return [torch.as_tensor(np.asarray(part), dtype=torch.float32) for part in zip(*chosen, strict=True)]


torch.manual_seed(0)
rng = np.random.RandomState(0)
actor, critics = Actor(), nn.ModuleList([Critic(), Critic()])
slow = deepcopy(critics).requires_grad_(False)
log_alpha = torch.tensor(-1.0, requires_grad=True)
actor_optimizer = torch.optim.Adam(actor.parameters(), lr=1e-3)
critic_optimizer = torch.optim.Adam(itertools.chain(*(c.parameters() for c in critics)), lr=1e-3)
alpha_optimizer = torch.optim.Adam([log_alpha], lr=3e-3)
memory = deque(maxlen=500)
state = rng.randn(2)
for step in range(110):
    action = actor.act(state) if step > 40 else rng.uniform(-1, 1, 1)
    following = np.array([state[0] + 0.1 * state[1], 0.95 * state[1] + 0.2 * action[0]]) + 0.02 * rng.randn(2)
    done = bool(np.abs(following).max() > 4)
    memory.append((state, action, -float(following @ following), following, float(done)))
    state = rng.randn(2) if done else following
    if step < 60 or step % 2:
        continue
    s, a, reward, s2, over = batch(memory, rng)
    alpha = log_alpha.exp().detach()
    with torch.no_grad():
        a2, log_prob2 = actor(s2)
        least = torch.min(*(c(s2, a2) for c in slow))
        target = reward + 0.98 * (1 - over) * (least - alpha * log_prob2)
    critic_loss = sum(F.mse_loss(c(s, a), target) for c in critics)
    critic_optimizer.zero_grad()
    critic_loss.backward()
    critic_optimizer.step()

    critics.requires_grad_(False)
    sampled, log_prob = actor(s)
    actor_loss = (alpha * log_prob - torch.min(*(c(s, sampled) for c in critics))).mean()
    actor_optimizer.zero_grad()
    actor_loss.backward()
    actor_optimizer.step()
    critics.requires_grad_(True)

    alpha_loss = -(log_alpha * (log_prob.detach() - 1.0)).mean()
    alpha_optimizer.zero_grad()
    alpha_loss.backward()
    alpha_optimizer.step()
    with torch.no_grad():
        for p, q in zip(slow.parameters(), critics.parameters(), strict=True):
            p.mul_(0.99).add_(q, alpha=0.01)
    print(
        f"step {step} critic loss {critic_loss.item():.5f} actor loss {actor_loss.item():.5f} alpha {alpha.item():.5f}"
    )
