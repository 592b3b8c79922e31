"""A batch or a file that cannot be used leaves model, optimizer and random stream exactly as they were."""

import copy

import pytest
import torch

import pytreemod.torch as ptt


def network(t):
    t.manual_seed(0)
    layers = t.nn.Embedding(4, 3), t.nn.Flatten(), t.nn.Linear(6, 3), t.nn.BatchNorm1d(3), t.nn.Dropout(0.5)
    net = t.nn.Sequential(*layers, t.nn.Linear(3, 2))
    return net, t.optim.Adam(net.parameters(), lr=0.1)


def step(t, net, opt, words, labels):
    loss = t.nn.functional.cross_entropy(net(words), labels)
    opt.zero_grad()
    loss.backward()
    opt.step()
    return loss.item()


def state(net, opt):
    saved = opt.state_dict()
    slots = {k: {n: v.tolist() for n, v in entries.items()} for k, entries in saved["state"].items()}
    buffers = {n: b.tolist() for n, b in net.named_buffers()}
    return {
        "parameters": [p.tolist() for p in net.parameters()],
        "versions": [p._version for p in net.parameters()],
        "gradients": [None if p.grad is None else p.grad.tolist() for p in net.parameters()],
        "slots": slots,
        "groups": [{k: v for k, v in g.items() if k != "params"} for g in saved["param_groups"]],
    }, buffers


WORDS, LABELS = [[0, 1], [2, 3], [1, 1]], [0, 1, 1]
BATCHES = {
    "an index out of range": (lambda t: (t.tensor([[0, 1], [2, 4], [1, 1]]), t.tensor(LABELS)), "index out of range"),
    "a negative index": (lambda t: (t.tensor([[0, 1], [2, -1], [1, 1]]), t.tensor(LABELS)), "index out of range"),
    "a class out of range": (lambda t: (t.tensor(WORDS), t.tensor([0, 2, 1])), "Target 2 is out of bounds."),
    "a negative class": (lambda t: (t.tensor(WORDS), t.tensor([0, -1, 1])), "Target -1 is out of bounds."),
    "too few labels": (lambda t: (t.tensor(WORDS), t.tensor([0, 1])), "to match target batch_size (2)"),
    "labels with a point": (
        lambda t: (t.tensor(WORDS), t.tensor([0.0, 1.0, 1.0])),
        "expected target dtype to be Long or Byte, but got",
    ),
    "words of another length": (lambda t: (t.tensor([[0], [1], [2]]), t.tensor(LABELS)), "3x3 and 6x3"),
    "one row only": (lambda t: (t.tensor(WORDS[:1]), t.tensor(LABELS[:1])), "Expected more than 1 value per channel"),
}


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("name", BATCHES)
def test_a_bad_batch(name, started):
    batch, phrase = BATCHES[name]
    kinds = []
    for t in (torch, ptt):
        net, opt = network(t)
        if started:
            step(t, net, opt, t.tensor(WORDS), t.tensor(LABELS))
        before = state(net, opt)[0]
        with pytest.raises(Exception) as caught:
            step(t, net, opt, *batch(t))
        assert phrase in str(caught.value)
        assert state(net, opt)[0] == before
        kinds.append(caught.type)
    assert issubclass(kinds[1], kinds[0])


def test_ignored_classes_and_unsigned_ones_pass(agree):
    def run(t):
        scores = t.arange(8.0).reshape(4, 2).requires_grad_()
        F = t.nn.functional
        one = F.cross_entropy(scores, t.tensor([0, -100, 1, -100]))
        two = F.nll_loss(scores.log_softmax(1), t.tensor([7, 0, 1, 7]), ignore_index=7)
        return one, two, F.cross_entropy(scores, t.tensor([0, 1, 1, 0], dtype=t.uint8))

    agree(run)


@pytest.mark.parametrize("started", [False, True])
def test_a_bad_file_of_an_optimizer(started):
    net, opt = network(ptt)
    if started:
        step(ptt, net, opt, ptt.tensor(WORDS), ptt.tensor(LABELS))
    good = copy.deepcopy(opt.state_dict())
    slots = {"step": ptt.tensor(1.0), "exp_avg": ptt.ones(7), "exp_avg_sq": ptt.ones(7)}
    for bad, error, words in (
        ({}, KeyError, "param_groups"),
        ({**good, "state": {0: slots}}, ValueError, r"'exp_avg' of parameter 0 .*\(4, 3\), got \(7,\)"),
        ({**good, "state": {0: {**slots, "exp_avg": "text"}}}, ValueError, "'exp_avg' of parameter 0 .*got str"),
        ({**good, "state": {0: {"step": ptt.ones(2)}}}, ValueError, "'step' of parameter 0"),
        ({**good, "param_groups": good["param_groups"] * 2}, ValueError, "different number of parameter groups"),
        ({**good, "param_groups": [{**good["param_groups"][0], "lr": -1.0}]}, ValueError, "Invalid learning rate: -1"),
    ):
        before = state(net, opt)
        with pytest.raises(error, match=words):
            opt.load_state_dict(bad)
        assert state(net, opt) == before
    opt.load_state_dict(good)
    assert step(ptt, net, opt, ptt.tensor(WORDS), ptt.tensor(LABELS)) > 0


def test_a_bad_file_of_a_model():
    net, opt = network(ptt)
    before = state(net, opt)
    for change in (lambda s: s.pop("0.weight"), lambda s: s.update({"5.bias": ptt.ones(9)})):
        bad = net.state_dict()
        bad = {k: v * 2 for k, v in bad.items()}
        change(bad)
        with pytest.raises(RuntimeError, match="Error"):
            net.load_state_dict(bad)
        assert state(net, opt) == before


def test_pytorch_too_looks_at_classes():
    with pytest.raises(IndexError, match="Target 5 is out of bounds"):
        torch.nn.functional.cross_entropy(torch.zeros(1, 2), torch.tensor([5]))
