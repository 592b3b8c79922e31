"""Floats of 8 bits: stored, cast, shown, saved and multiplied by scales, against PyTorch."""

import pickle

import pytest
import torch as theirs

import pytreemod.torch as ours

VALUES = [1.0, 0.3, -0.07, 500.0, -1000.0, 448.0, 464.0, float("inf"), float("nan"), 0.0]
NAMES = ("float8_e4m3fn", "float8_e5m2")


@pytest.mark.parametrize("name", NAMES)
def test_casts(agree, name):
    def run(t):
        x = t.tensor(VALUES).to(getattr(t, name))
        return x.float().nan_to_num(-3.0), x[:8].view(t.uint8), x.reshape(5, 2).t()[1].bfloat16().nan_to_num(-3.0)

    agree(run)
    agree(lambda t: t.tensor([1.0, 500.0], dtype=getattr(t, name)).double())
    agree(lambda t: t.full((2,), 3.0, dtype=getattr(t, name)).float())
    agree(lambda t: t.zeros(2, dtype=getattr(t, name)).copy_(t.tensor([1.0, 700.0])).float())


@pytest.mark.parametrize("name", NAMES)
def test_the_dtype(name):
    mine, other = getattr(ours, name), getattr(theirs, name)
    assert repr(mine) == repr(other) and repr(ours.finfo(mine)) == repr(theirs.finfo(other))
    assert (mine.itemsize, mine.is_floating_point, mine.is_signed) == (1, True, True)
    assert pickle.loads(pickle.dumps(mine)) is mine
    x = ours.tensor([1.0, 2.0]).to(mine)
    assert repr(x) == repr(theirs.tensor([1.0, 2.0]).to(other)) and x.type() == theirs.ones(1).to(other).type()
    assert x.tolist() == [1.0, 2.0] and x[1].item() == 2.0


def test_a_gradient_goes_through_the_cast(agree):
    def run(t):
        x = t.tensor([1.0, 2.0], requires_grad=True)
        (x.to(t.float8_e5m2).float() * t.tensor([3.0, 4.0])).sum().backward()
        return x.grad

    agree(run)


def test_they_are_promoted_with_nothing(refuse):
    words = "Promotion for Float8 Types is not supported, attempted to promote Float8_e4m3fn and Float"
    refuse(lambda t: t.ones(2).to(t.float8_e4m3fn) + t.ones(2), words)
    refuse(lambda t: t.promote_types(t.float8_e4m3fn, t.float32), words)
    refuse(lambda t: t.ones(2).to(t.float8_e5m2).numpy(), "Got unsupported ScalarType Float8_e5m2")
    assert ours.promote_types(ours.float8_e5m2, ours.float8_e5m2) is ours.float8_e5m2
    with pytest.raises(AttributeError, match="instead: torch.complex64"):
        ours.complex32  # noqa: B018
    with pytest.raises(AttributeError, match="instead: torch.float8_e4m3fn"):
        ours.float8_e4m3fnuz  # noqa: B018


def test_scaled_products(agree, refuse):
    def factors(t, kind="float8_e4m3fn"):
        a = (t.arange(15.0).reshape(3, 5) / 4).to(t.float8_e4m3fn)
        return a, (t.arange(35.0).reshape(7, 5) / 16).to(getattr(t, kind)).t()

    def product(t, *rest, kind="float8_e4m3fn", **options):
        return t._scaled_mm(*factors(t, kind), *rest, **options)

    agree(lambda t: product(t, t.tensor(2.0), t.tensor(3.0), out_dtype=t.float32))
    agree(lambda t: product(t, t.tensor(2.0), t.tensor(3.0), kind="float8_e5m2").float())
    agree(lambda t: product(t, t.tensor(0.5), t.tensor(3.0), t.arange(7.0), out_dtype=t.bfloat16).float(), 1e-2)
    agree(lambda t: product(t, t.tensor(1.0), t.tensor(0.5), None, t.tensor(4.0), out_dtype=t.float8_e4m3fn).float())
    agree(lambda t: product(t, t.tensor(1.0), t.tensor(0.5), None, t.tensor(4.0), out_dtype=t.bfloat16).float())
    agree(lambda t: product(t, t.arange(1.0, 4.0)[:, None], t.arange(7.0)[None], out_dtype=t.float32))

    def one(t):
        return t.tensor(1.0)

    refuse(lambda t: t._scaled_mm(t.ones(3, 3), t.ones(3, 3), one(t), one(t)), "Invalid scaling configuration.")
    refuse(
        lambda t: t._scaled_mm(*factors(t)[:1] * 2, one(t), one(t)), "mat_a and mat_b shapes cannot be multiplied (3x5"
    )
    refuse(lambda t: product(t, one(t), one(t), t.ones(3)), "Bias must be size 7 but got 3")


def test_saving(tmp_path):
    x = ours.tensor(VALUES[:6]).to(ours.float8_e4m3fn)
    ours.save({"x": x}, tmp_path / "x")
    found = ours.load(tmp_path / "x")["x"]
    assert found.dtype is ours.float8_e4m3fn and found.tolist() == x.tolist()
