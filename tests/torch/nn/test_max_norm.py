"""Tables whose rows are shortened when they are read: ``max_norm`` writes into the weight, as in PyTorch."""

import pytest
import torch as real

import pytreemod.torch as torch

KINDS = [
    ("Embedding", {}),
    ("Embedding", {"norm_type": 1.0, "padding_idx": 2}),
    ("Embedding", {"norm_type": float("inf"), "scale_grad_by_freq": True}),
    ("EmbeddingBag", {"mode": "sum"}),
]


def trained(torch, kind, options):
    torch.manual_seed(0)
    layer = getattr(torch.nn, kind)(7, 4, max_norm=0.9, **options)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.5)
    losses = []
    for _ in range(3):
        optimizer.zero_grad()
        loss = (layer(torch.tensor([[1, 2], [2, 3], [5, 1]])) ** 2).mean()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return repr(layer), losses, layer.weight.tolist()


@pytest.mark.parametrize("kind, options", KINDS)
def test_rows_are_shortened_in_the_weight(kind, options):
    (text, losses, weight), (expected_text, *expected) = (trained(t, kind, options) for t in (torch, real))
    assert text == expected_text
    assert losses == pytest.approx(expected[0], rel=1e-5)
    for row, expected_row in zip(weight, expected[1], strict=True):
        assert row == pytest.approx(expected_row, rel=1e-5, abs=1e-6)


def test_rows_are_shortened_inside_compiled_functions():
    torch.manual_seed(0)
    layer = torch.nn.Embedding(7, 4, max_norm=0.5)
    before = layer.weight.norm(dim=1)
    read = torch.compile(lambda: layer(torch.tensor([0, 3])))
    assert read().norm(dim=1).tolist() == pytest.approx([0.5, 0.5], rel=1e-4)
    after = layer.weight.norm(dim=1)
    assert after[[0, 3]].tolist() == pytest.approx([0.5, 0.5], rel=1e-4)
    assert after[1].item() == before[1].item()


def test_a_leaf_is_not_written_while_gradients_are_recorded():
    weight = torch.ones(3, 2, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        torch.embedding_renorm_(weight, torch.tensor([0]), 1.0, 2.0)
    with torch.no_grad():
        torch.embedding_renorm_(weight, torch.tensor([0]), 1.0, 2.0)
    assert weight.norm(dim=1).tolist() == pytest.approx([1.0, 2**0.5, 2**0.5])


def test_embedding_takes_the_weight_first_and_counts_rows():
    grads = []
    for t in (torch, real):
        weight = t.ones(3, 2, requires_grad=True)
        t.embedding(weight, t.tensor([0, 0, 1]), -1, True).sum().backward()
        grads.append(weight.grad.tolist())
    assert grads[0] == grads[1]
