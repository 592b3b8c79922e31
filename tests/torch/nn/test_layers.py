"""Every live layer against PyTorch's: text, initial values from one seed, outputs, gradients and buffers."""

import numpy as np
import pytest
import torch

import pytreemod as ptm
import pytreemod.torch as ptt
from pytreemod import nn
from pytreemod.rng import HostStream

pytestmark = [
    pytest.mark.filterwarnings("ignore:.?NLLLoss2d"),
    pytest.mark.filterwarnings("ignore:enable_nested_tensor"),
]
N = np.random.RandomState(0)


def f(*shape):
    return N.randn(*shape).astype(np.float32)


def classes(count, *shape):
    return N.randint(0, count, shape)


def positive(*shape):
    return np.abs(f(*shape)) + 0.5


def places(*shape):
    return np.arange(np.prod(shape[2:])).reshape(shape[2:]) + np.zeros(shape, np.int64)


def signs(*shape):
    return np.sign(f(*shape))


X = f(3, 4)
ACTIVATIONS = """CELU ELU GELU Hardshrink Hardsigmoid Hardswish Hardtanh LeakyReLU LogSigmoid Mish PReLU ReLU
ReLU6 SELU SiLU Sigmoid Softplus Softshrink Softsign Tanh Tanhshrink""".split()
PADS = "Circular Reflection Replication Zero".split()
PAIRS = "L1Loss MSELoss SmoothL1Loss HuberLoss".split()
LAYERS = {
    **{name: ((), {}, X) for name in ACTIVATIONS},
    **{name: ((), {}, X, f(3, 4)) for name in PAIRS},
    **{name: ((1,), {}, X) for name in ("Softmax", "Softmin", "LogSoftmax")},
    "Softmax2d": ((), {}, f(2, 3, 2, 2)),
    "GLU": ((), {}, X),
    "Threshold": ((0.1, 20.0), {}, X),
    "Identity": ((), {}, X),
    "Linear": ((4, 5), {}, X),
    "Bilinear": ((4, 3, 2), {}, X, f(3, 3)),
    "Flatten": ((), {}, f(2, 3, 2)),
    "Unflatten": ((1, (2, 2)), {}, X),
    **{f"Conv{n}d": ((2, 4, 3), {"padding": 1, "groups": 2}, f(1, 2, *(4,) * n)) for n in (1, 2, 3)},
    **{f"ConvTranspose{n}d": ((2, 3, 2), {"stride": 2}, f(1, 2, *(3,) * n)) for n in (1, 2, 3)},
    **{f"MaxPool{n}d": ((2,), {}, f(1, 2, *(4,) * n)) for n in (1, 2, 3)},
    **{f"AvgPool{n}d": ((2,), {}, f(1, 2, *(4,) * n)) for n in (1, 2, 3)},
    **{f"AdaptiveAvgPool{n}d": ((2,), {}, f(1, 2, *(4,) * n)) for n in (1, 2, 3)},
    **{f"{kind}Pad{n}d": ((1,), {}, f(1, 2, *(3,) * n)) for kind in PADS for n in (1, 2, 3)},
    **{f"ConstantPad{n}d": ((1, 0.5), {}, f(1, 2, *(3,) * n)) for n in (1, 2, 3)},
    **{f"AdaptiveMaxPool{n}d": ((2,), {}, f(1, 2, *(5,) * n)) for n in (1, 2, 3)},
    **{f"LPPool{n}d": ((2, 2), {}, positive(1, 2, *(4,) * n)) for n in (1, 2, 3)},
    **{f"FractionalMaxPool{n}d": ((2,), {"output_ratio": 0.5}, f(1, 2, *(6,) * n)) for n in (2, 3)},
    **{f"MaxUnpool{n}d": ((2,), {}, f(1, 2, *(2,) * n), places(1, 2, *(2,) * n)) for n in (1, 2, 3)},
    "LocalResponseNorm": ((3,), {}, f(1, 5, 2)),
    "CrossMapLRN2d": ((3,), {}, f(1, 5, 2, 2)),
    "RReLU": ((), {}, X),
    "PixelShuffle": ((2,), {}, f(1, 4, 2, 3)),
    "PixelUnshuffle": ((2,), {}, f(1, 1, 2, 4)),
    "ChannelShuffle": ((2,), {}, f(1, 4, 3)),
    "Unfold": ((2,), {}, f(1, 2, 3, 3)),
    "Fold": ((3, 2), {}, f(1, 8, 4)),
    "Upsample": ((), {"scale_factor": 1.5, "mode": "bilinear"}, f(1, 2, 3, 3)),
    "UpsamplingNearest2d": ((), {"scale_factor": 2}, f(1, 2, 3, 3)),
    "UpsamplingBilinear2d": ((5,), {}, f(1, 2, 3, 3)),
    **{f"BatchNorm{n}d": ((3,), {}, f(4, 3, *(2,) * n)) for n in (1, 2, 3)},
    **{
        f"InstanceNorm{n}d": ((3,), {"affine": True, "track_running_stats": True}, f(2, 3, *(3,) * n))
        for n in (1, 2, 3)
    },
    "LayerNorm": ((4,), {}, X),
    "GroupNorm": ((2, 4), {}, f(2, 4, 3)),
    "RMSNorm": ((4,), {}, X),
    **{name: ((0.5,), {}, f(2, 4, 3)) for name in ("Dropout", "Dropout1d", "AlphaDropout")},
    "FeatureAlphaDropout": ((0.5,), {}, f(2, 4, 3, 3)),
    "Dropout2d": ((0.5,), {}, f(2, 4, 3, 3)),
    "Dropout3d": ((0.5,), {}, f(2, 4, 2, 2, 2)),
    "Embedding": ((7, 3), {"padding_idx": 1}, classes(7, 2, 3)),
    "MultiheadAttention": ((4, 2), {"dropout": 0.0}, f(3, 2, 4), f(3, 2, 4), f(3, 2, 4)),
    "RNN": ((3, 4), {"num_layers": 2, "bidirectional": True}, f(5, 2, 3)),
    "LSTM": ((3, 4), {"num_layers": 2, "batch_first": True}, f(2, 5, 3)),
    "GRU": ((3, 4), {}, f(5, 2, 3)),
    "RNNBase": None,
    "RNNCellBase": None,
    "RNNCell": ((3, 4), {}, f(2, 3)),
    "LSTMCell": ((3, 4), {}, f(2, 3)),
    "GRUCell": ((3, 4), {}, f(2, 3)),
    "TransformerEncoderLayer": ((4, 2, 8), {"dropout": 0.0}, f(3, 2, 4)),
    "TransformerDecoderLayer": ((4, 2, 8), {"dropout": 0.0, "activation": "gelu"}, f(3, 2, 4), f(5, 2, 4)),
    "Transformer": ((4, 2, 2, 2, 8), {"dropout": 0.0, "norm_first": True}, f(3, 2, 4), f(5, 2, 4)),
    "TransformerDecoder": None,
    "EmbeddingBag": ((7, 3), {"mode": "max", "padding_idx": 1}, classes(7, 2, 3)),
    "SyncBatchNorm": ((3,), {}, f(4, 3, 2)),
    "CTCLoss": ((), {}, f(5, 2, 4), classes(3, 2, 2) + 1, np.array([5, 4]), np.array([2, 1])),
    "AdaptiveLogSoftmaxWithLoss": ((4, 9, [3, 6]), {"div_value": 2.0}, X, np.array([1, 4, 8])),
    "LinearCrossEntropyLoss": ((4, 5), {"out_features": (2,), "bias": True}, X, classes(5, 3, 2)),
    "CosineSimilarity": ((), {}, X, f(3, 4)),
    "PairwiseDistance": ((), {}, X, f(3, 4)),
    "CrossEntropyLoss": ((), {"label_smoothing": 0.1}, X, classes(4, 3)),
    **{name: ((), {}, X, classes(4, 3)) for name in ("NLLLoss", "NLLLoss2d")},
    "BCELoss": ((), {}, N.rand(3, 4).astype(np.float32), N.rand(3, 4).astype(np.float32)),
    "BCEWithLogitsLoss": ((), {}, X, N.rand(3, 4).astype(np.float32)),
    "KLDivLoss": ((), {"reduction": "batchmean"}, X, positive(3, 4)),
    "PoissonNLLLoss": ((), {}, X, positive(3, 4)),
    "GaussianNLLLoss": ((), {}, X, f(3, 4), positive(3, 4)),
    "HingeEmbeddingLoss": ((), {}, X, signs(3, 4)),
    "SoftMarginLoss": ((), {}, X, signs(3, 4)),
    "MarginRankingLoss": ((), {}, f(3), f(3), signs(3)),
    "MultiMarginLoss": ((), {}, X, classes(4, 3)),
    "MultiLabelMarginLoss": ((), {}, X, np.array([[1, 0, -1, -1], [2, -1, 0, 0], [3, 1, 0, -1]])),
    "MultiLabelSoftMarginLoss": ((), {}, X, (positive(3, 4) > 1).astype(np.float32)),
    "CosineEmbeddingLoss": ((), {}, X, f(3, 4), signs(3)),
    "TripletMarginLoss": ((), {}, X, f(3, 4), f(3, 4)),
    "TripletMarginWithDistanceLoss": ((), {}, X, f(3, 4), f(3, 4)),
    **dict.fromkeys(["Sequential", "ModuleList", "ModuleDict", "ParameterList", "ParameterDict"]),
    "TransformerEncoder": None,  # below: it takes a layer
}
CASES = [name for name in ptt.nn.LAYERS if LAYERS.get(name, ()) is not None]


def run(t, name):
    """(layer, outputs, inputs) of one training call from one seed."""
    args, kwargs, *inputs = LAYERS[name]
    t.manual_seed(3)
    layer = getattr(t.nn, name)(*args, **kwargs)
    inputs = [t.tensor(x, requires_grad=x.dtype == np.float32 and k == 0) for k, x in enumerate(inputs)]
    return layer, flat(layer(*inputs)), inputs


def flat(out):
    if isinstance(out, (tuple, list)):
        return [x for part in out for x in flat(part)]
    return [out]


def close(mine, theirs, what):
    np.testing.assert_allclose(mine.detach().numpy(), theirs.detach().numpy(), rtol=2e-4, atol=2e-5, err_msg=what)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_is_pytorchs(name):
    assert name in LAYERS, "a new layer needs a line in the table"
    mine, outputs, inputs = run(ptt, name)
    theirs, expected, others = run(torch, name)
    assert repr(mine) == repr(theirs)
    assert len(outputs) == len(expected)
    for a, b in zip(outputs, expected, strict=True):
        close(a, b, "output")
    state = theirs.state_dict()
    assert list(mine.state_dict()) == list(state)
    for path, value in mine.state_dict().items():
        close(value, state[path], path)
        assert str(value.dtype) == str(state[path].dtype), path
    if not outputs[0].requires_grad:
        assert not expected[0].requires_grad
        return
    sum((o * o).sum() for o in outputs).backward()
    sum((o * o).sum() for o in expected).backward()
    if inputs[0].requires_grad:
        close(inputs[0].grad, others[0].grad, "gradient of the input")
    for (path, a), b in zip(mine.named_parameters(), theirs.parameters(), strict=True):
        assert type(a) is ptt.nn.Parameter
        close(a.grad, b.grad, path)


def test_every_layer_of_pytorch_is_walked():
    names = {n for n, c in vars(torch.nn).items() if isinstance(c, type) and issubclass(c, torch.nn.Module)}
    lazy = {n for n in names if n.startswith("Lazy")}  # walked in test_lazy.py
    assert names - lazy - set(LAYERS) == {"Module", "Container", "DataParallel"}
    assert all(hasattr(ptt.nn, n) for n in names)


def test_a_transformer_is_pytorchs():
    def made(t):
        t.manual_seed(3)
        layer = t.nn.TransformerEncoderLayer(4, 2, 8, dropout=0.0)
        return t.nn.TransformerEncoder(layer, 2, enable_nested_tensor=False)

    mine, theirs = made(ptt), made(torch)
    assert repr(mine) == repr(theirs) and list(mine.state_dict()) == list(theirs.state_dict())
    x = f(3, 2, 4)
    close(mine(ptt.tensor(x)), theirs(torch.tensor(x)), "output")


def test_batch_norm_keeps_its_buffers():
    layer, x = ptt.nn.BatchNorm1d(3), ptt.tensor(f(4, 3))
    mean, count = layer.running_mean, layer.num_batches_tracked
    layer(x)
    pending = layer(x)
    assert layer.running_mean is mean and layer.num_batches_tracked is count
    assert not mean.requires_grad and count.item() == 2
    pending.sum().backward()  # moving the statistics is no change of what the gradient needs
    own = ptt.zeros(3)
    layer.running_mean = own
    assert layer.running_mean is own


@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_dtype_arguments_and_the_default(dtype):
    kind = getattr(ptt, dtype)
    assert ptt.nn.Linear(2, 2, dtype=kind).weight.dtype is kind
    assert ptt.nn.TransformerEncoderLayer(4, 2, 8, dtype=kind).self_attn.out_proj.weight.dtype is kind
    ptt.set_default_dtype(kind)
    try:
        assert ptt.nn.Linear(2, 2).bias.dtype is kind
    finally:
        ptt.set_default_dtype(ptt.float32)


def test_float64_layers_start_as_in_pytorch():
    ptt.manual_seed(1), torch.manual_seed(1)
    mine, theirs = ptt.nn.Linear(3, 2, dtype=ptt.float64), torch.nn.Linear(3, 2, dtype=torch.float64)
    np.testing.assert_allclose(mine.weight.detach().numpy(), theirs.weight.detach().numpy(), rtol=1e-12)


def test_in_place_activation():
    x = ptt.tensor([-1.0, 2.0])
    out = ptt.nn.ReLU(inplace=True)(x)
    assert out is x and x.tolist() == [0.0, 2.0]
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad is being used in an in-place"):
        ptt.nn.ReLU(inplace=True)(ptt.tensor([1.0], requires_grad=True))


def test_from_pretrained_shares_the_table():
    table = ptt.tensor(f(4, 2))
    layer = ptt.nn.Embedding.from_pretrained(table)
    assert not layer.weight.requires_grad
    np.testing.assert_array_equal(layer(ptt.tensor([2])).numpy(), table[2:3].numpy())


def test_dropout_in_training_draws_what_pytorch_draws():
    def masks(t):
        t.manual_seed(0)
        layer = t.nn.Dropout(0.3)
        return [layer(t.ones(5)).numpy() for _ in range(3)]

    np.testing.assert_array_equal(masks(ptt), masks(torch))


def test_live_layers_can_be_extended():
    class Twice(ptt.nn.Linear):
        def forward(self, x):
            return super().forward(x) * 2

    class Named(ptt.nn.BatchNorm1d):
        def __init__(self, n):
            super().__init__(n)
            self.extra = ptt.nn.Linear(n, n)

    assert Twice(2, 3)(ptt.ones(1, 2)).shape == (1, 3)
    assert list(Named(2).state_dict())[-1] == "extra.bias" and isinstance(Named(2), ptt.nn.Module)


@pytest.mark.parametrize("name", CASES)
def test_a_layer_goes_to_the_functional_face_and_back(name):
    args, kwargs, *_ = LAYERS[name]
    ptt.manual_seed(3)
    layer = getattr(ptt.nn, name)(*args, **kwargs)
    with ptm.rng(HostStream(3)):
        made = getattr(nn, name)(*args, **kwargs)
    model = ptm.functional(layer)
    again = ptm.stateful(model)
    assert model._structure is made._structure  # as the functional face makes it from the same seed
    assert type(again) is type(layer) and repr(again) == repr(layer)
    assert list(again.state_dict()) == list(layer.state_dict())
    for live, leaf in zip(again.state_dict().values(), made.state_dict().values(), strict=True):
        np.testing.assert_array_equal(live.numpy(), leaf)
