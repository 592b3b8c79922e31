"""What values and arguments at the edge give: gradients at NaN, arguments of a wrong type, shapes taken from others."""

import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

NAN = float("nan")
AT_NAN = """
torch.abs(x)
torch.clamp(x, -1, 1)
torch.clamp(x, min=0.5)
torch.clamp_min(x, 0.5)
torch.clamp_max(x, 0.5)
torch.maximum(x, y)
torch.minimum(x, y)
torch.max(x, y)
torch.max(x)
torch.min(x)
torch.relu(x)
torch.nn.functional.elu(x)
torch.selu(x)
torch.celu(x)
torch.angle(x)
torch.dist(x, y, 1)
torch.nn.functional.cosine_similarity(x, y, 0, 9.0)
torch.linalg.vector_norm(x, 1)
""".strip().splitlines()


@pytest.mark.parametrize("call", AT_NAN)
def test_gradients_at_nan(call):
    grads = []
    for torch in (theirs, ours):
        x = torch.tensor([0.5, NAN, -0.5, 2.0, 0.0], requires_grad=True)
        y = torch.tensor([0.1, 0.5, NAN, 2.0, 0.3], requires_grad=True)
        eval(call, {"torch": torch, "x": x, "y": y}).sum().backward()
        grads.append([np.zeros(5) if t.grad is None else t.grad.numpy() for t in (x, y)])
    np.testing.assert_allclose(grads[1], grads[0], rtol=1e-5, atol=1e-6)


def test_infinities_stay_in_their_part_of_a_complex_number():
    for torch in (theirs, ours):
        z = torch.complex(torch.tensor([1.0, NAN]), torch.tensor([float("inf"), 2.0]))
        assert z.real.tolist()[0] == 1.0 and z.imag.tolist() == [float("inf"), 2.0]


WRONG = """
torch.abs("abc")
torch.cos(None)
torch.sum([1.0])
torch.add(x, "abc")
torch.add(x, None)
torch.mul(x, [1.0])
torch.sum(x, dim="abc")
torch.sum(x, dim=1.5)
torch.softmax(x, "abc")
torch.mm(x, 2)
torch.addmm(x, x, 2.0)
torch.addcmul(x, 2, x)
torch.matmul(x, None)
torch.cumsum(x, True)
torch.transpose(x, 0, 1.5)
torch.topk(x, 1, dim="a")
torch.sort(x, descending="yes")
torch.argmax(x, keepdim="yes")
torch.masked_fill(x, 2, 0.0)
torch.where(x > 0, "a", x)
torch.conv1d(x[None], "weight")
torch.tril(x, 1.5)
torch.diagonal(x, "abc")
torch.tensor_split("abc", 2)
torch.nn.functional.linear(x, "weight")
torch.nn.functional.layer_norm(x, (3,), 2.0)
torch.cdist(x, 3)
torch.view_copy(2, (3,))
x.view_as(2)
torch.linalg.inv("abc")
torch.fft.fft("abc")
torch.special.entr("abc")
""".strip().splitlines()


@pytest.mark.parametrize("call", WRONG)
def test_a_wrong_type_is_refused(call):
    for torch in (theirs, ours):
        with pytest.raises(TypeError):
            eval(call, {"torch": torch, "x": torch.ones(3, 3)})


REFUSED = """
torch.nn.ConvTranspose1d(2, 3, 2, padding=-1)(torch.ones(1, 2, 3))
torch.nn.ConvTranspose1d(2, 3, 2, stride=2, output_padding=-1)(torch.ones(1, 2, 3))
torch.nn.ConvTranspose2d(2, 3, 2, stride=2, padding=3)(torch.ones(1, 2, 3, 3))
torch.nn.MaxUnpool1d(2, padding=3)(torch.ones(1, 2, 2), torch.zeros(1, 2, 2, dtype=torch.int64))
torch.nn.BatchNorm1d(3, eps=0.0)(torch.ones(4, 3))
torch.complex(x.bfloat16(), x.bfloat16())
torch.nn.EmbeddingBag(7, 3, mode="max", scale_grad_by_freq=True)(torch.zeros(2, 2, dtype=torch.int64))
""".strip().splitlines()


@pytest.mark.parametrize("call", REFUSED)
def test_what_pytorch_refuses(call):
    with pytest.raises((RuntimeError, ValueError)) as want:
        eval(call, {"torch": theirs, "x": theirs.ones(2)})
    with pytest.raises(want.type):
        eval(call, {"torch": ours, "x": ours.ones(2)})


SAME = """
torch.inner(x, torch.tensor(2))
torch.bincount(i, x[0])
torch.bincount(i, i)
torch.linalg.lstsq(x[None], torch.ones(2, 3, 1), driver="gelsd").singular_values
torch.linalg.lstsq(x[None], torch.ones(2, 3, 1)).rank
torch.typename(torch.Size).rpartition(".")[2]
torch.ones(3, 1).expand_as(x)
x.view_as(torch.ones(9))
""".strip().splitlines()


@pytest.mark.parametrize("call", SAME)
def test_further_results(call):
    def plain(torch):
        out = eval(call, {"torch": torch, "x": torch.eye(3) * 2, "i": torch.tensor([0, 2, 2])})
        return (str(out.dtype), tuple(out.shape), out.tolist()) if isinstance(out, torch.Tensor) else out

    assert plain(ours) == plain(theirs)


def test_a_shape_taken_from_another_is_no_input():
    x, other = ours.ones(4, requires_grad=True), ours.ones(2, 2, requires_grad=True)
    x.view_as(other).sum().backward()
    assert other.grad is None and x.grad.tolist() == [1.0] * 4
