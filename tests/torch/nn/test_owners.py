"""An optimizer whose parameter was replaced: the path that the error names."""

import pytreemod.torch as ptt
from pytreemod.torch.nn.owners import owner_path, replaced_path, replacements


def fresh():
    return ptt.nn.Parameter(ptt.zeros(2, 2))


def net():
    inner = ptt.nn.Sequential(ptt.nn.Linear(2, 2), ptt.nn.Linear(2, 2))
    outer = ptt.nn.Module()
    outer.body = inner
    return outer


def test_path_of_an_owned_parameter():
    m = net()
    assert owner_path(m.body[1].weight) == "body.1.weight"
    assert replaced_path(m.body[1].weight) is None


def test_a_replaced_parameter_names_its_path():
    m = net()
    old, count = m.body[0].weight, replacements[0]
    m.body[0].weight = fresh()
    assert replaced_path(old) == "body.0.weight" and replacements[0] == count + 1


def test_a_tie_is_no_loss_until_every_owner_replaced_it():
    m = net()
    tied = m.body[0].weight
    m.body[1].weight = tied
    m.body[0].weight = fresh()
    assert replaced_path(tied) is None
    m.body[1].weight = fresh()
    assert replaced_path(tied) == "body.0.weight"


def test_a_replaced_layer_names_its_path():
    m = net()
    old = m.body[0].weight
    m.body[0] = ptt.nn.Linear(2, 2)
    assert replaced_path(old) == "body.0.weight"


def test_nothing_is_said_of_layers_that_live_elsewhere_or_are_gone():
    m = net()
    elsewhere = m.body[0]
    m.body[0] = ptt.nn.Identity()
    alone = ptt.nn.Linear(2, 2).weight
    assert replaced_path(elsewhere.weight) is None and replaced_path(alone) is None


def test_deleting_casting_and_loading_replace_nothing():
    m = net()
    kept = list(m.parameters())
    m.double()
    m.load_state_dict(m.state_dict())
    weight = m.body[0].weight
    del m.body[0].weight
    assert [replaced_path(p) for p in (*kept, weight)] == [None] * 5


def test_assigning_a_checkpoint_replaces():
    m = net()
    old = m.body[0].weight
    m.load_state_dict(m.state_dict(), assign=True)
    assert replaced_path(old) == "body.0.weight"
