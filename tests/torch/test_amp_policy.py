"""Under autocast every sampled function gives what PyTorch gives: the dtypes of its results, or a refusal."""

import functools

import jax
import pytest
import torch as theirs

import pytreemod.torch as ours

from .samples import MORE, SAMPLES, arguments, flat

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
# the matrices that these multiply come from float32 here, and so does the product
MORE_EXACT = {"cov", "corrcoef", "linalg.pinv"}


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation():
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def kinds(torch, name, sample, lower):
    function = functools.reduce(getattr, name.split("."), torch)
    (args, kwargs), _ = arguments(torch, sample)
    try:
        with torch.autocast("cpu", getattr(torch, lower)):
            results = flat(function(*args, **kwargs))
    except (RuntimeError, TypeError, NotImplementedError):
        return "refused"
    return [str(r.dtype) if isinstance(r, torch.Tensor) else type(r).__name__ for r in results]


@pytest.mark.parametrize("name", sorted(({n for n in SAMPLES if hasattr(theirs, n)} | set(MORE)) - MORE_EXACT))
def test_dtypes_of_results(name):
    for sample in (SAMPLES | MORE)[name][:2]:
        assert kinds(ours, name, sample, "bfloat16") == kinds(theirs, name, sample, "bfloat16"), sample
