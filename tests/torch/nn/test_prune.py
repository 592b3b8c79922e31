"""Pruning against PyTorch: masks, values, gradients, several methods on one parameter, and errors."""

import numpy as np
import pytest
import torch
import torch.nn.utils.prune

import pytreemod.torch as ptt

W = np.random.RandomState(0).randn(4, 6).astype(np.float32)


def layer(t):
    made = t.nn.Linear(6, 4)
    with t.no_grad():
        made.weight.copy_(t.tensor(W))
        made.bias.copy_(t.tensor(W[:, 0]))
    return made


def shown(t, module):
    """What a pruned module holds and gives, and the gradients of its parameters."""
    out = module(t.tensor(W))
    out.sum().backward()
    values = {k: v.detach() for k, v in module.state_dict().items()}
    return sorted(values), values, out, {k: p.grad for k, p in module.named_parameters()}


CASES = {
    "identity": lambda t, p, m: p.identity(m, "weight"),
    "random": lambda t, p, m: p.random_unstructured(m, "weight", 0.3),
    "l1": lambda t, p, m: p.l1_unstructured(m, "weight", amount=7),
    "l1 of scores": lambda t, p, m: p.l1_unstructured(m, "weight", 0.5, importance_scores=t.tensor(-W * W[::-1])),
    "random channels": lambda t, p, m: p.random_structured(m, "weight", 2, dim=1),
    "ln": lambda t, p, m: p.ln_structured(m, "weight", amount=0.5, n=2, dim=0),
    "ln -inf": lambda t, p, m: p.ln_structured(m, "weight", amount=2, n=float("-inf"), dim=-1),
    "mask": lambda t, p, m: p.custom_from_mask(m, "bias", t.tensor([1.0, 0.0, 1.0, 0.0])),
    "none": lambda t, p, m: p.l1_unstructured(m, "weight", 0),
    "two": lambda t, p, m: p.ln_structured(p.l1_unstructured(m, "weight", 0.3), "weight", amount=1, n=1, dim=1),
    "three": lambda t, p, m: p.l1_unstructured(
        p.random_unstructured(p.ln_structured(m, "weight", 1, 2, 0), "weight", 2), "weight", 0.2
    ),
    "global": lambda t, p, m: p.global_unstructured([(m, "weight"), (m, "bias")], p.L1Unstructured, amount=0.4),
    "removed": lambda t, p, m: p.remove(p.l1_unstructured(m, "weight", 0.5), "weight"),
}


@pytest.mark.parametrize("name", CASES)
def test_as_in_pytorch(agree, name):
    def case(t):
        module, prune = layer(t), t.nn.utils.prune
        t.manual_seed(3)
        CASES[name](t, prune, module)
        return shown(t, module), prune.is_pruned(t.nn.Sequential(module))

    agree(case)


def test_a_pruned_layer_trains(agree):
    def case(t):
        module = t.nn.utils.prune.l1_unstructured(layer(t), "weight", 0.5)
        optimizer = t.optim.SGD(module.parameters(), lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (module(t.tensor(W)) ** 2).mean().backward()
            optimizer.step()
        t.nn.utils.prune.remove(module, "weight")
        return module.weight, module.bias, t.nn.utils.prune.is_pruned(module), type(module.weight).__name__

    agree(case)


def test_methods_follow_each_other_in_a_container(agree):
    def case(t):
        prune = t.nn.utils.prune
        module = prune.l1_unstructured(layer(t), "weight", 2)
        method = prune.RandomStructured.apply(module, "weight", 1, dim=0)
        alone = prune.L1Unstructured(3).prune(t.tensor(W))
        return len(method), [type(m).__name__ for m in method], type(method[0]).__name__, alone

    agree(case)


@pytest.mark.parametrize(
    "case, phrase",
    [
        (lambda p, m: p.l1_unstructured(m, "weight", "a"), "Invalid type for amount: a"),
        (lambda p, m: p.l1_unstructured(m, "weight", -1), "should either be a float in the range [0, 1]"),
        (lambda p, m: p.l1_unstructured(m, "weight", 1.5), "should either be a float in the range [0, 1]"),
        (lambda p, m: p.l1_unstructured(m, "weight", 100), "amount=100 should be smaller than the number"),
        (lambda p, m: p.ln_structured(m, "bias", 1, 2, 0), "can only be applied to multidimensional tensors"),
        (lambda p, m: p.ln_structured(m, "weight", 1, 2, 2), "Invalid index 2 for tensor of size"),
        (lambda p, m: p.remove(m, "weight"), "has to be pruned before pruning can be removed"),
        (lambda p, m: p.global_unstructured(3, p.L1Unstructured), "parameters is not an Iterable"),
        (lambda p, m: p.global_unstructured([(m, "weight")], p.LnStructured, amount=1, n=2), 'Only "unstructured"'),
        (lambda p, m: p.l1_unstructured(m, "weight", 1, m.bias), "importance_scores should have the same shape"),
        (lambda p, m: p.PruningContainer().add_pruning_method(3), "is not a BasePruningMethod subclass"),
        (lambda p, m: p.custom_from_mask(m, "weight", m.bias), "must match"),
    ],
)
def test_refused_as_in_pytorch(refuse, case, phrase):
    refuse(lambda t: case(t.nn.utils.prune, layer(t)), phrase)


def test_a_refused_pruning_leaves_the_module_alone():
    module = layer(ptt)
    with pytest.raises(ValueError):
        ptt.nn.utils.prune.l1_unstructured(module, "weight", 100)
    assert [n for n, _ in module.named_parameters()] == [n for n, _ in layer(torch).named_parameters()]
