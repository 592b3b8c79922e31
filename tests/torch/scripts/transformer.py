"""A transformer on characters: masks, groups without decay, a cosine schedule, clipping, sampling."""

import math
import pathlib

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn import TransformerEncoder, TransformerEncoderLayer


class PositionalEncoding(nn.Module):
    def __init__(self, d_model: int, dropout: float = 0.1, max_len: int = 64):
        super().__init__()
        self.dropout = nn.Dropout(p=dropout)
        position = torch.arange(max_len).unsqueeze(1)
        div_term = torch.exp(torch.arange(0, d_model, 2) * (-math.log(10000.0) / d_model))
        pe = torch.zeros(max_len, 1, d_model)
        pe[:, 0, 0::2] = torch.sin(position * div_term)
        pe[:, 0, 1::2] = torch.cos(position * div_term)
        self.register_buffer("pe", pe)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.pe[: x.size(0)]
        return self.dropout(x)


class TransformerModel(nn.Module):
    def __init__(self, ntoken: int, d_model: int, nhead: int, d_hid: int, nlayers: int, dropout: float = 0.5):
        super().__init__()
        self.model_type = "Transformer"
        self.pos_encoder = PositionalEncoding(d_model, dropout)
        encoder_layers = TransformerEncoderLayer(d_model, nhead, d_hid, dropout)
        self.transformer_encoder = TransformerEncoder(encoder_layers, nlayers)
        self.embedding = nn.Embedding(ntoken, d_model)
        self.d_model = d_model
        self.linear = nn.Linear(d_model, ntoken)
        self.init_weights()

    def init_weights(self) -> None:
        initrange = 0.1
        self.embedding.weight.data.uniform_(-initrange, initrange)
        self.linear.bias.data.zero_()
        self.linear.weight.data.uniform_(-initrange, initrange)

    def forward(self, src: Tensor, src_mask: Tensor = None) -> Tensor:
        src = self.embedding(src) * math.sqrt(self.d_model)
        src = self.pos_encoder(src)
        if src_mask is None:
            src_mask = torch.triu(torch.ones(len(src), len(src)) * float("-inf"), diagonal=1)
        output = self.transformer_encoder(src, src_mask)
        output = self.linear(output)
        return output


torch.manual_seed(0)
text = open(pathlib.Path(__file__).parents[3] / "examples" / "data" / "sonnets.txt").read()[:6000]
chars = sorted(set(text))
stoi = {c: i for i, c in enumerate(chars)}
data = torch.tensor([stoi[c] for c in text], dtype=torch.long)


def batchify(data: Tensor, bsz: int) -> Tensor:
    seq_len = data.size(0) // bsz
    data = data[: seq_len * bsz]
    return data.view(bsz, seq_len).t().contiguous()


train_data = batchify(data, 8)
bptt = 8


def get_batch(source: Tensor, i: int) -> tuple[Tensor, Tensor]:
    seq_len = min(bptt, len(source) - 1 - i)
    return source[i : i + seq_len], source[i + 1 : i + 1 + seq_len].reshape(-1)


ntokens = len(chars)
model = TransformerModel(ntokens, 16, 2, 32, 2, 0.2)
decay = [p for n, p in model.named_parameters() if p.dim() >= 2]
no_decay = [p for n, p in model.named_parameters() if p.dim() < 2]
optimizer = torch.optim.AdamW(
    [
        {"params": decay, "weight_decay": 0.1},
        {"params": no_decay, "weight_decay": 0.0},
    ],
    lr=3e-3,
    betas=(0.9, 0.95),
)
print(sum(p.numel() for p in model.parameters() if p.requires_grad))
scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=40)
criterion = nn.CrossEntropyLoss()
model.train()
for step, i in enumerate(range(0, 8 * 24, bptt)):
    x, y = get_batch(train_data, i)
    output = model(x)
    loss = criterion(output.view(-1, ntokens), y)
    optimizer.zero_grad()
    loss.backward()
    norm = torch.nn.utils.clip_grad_norm_(model.parameters(), 0.5)
    optimizer.step()
    scheduler.step()
    print(f"{step} lr {scheduler.get_last_lr()[0]:.6f} loss {loss.item():.6f} norm {norm:.5f}")
model.eval()
with torch.no_grad():
    context = data[:bptt].unsqueeze(1)
    for _ in range(10):
        logits = model(context[-bptt:])[-1, 0]
        probs = F.softmax(logits / 0.8, dim=-1)
        nxt = torch.multinomial(probs, num_samples=1)
        context = torch.cat([context, nxt.view(1, 1)], dim=0)
print("".join(chars[i] for i in context[:, 0].tolist()).encode())
