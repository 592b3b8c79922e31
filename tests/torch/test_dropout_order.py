"""Dropout of a view: the mask is filled in by the order of memory, as in PyTorch, so the same values are dropped."""

import pytest

from pytreemod.rng import intel

RECURRENT = [
    (name, first, both) for name in ("LSTM", "GRU", "RNN") for first in (True, False) for both in (True, False)
]


@pytest.mark.parametrize(("name", "batch_first", "bidirectional"), RECURRENT)
def test_dropout_after_and_between_recurrent_layers(agree, name, batch_first, bidirectional):
    def run(t):
        settings = {"batch_first": batch_first, "dropout": 0.5, "num_layers": 3, "bidirectional": bidirectional}
        layer = getattr(t.nn, name)(3, 6, **settings)
        out, _ = layer(t.randn(4, 5, 3).requires_grad_())
        after = t.nn.Dropout(0.3)(out)
        after.square().sum().backward()
        return out, after, out.stride(), layer.weight_hh_l0.grad, t.rand(2)

    agree(run, rtol=1e-4, atol=1e-5)


VIEWS = {
    "transposed": lambda x: x.transpose(0, 2),
    "permuted": lambda x: x.permute(1, 2, 0),
    "every other": lambda x: x.transpose(0, 1)[:, ::2],
    "expanded": lambda x: x[0].t()[:, None].expand(4, 5, 3),
    "a slice": lambda x: x[:, 1:],
    "of a transposed": lambda x: x.mT.transpose(0, 1)[1],
    "copied": lambda x: x.mT.contiguous(),
}


@pytest.mark.parametrize("function", ["dropout", "alpha_dropout", "feature_alpha_dropout", "dropout1d"])
@pytest.mark.parametrize("view", VIEWS)
def test_dropout_of_a_view(agree, view, function):
    if function.startswith("feature") and view == "of a transposed":
        return  # of two dimensions
    agree(lambda t: getattr(t.nn.functional, function)(VIEWS[view](t.ones(2, 3, 4)), 0.5, True))


def test_on_intel_processors_the_order_is_that_of_the_view(monkeypatch):
    """There PyTorch fills in a contiguous tensor and copies it."""
    import pytreemod.torch as ptt

    monkeypatch.setattr(intel, "is_intel", lambda: True)
    monkeypatch.setattr("pytreemod.torch.random.is_intel", lambda: True)
    masks = []
    for view in (lambda x: x, lambda x: x.t()):
        ptt.manual_seed(0)
        masks.append(ptt.nn.functional.dropout(view(ptt.ones(6, 6))).tolist())
    assert masks[0] == masks[1]


def test_the_same_inside_a_compiled_function(agree):
    def run(t):
        x = t.ones(4, 5)

        def dropped(x):
            return t.nn.functional.dropout(x.t(), 0.5)

        return (t.compile(dropped) if t.__name__ != "torch" else dropped)(x)

    agree(run)
