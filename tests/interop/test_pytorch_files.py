"""Files go both ways between here and real PyTorch: names, values, dtypes and ties."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import pytreemod as ptm
import pytreemod.torch as ptt
from pytreemod import nn

files = pytest.importorskip("safetensors.torch")


def build(n, dtype):
    """The same network of any library: a convolution, statistics, an embedding tied to a head."""

    class Net(n.Module):
        def __init__(self):
            super().__init__()
            self.conv = n.Conv2d(2, 3, 3, dtype=dtype)
            self.norm = n.BatchNorm2d(3)
            self.embed = n.Embedding(4, 5)
            self.head = n.Linear(5, 4, bias=False)
            self.head.weight = self.embed.weight

    return Net


def theirs(seed=0):
    torch.manual_seed(seed)
    net = build(torch.nn, torch.bfloat16)()
    net.norm.running_mean += 0.5
    net.norm.num_batches_tracked += 3
    return net


def functional(seed=1):
    return ptm.init(build(nn, jnp.bfloat16), key=jax.random.key(seed))


def live(seed=1):
    ptt.manual_seed(seed)
    return build(ptt.nn, ptt.bfloat16)()


def numbers(state):
    return {k: np.asarray(v.float().numpy() if hasattr(v, "float") else jnp.float32(v)) for k, v in state.items()}


def same(a, b):
    a, b = numbers(a), numbers(b)
    assert list(a) == list(b)
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)


def test_what_pytorch_saved_loads_on_both_faces(tmp_path):
    path, net = tmp_path / "theirs.safetensors", theirs()
    files.save_model(net, str(path))  # keeps one name of a tie
    model = ptm.load_safetensors(path, functional())
    same(model.state_dict(), net.state_dict())
    assert model.head.weight is model.embed.weight and model.conv.weight.dtype == jnp.bfloat16

    state = {k: v.clone() for k, v in net.state_dict().items()}  # both names
    files.save_file(state, path)
    mine = live()
    mine.load_state_dict(ptt.load(path))
    same(mine.state_dict(), net.state_dict())
    assert mine.head.weight is mine.embed.weight


def test_pytorch_loads_what_either_face_saved(tmp_path):
    path, model, mine = str(tmp_path / "mine.safetensors"), functional(), live()
    for save, state in (
        (lambda: ptm.save_safetensors(path, model), model.state_dict()),
        (lambda: ptt.save(mine.state_dict(), path), mine.state_dict()),
    ):
        save()
        net = theirs()
        missing, unexpected = files.load_model(net, path)
        assert not missing and not unexpected
        same(net.state_dict(), state)


def test_the_names_in_the_file_are_the_paths_in_the_object(tmp_path):
    path, net = tmp_path / "run.safetensors", ptt.nn.Linear(2, 1)
    ptt.save({"net": net.state_dict(), "best": [ptt.ones(1)], "net.bias": ptt.zeros(1), "epoch": 2}, path)
    assert set(files.load_file(path)) == {"net.weight", "net.bias", "best.0", "net.bias_"}
    back = ptt.load(path)
    assert back["net"]["bias"].tolist() == net.bias.tolist() and back["net.bias"].tolist() == [0.0]
    ptt.save(ptt.arange(3), path)
    assert ptt.load(path).tolist() == [0, 1, 2]


def test_the_stateful_face_reads_the_functional_one_s_ties(tmp_path):
    path, model = tmp_path / "model.safetensors", functional()
    ptm.save_safetensors(path, model)
    mine = live()
    mine.load_state_dict(ptt.load(path))
    same(mine.state_dict(), model.state_dict())


def test_a_live_module_is_told_its_way(tmp_path):
    with pytest.raises(TypeError, match=r"save_safetensors: expected a module of pytreemod.nn, got Linear.*torch.save"):
        ptm.save_safetensors(tmp_path / "a", ptt.nn.Linear(1, 1))
    with pytest.raises(TypeError, match="load_safetensors: expected a module"):
        ptm.load_safetensors(tmp_path / "a", ptt.nn.Linear(1, 1))
    assert not list(tmp_path.iterdir())
