"""safetensors files: ties, dtypes, PyTorch's files, and bad ones."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pytreemod import nn
from pytreemod.interop import load_safetensors, save_safetensors

safetensors = pytest.importorskip("safetensors.numpy")


class Net(nn.Module):
    def __init__(self, dtype="float32", fill=1.0, width=3):
        super().__init__()
        self.weight = nn.Parameter(jnp.full((2, width), fill, dtype))
        self.again = self.weight
        self.register_buffer("steps", jnp.asarray(int(fill), "int32"))
        self.register_buffer("hidden", jnp.ones(1), persistent=False)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16", "float8_e4m3fn", "complex64"])
def test_round_trip_keeps_values_dtypes_and_ties(tmp_path, dtype):
    path = tmp_path / "model.safetensors"
    save_safetensors(path, Net(dtype, 2.0))
    loaded = load_safetensors(path, Net(dtype))
    assert loaded.weight is loaded.again and loaded.weight.dtype == dtype and int(loaded.steps) == 2
    np.testing.assert_array_equal(loaded.weight, Net(dtype, 2.0).weight)
    assert [p.name for p in tmp_path.iterdir()] == ["model.safetensors"]


def test_a_tied_leaf_is_stored_once(tmp_path):
    save_safetensors(tmp_path / "a", Net())
    assert sorted(safetensors.load_file(tmp_path / "a")) == ["steps", "weight"]


def test_files_with_any_of_the_names_load(tmp_path):
    values = {"again": np.full((2, 3), 5.0, "float32"), "steps": np.array(4, "int32")}
    safetensors.save_file(values, tmp_path / "a")
    assert float(load_safetensors(tmp_path / "a", Net()).weight[0, 0]) == 5.0


def test_what_does_not_fit_is_reported_and_a_failed_save_keeps_the_old_file(tmp_path):
    save_safetensors(tmp_path / "a", Net(width=4))
    with pytest.raises(RuntimeError, match="size mismatch for weight"):
        load_safetensors(tmp_path / "a", Net())
    before = (tmp_path / "a").read_bytes()
    with pytest.raises(TypeError, match="expected an array at 'weight', got ShapeDtypeStruct"):
        save_safetensors(tmp_path / "a", jax.eval_shape(Net))
    with pytest.raises(TypeError, match="'weight' is a typed JAX key"):
        save_safetensors(tmp_path / "a", Net().at["weight"].set(jax.random.key(0)))
    assert (tmp_path / "a").read_bytes() == before
    (tmp_path / "b").write_bytes(b"nothing")
    with pytest.raises(ValueError, match="is no safetensors file"):
        load_safetensors(tmp_path / "b", Net())
