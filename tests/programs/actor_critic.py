"""REINFORCE with a baseline that is learned (actor and critic), on a pole that is to be kept upright."""

import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim
from torch.distributions import Categorical

EPS = 1e-7


class Pole:
    """A pole on a cart that is pushed left or right; an episode ends when it falls."""

    def __init__(self, seed):
        self.generator = torch.Generator().manual_seed(seed)

    def reset(self):
        self.state = (0.1 * torch.rand(4, generator=self.generator) - 0.05).tolist()
        return self.state

    def step(self, action):
        x, v, angle, speed = self.state
        force = 10.0 if action == 1 else -10.0
        push = (force + 0.05 * speed**2 * math.sin(angle)) / 1.1
        turning = (9.8 * math.sin(angle) - math.cos(angle) * push) / (0.5 * (4 / 3 - 0.1 * math.cos(angle) ** 2 / 1.1))
        moving = push - 0.05 * turning * math.cos(angle) / 1.1
        self.state = [x + 0.02 * v, v + 0.02 * moving, angle + 0.02 * speed, speed + 0.02 * turning]
        return self.state, 1.0, abs(self.state[0]) > 2.4 or abs(self.state[2]) > 0.2


class Policy(nn.Module):
    def __init__(self):
        super().__init__()
        self.affine = nn.Linear(4, 32)
        self.action_head = nn.Linear(32, 2)
        self.value_head = nn.Linear(32, 1)
        self.saved, self.rewards = [], []

    def forward(self, x):
        x = F.relu(self.affine(x))
        return F.softmax(self.action_head(x), dim=-1), self.value_head(x)


def select_action(model, state):
    probs, value = model(torch.tensor(state, dtype=torch.float32))
    m = Categorical(probs)
    action = m.sample()
    model.saved.append((m.log_prob(action), value))
    return action.item()


def finish_episode(model, optimizer, gamma):
    R, returns = 0.0, []
    for r in model.rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + EPS)
    policy_losses, value_losses = [], []
    for (log_prob, value), R in zip(model.saved, returns, strict=True):
        advantage = R - value.item()
        policy_losses.append(-log_prob * advantage)
        value_losses.append(F.smooth_l1_loss(value, R.unsqueeze(0)))
    optimizer.zero_grad()
    loss = torch.stack(policy_losses).sum() + torch.stack(value_losses).sum()
    loss.backward()
    optimizer.step()
    model.rewards.clear()
    model.saved.clear()
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description="actor and critic")
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--seed", type=int, default=543)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--longest", type=int, default=12)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    env, model = Pole(args.seed), Policy()
    optimizer = optim.Adam(model.parameters(), lr=3e-2)
    for episode in range(args.episodes):
        state, total = env.reset(), 0.0
        for _ in range(args.longest):
            state, reward, done = env.step(select_action(model, state))
            model.rewards.append(reward)
            total += reward
            if done:
                break
        print(f"episode {episode} reward {total:.0f} loss {finish_episode(model, optimizer, args.gamma):.6f}")


if __name__ == "__main__":
    main()
