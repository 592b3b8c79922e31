"""check_faces: one step in every face, and how far the results are apart."""

from functools import partial

import jax
import optax
import pytest

import pytreemod as ptm
import pytreemod.nn.functional as F
import pytreemod.torch as torch


def network():
    torch.manual_seed(0)
    n = torch.nn
    return n.Sequential(n.Linear(3, 8), n.BatchNorm1d(8), n.ReLU(), n.Dropout(0.5), n.Linear(8, 2))


BATCH = torch.arange(12.0).reshape(4, 3) % 5, torch.arange(4) % 2


def test_the_faces_agree_with_dropout_and_buffers_and_change_nothing():
    net = network()
    before = {k: v.tolist() for k, v in net.state_dict().items()}
    state = torch.get_rng_state().tolist()
    report = ptm.check_faces(net, F.cross_entropy, BATCH, partial(torch.optim.SGD, lr=0.1, momentum=0.9))
    assert list(report) == list(net.state_dict())
    assert report.largest < 1e-5 and set(report.losses) == {"recorded", "compiled", "functional"}
    assert max(report.losses.values()) - min(report.losses.values()) < 1e-5
    assert {k: v.tolist() for k, v in net.state_dict().items()} == before
    assert torch.get_rng_state().tolist() == state
    assert "4.weight" in repr(report) and "losses: recorded" in repr(report)


def test_a_face_that_goes_its_own_way_is_found():
    calls = []

    def loss(out, y):  # another loss at each call
        calls.append(1)
        return F.cross_entropy(out, y) * float(len(calls))

    report = ptm.check_faces(network(), loss, BATCH, partial(torch.optim.SGD, lr=0.1))
    assert report.largest > 1e-3


def test_with_a_transformation_of_optax():
    report = ptm.check_faces(network(), F.cross_entropy, BATCH, partial(torch.optim.from_optax, optax.adam(0.1)))
    assert report.largest < 1e-5


def test_an_immutable_model_too():
    model = ptm.init(ptm.nn.Linear, 3, 2, key=jax.random.key(0))
    report = ptm.check_faces(model, F.cross_entropy, BATCH, partial(torch.optim.Adam, lr=0.1))
    assert set(report) == {"weight", "bias"} and report.largest < 1e-5


def test_something_that_is_no_module():
    with pytest.raises(TypeError):
        ptm.check_faces(lambda x: x, F.cross_entropy, BATCH, torch.optim.SGD)
