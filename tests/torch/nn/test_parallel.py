"""``DataParallel`` on one device, against PyTorch's without a GPU."""

import pytest
import torch

import pytreemod.torch as ours


def made(module):
    module.manual_seed(0)
    return module.nn.DataParallel(module.nn.Linear(2, 3))


def test_it_is_the_module_under_another_name():
    net, other = made(ours), made(torch)
    assert repr(net) == repr(other) and list(net.state_dict()) == list(other.state_dict())
    x = [[1.0, 2.0]]
    assert net(ours.tensor(x))[0].tolist() == pytest.approx(other(torch.tensor(x))[0].tolist())
    assert ours.nn.parallel.data_parallel(net.module, ours.tensor(x)).tolist() == net(ours.tensor(x)).tolist()


def test_more_devices_are_refused():
    with pytest.raises(RuntimeError, match="one device"):
        ours.nn.DataParallel(ours.nn.Linear(2, 3), device_ids=[0, 1])
