"""A word-level language model, LSTM or Transformer, on sentences of a small grammar."""

import argparse
import math
import random

import torch
import torch.nn as nn
from torch.nn import functional as F

SUBJECTS = "the cat|a dog|the old king|my friend|every child".split("|")
VERBS = "sees|finds|likes|follows|forgets".split("|")
OBJECTS = "the sea|a red house|the moon|an apple|a long road".split("|")


class Corpus:
    """Sentences as one long sequence of numbers."""

    def __init__(self, sentences, seed):
        chooser = random.Random(seed)
        words = []
        for _ in range(sentences):
            words += f"{chooser.choice(SUBJECTS)} {chooser.choice(VERBS)} {chooser.choice(OBJECTS)} <eos>".split()
        self.words = sorted(set(words))
        number = {word: k for k, word in enumerate(self.words)}
        self.ids = torch.tensor([number[word] for word in words], dtype=torch.int64)


def batchify(data, batch_size, device):
    steps = data.size(0) // batch_size
    return data.narrow(0, 0, steps * batch_size).view(batch_size, -1).t().contiguous().to(device)


def get_batch(source, i, bptt):
    length = min(bptt, len(source) - 1 - i)
    return source[i : i + length], source[i + 1 : i + 1 + length].reshape(-1)


class RNNModel(nn.Module):
    def __init__(self, words, width, hidden, layers, dropout, tied):
        super().__init__()
        self.words, self.hidden, self.layers = words, hidden, layers
        self.drop = nn.Dropout(dropout)
        self.encoder = nn.Embedding(words, width)
        self.rnn = nn.LSTM(width, hidden, layers, dropout=dropout)
        self.decoder = nn.Linear(hidden, words)
        if tied:
            if hidden != width:
                raise ValueError("with tied weights, --nhid must be --emsize")
            self.decoder.weight = self.encoder.weight
        nn.init.uniform_(self.encoder.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

    def forward(self, input, hidden):
        output, hidden = self.rnn(self.drop(self.encoder(input)), hidden)
        decoded = self.decoder(self.drop(output)).view(-1, self.words)
        return F.log_softmax(decoded, dim=1), hidden

    def init_hidden(self, batch_size):
        weight = next(self.parameters())
        return tuple(weight.new_zeros(self.layers, batch_size, self.hidden) for _ in range(2))


class PositionalEncoding(nn.Module):
    def __init__(self, width, dropout=0.1, longest=500):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        places = torch.zeros(longest, width)
        position = torch.arange(0, longest, dtype=torch.float).unsqueeze(1)
        rate = torch.exp(torch.arange(0, width, 2).float() * (-math.log(10000.0) / width))
        places[:, 0::2] = torch.sin(position * rate)
        places[:, 1::2] = torch.cos(position * rate)
        self.register_buffer("places", places.unsqueeze(1))

    def forward(self, x):
        return self.dropout(x + self.places[: x.size(0), :])


class TransformerModel(nn.Module):
    def __init__(self, words, width, heads, hidden, layers, dropout):
        super().__init__()
        self.words, self.width = words, width
        self.positions = PositionalEncoding(width, dropout)
        layer = nn.TransformerEncoderLayer(width, heads, hidden, dropout)
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)
        self.input_emb = nn.Embedding(words, width)
        self.decoder = nn.Linear(width, words)
        nn.init.uniform_(self.input_emb.weight, -0.1, 0.1)
        nn.init.zeros_(self.decoder.bias)
        nn.init.uniform_(self.decoder.weight, -0.1, 0.1)

    def forward(self, input):
        mask = torch.log(torch.tril(torch.ones(len(input), len(input)))).to(input.device)
        x = self.positions(self.input_emb(input) * math.sqrt(self.width))
        return F.log_softmax(self.decoder(self.encoder(x, mask=mask)).view(-1, self.words), dim=-1)


def repackage(hidden):
    """The state without its history."""
    return hidden.detach() if isinstance(hidden, torch.Tensor) else tuple(repackage(h) for h in hidden)


def evaluate(model, source, args, criterion):
    model.eval()
    total = 0.0
    hidden = model.init_hidden(source.size(1)) if args.model == "LSTM" else None
    with torch.no_grad():
        for i in range(0, source.size(0) - 1, args.bptt):
            data, targets = get_batch(source, i, args.bptt)
            if hidden is None:
                output = model(data)
            else:
                output, hidden = model(data, hidden)
                hidden = repackage(hidden)
            total += len(data) * criterion(output, targets).item()
    return total / (len(source) - 1)


def main():
    parser = argparse.ArgumentParser(description="word-level language model")
    parser.add_argument("--model", type=str, default="LSTM", choices=["LSTM", "Transformer"])
    parser.add_argument("--emsize", type=int, default=24)
    parser.add_argument("--nhid", type=int, default=24)
    parser.add_argument("--nlayers", type=int, default=2)
    parser.add_argument("--nhead", type=int, default=2)
    parser.add_argument("--lr", type=float, default=5.0)
    parser.add_argument("--clip", type=float, default=0.25)
    parser.add_argument("--batch-size", type=int, default=4)
    parser.add_argument("--bptt", type=int, default=12)
    parser.add_argument("--dropout", type=float, default=0.2)
    parser.add_argument("--tied", action="store_true")
    parser.add_argument("--seed", type=int, default=1111)
    args = parser.parse_args()

    torch.manual_seed(args.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    corpus = Corpus(150, args.seed)
    split = 20 * args.batch_size * args.bptt + args.batch_size
    train_data = batchify(corpus.ids[:split], args.batch_size, device)
    val_data = batchify(corpus.ids[-103:], 2, device)
    if args.model == "LSTM":
        model = RNNModel(len(corpus.words), args.emsize, args.nhid, args.nlayers, args.dropout, args.tied).to(device)
    else:
        model = TransformerModel(len(corpus.words), args.emsize, args.nhead, args.nhid, args.nlayers, args.dropout).to(
            device
        )
    criterion = nn.NLLLoss()

    model.train()
    hidden = model.init_hidden(args.batch_size) if args.model == "LSTM" else None
    for batch, i in enumerate(range(0, train_data.size(0) - 1, args.bptt)):
        data, targets = get_batch(train_data, i, args.bptt)
        model.zero_grad()
        if hidden is None:
            output = model(data)
        else:
            hidden = repackage(hidden)
            output, hidden = model(data, hidden)
        loss = criterion(output, targets)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), args.clip)
        for p in model.parameters():
            p.data.add_(p.grad, alpha=-args.lr)
        print(f"batch {batch} loss {loss.item():.6f}")
    print(f"valid loss {evaluate(model, val_data, args, criterion):.6f}")


if __name__ == "__main__":
    main()
