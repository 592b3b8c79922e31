"""save and load: what goes in comes out, ties included, and nothing is ever executed."""

import io
import mmap
import pickle
import types
from collections import OrderedDict

import numpy as np
import pytest
import safetensors.numpy
import torch

import pytreemod.torch as ptt


def test_a_checkpoint_comes_back(tmp_path):
    net = ptt.nn.Sequential(ptt.nn.Linear(2, 2), ptt.nn.BatchNorm1d(2))
    opt = ptt.optim.Adam(net.parameters(), lr=0.1)
    net(ptt.ones(3, 2) * ptt.arange(3.0)[:, None]).pow(2).sum().backward()
    opt.step()
    path = tmp_path / "run.pt"
    ptt.save({"net": net.state_dict(), "opt": opt.state_dict(), "epoch": 3, "best": float("inf"), "name": "a"}, path)
    found = ptt.load(path)
    assert found["epoch"] == 3 and found["best"] == float("inf") and found["name"] == "a"
    assert isinstance(found["net"], OrderedDict) and list(found["net"]) == list(net.state_dict())
    other = ptt.nn.Sequential(ptt.nn.Linear(2, 2), ptt.nn.BatchNorm1d(2))
    second = ptt.optim.Adam(other.parameters(), lr=0.5)
    other.load_state_dict(found["net"])
    second.load_state_dict(found["opt"])
    assert second.param_groups[0]["lr"] == 0.1
    for a, b in ((net, opt), (other, second)):
        b.zero_grad()
        a.eval()(ptt.ones(3, 2)).pow(2).sum().backward()
        b.step()
    for p, q in zip(net.parameters(), other.parameters(), strict=True):
        np.testing.assert_array_equal(p.detach().numpy(), q.detach().numpy())


def test_dtypes_ties_and_flags():
    w = ptt.nn.Parameter(ptt.tensor([1.0, 2.0]))
    tree = [w, w, ptt.ones(1, dtype=ptt.bfloat16), ptt.tensor(3), (ptt.ones(0), None), np.arange(2), ptt.tensor([True])]
    file = io.BytesIO()
    ptt.save(tree, file)
    file.seek(0)
    found = ptt.load(file)
    assert isinstance(found[0], ptt.nn.Parameter) and found[0].requires_grad
    with ptt.no_grad():
        found[0].zero_()
    assert found[1].tolist() == [0.0, 0.0] and w.tolist() == [1.0, 2.0]
    assert [str(t.dtype) for t in (found[2], found[3], found[6])] == ["torch.bfloat16", "torch.int64", "torch.bool"]
    assert found[3].shape == () and found[4][0].shape == (0,) and found[4][1] is None


def test_pytorchs_weights_through_safetensors(tmp_path):
    theirs = torch.nn.Linear(3, 2)
    data = {k: v.detach().numpy() for k, v in theirs.state_dict().items()}
    safetensors.numpy.save_file(data, tmp_path / "w.safetensors")
    mine = ptt.nn.Linear(3, 2)
    mine.load_state_dict(ptt.load(tmp_path / "w.safetensors"))
    np.testing.assert_array_equal(mine.weight.detach().numpy(), data["weight"])


def test_a_pickle_is_refused_and_never_run(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (tmp_path.joinpath("exploded").write_text, ("x",))

    for name, content in (("p", pickle.dumps(Bomb())), ("n", b"nonsense"), ("empty", b"")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(ValueError, match="safetensors"):
            ptt.load(tmp_path / name)
    torch.save({"a": torch.ones(1)}, tmp_path / "t.pt")
    with pytest.raises(ValueError, match="pickle"):
        ptt.load(tmp_path / "t.pt")
    assert not (tmp_path / "exploded").exists()


def test_a_failed_save_leaves_the_old_file(tmp_path):
    path = tmp_path / "a.pt"
    ptt.save({"a": ptt.ones(1)}, path)
    with pytest.raises(TypeError, match=r"\['net'\] is a Linear"):
        ptt.save({"net": ptt.nn.Linear(1, 1)}, path)
    assert ptt.load(path)["a"].tolist() == [1.0] and [p.name for p in tmp_path.iterdir()] == ["a.pt"]


def test_options_of_files_as_pytorch_keeps_them(tmp_path):
    for t in (ptt, torch):
        s = t.serialization
        assert s.get_default_load_endianness() is None and s.get_crc32_options() is True
        s.set_default_load_endianness(s.LoadEndianness.LITTLE)
        s.set_crc32_options(False)
        assert s.get_default_load_endianness().value == 2 and s.get_crc32_options() is False
        s.set_default_load_endianness(None)
        s.set_crc32_options(True)
        with pytest.raises(TypeError, match="Invalid argument type"):
            s.set_default_load_endianness("little")
        with s.set_default_mmap_options(mmap.MAP_PRIVATE):
            assert s.get_default_mmap_options() == mmap.MAP_PRIVATE
        with pytest.raises(ValueError, match="expected mmap.MAP_PRIVATE"):
            s.set_default_mmap_options(77)
        storage = t.ones(2).untyped_storage()
        assert s.location_tag(storage) == "cpu" and s.default_restore_location(storage, "cpu") is storage
        with pytest.raises(RuntimeError, match="don't know how to restore data location of .*tagged with moon"):
            s.default_restore_location(storage, "moon")
        s.register_package(30, lambda storage: None, lambda storage, location: "there" if location == "moon" else None)
        assert s.default_restore_location(storage, "moon") == "there"
        module = types.ModuleType("m")
        module.__version__ = "1.10.2"
        assert s.check_module_version_greater_or_equal(module, (1, 9))
        assert not s.check_module_version_greater_or_equal(module, (1, 11))
        with pytest.raises(RuntimeError, match="'m' module version string is malformed"):
            s.check_module_version_greater_or_equal(module, (1, 9, 2, 1))
        t.save({"a": t.ones(2)}, tmp_path / "file")
        assert s.get_unsafe_globals_in_checkpoint(tmp_path / "file") == []
        (tmp_path / "other").write_bytes(b"nothing that is written by save")
        with pytest.raises(ValueError, match="Expected input to be a checkpoint"):
            s.get_unsafe_globals_in_checkpoint(tmp_path / "other")
    with pytest.raises(NotImplementedError, match="MAP_SHARED"):
        ptt.serialization.set_default_mmap_options(mmap.MAP_SHARED)
    with pytest.raises(NotImplementedError, match="skip_data"):
        ptt.serialization.skip_data()
