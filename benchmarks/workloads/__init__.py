"""The models of the benchmarks, each a file: the same network for every column, on the same batch."""

from workloads.cnn import CNN
from workloads.gpt import GPT
from workloads.lstm import LSTM
from workloads.mlp import MLP
from workloads.stack import Stack

WORKLOADS = {"mlp": MLP, "cnn": CNN, "gpt": GPT, "lstm": LSTM, "stack": Stack}
