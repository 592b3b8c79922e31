"""REINFORCE on a pole that is to be kept upright; actions are drawn with ``multinomial``."""

import argparse
import math

import torch
import torch.nn as nn
import torch.nn.functional as F
import torch.optim as optim

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
        self.affine1 = nn.Linear(4, 32)
        self.dropout = nn.Dropout(p=0.2)
        self.affine2 = nn.Linear(32, 2)
        self.log_probs, self.rewards = [], []

    def forward(self, x):
        return F.log_softmax(self.affine2(F.relu(self.dropout(self.affine1(x)))), dim=1)


def select_action(policy, state):
    log_probs = policy(torch.tensor(state).float().unsqueeze(0))
    action = torch.multinomial(log_probs.exp(), 1)
    policy.log_probs.append(log_probs.gather(1, action).squeeze(1))
    return action.item()


def finish_episode(policy, optimizer, gamma):
    R, returns = 0.0, []
    for r in policy.rewards[::-1]:
        R = r + gamma * R
        returns.insert(0, R)
    returns = torch.tensor(returns)
    returns = (returns - returns.mean()) / (returns.std() + EPS)
    loss = torch.cat([-p * R for p, R in zip(policy.log_probs, returns, strict=True)]).sum()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    policy.rewards.clear()
    policy.log_probs.clear()
    return loss.item()


def main():
    parser = argparse.ArgumentParser(description="REINFORCE")
    parser.add_argument("--gamma", type=float, default=0.99)
    parser.add_argument("--seed", type=int, default=543)
    parser.add_argument("--episodes", type=int, default=20)
    parser.add_argument("--longest", type=int, default=12)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    env, model = Pole(args.seed), Policy()
    optimizer = optim.Adam(model.parameters(), lr=1e-2)
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
