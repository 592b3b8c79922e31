"""A variational autoencoder on pictures of two bars."""

import argparse

import torch
from torch import nn, optim
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

SIDE = 12


def pictures(count):
    """A horizontal and a vertical bar on a grey ground, in [0, 1]."""
    rows, columns = torch.randint(0, SIDE, (count,)), torch.randint(0, SIDE, (count,))
    x = 0.1 * torch.rand(count, SIDE, SIDE)
    x[torch.arange(count), rows, :] = 1.0
    x[torch.arange(count), :, columns] = 1.0
    return x.unsqueeze(1)


class VAE(nn.Module):
    def __init__(self, hidden=64, latent=8):
        super().__init__()
        self.fc1 = nn.Linear(SIDE * SIDE, hidden)
        self.fc21 = nn.Linear(hidden, latent)
        self.fc22 = nn.Linear(hidden, latent)
        self.fc3 = nn.Linear(latent, hidden)
        self.fc4 = nn.Linear(hidden, SIDE * SIDE)

    def encode(self, x):
        h = F.relu(self.fc1(x))
        return self.fc21(h), self.fc22(h)

    def reparameterize(self, mu, logvar):
        std = torch.exp(0.5 * logvar)
        eps = torch.randn_like(std)
        return mu + eps * std

    def decode(self, z):
        return torch.sigmoid(self.fc4(F.relu(self.fc3(z))))

    def forward(self, x):
        mu, logvar = self.encode(x.view(-1, SIDE * SIDE))
        return self.decode(self.reparameterize(mu, logvar)), mu, logvar


def loss_function(recon, x, mu, logvar):
    bce = F.binary_cross_entropy(recon, x.view(-1, SIDE * SIDE), reduction="sum")
    kld = -0.5 * torch.sum(1 + logvar - mu.pow(2) - logvar.exp())
    return bce + kld


def main():
    parser = argparse.ArgumentParser(description="variational autoencoder")
    parser.add_argument("--batch-size", type=int, default=32)
    parser.add_argument("--epochs", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    loader = DataLoader(TensorDataset(pictures(320)), batch_size=args.batch_size, shuffle=True)
    test = pictures(64).to(device)
    model = VAE().to(device)
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    for epoch in range(1, args.epochs + 1):
        model.train()
        total = 0.0
        for (data,) in loader:
            data = data.to(device)
            optimizer.zero_grad()
            recon, mu, logvar = model(data)
            loss = loss_function(recon, data, mu, logvar)
            loss.backward()
            total += loss.item()
            optimizer.step()
            print(f"epoch {epoch} loss {loss.item() / len(data):.6f}")
        model.eval()
        with torch.no_grad():
            recon, mu, logvar = model(test)
            print(f"test loss {loss_function(recon, test, mu, logvar).item() / len(test):.6f}")
            sample = model.decode(torch.randn(4, 8).to(device)).cpu()
            print(f"samples have mean {sample.mean().item():.6f}; average loss {total / len(loader.dataset):.6f}")


if __name__ == "__main__":
    main()
