"""Strides, offsets and contiguity of views, and what goes by them, against PyTorch."""

import pytest

VIEWS = {
    "itself": lambda t, x: x,
    "transpose": lambda t, x: x.transpose(0, -1),
    "swapaxes": lambda t, x: x.swapaxes(1, 2),
    "swapdims": lambda t, x: t.swapdims(x, 0, 1),
    "permute": lambda t, x: x.permute(2, 0, 1),
    "permute of named dims": lambda t, x: x.permute(dims=(-1, 0, 1)),
    "movedim": lambda t, x: x.movedim(0, -1),
    "movedim of several": lambda t, x: t.movedim(x, (0, 1), (2, 0)),
    "moveaxis": lambda t, x: x.moveaxis(-1, 0),
    "T": lambda t, x: x[0].T,
    "t": lambda t, x: x[1].t(),
    "mT": lambda t, x: x.mT,
    "adjoint": lambda t, x: x.adjoint(),
    "select": lambda t, x: x.select(1, -1),
    "narrow": lambda t, x: x.narrow(2, 1, 2),
    "narrow from the end": lambda t, x: x.narrow(2, -2, 2),
    "diagonal": lambda t, x: x.diagonal(),
    "diagonal above": lambda t, x: x.diagonal(1, 1, 2),
    "diagonal below": lambda t, x: x.diagonal(-1, -1, -2),
    "diagonal of nothing": lambda t, x: x.diagonal(7),
    "unfold": lambda t, x: x.unfold(2, 2, 1),
    "unfold in front": lambda t, x: x.unfold(1, 2, 2),
    "unfold of one number": lambda t, x: x[0, 0, 0].unfold(0, 1, 1),
    "expand": lambda t, x: x[:, :1].expand(2, 3, 4),
    "expand by new dimensions": lambda t, x: x.expand(5, 1, -1, -1, -1),
    "expand_as": lambda t, x: x[:1].expand_as(x),
    "broadcast_to": lambda t, x: t.broadcast_to(x[0, 0], (3, 4)),
    "squeeze": lambda t, x: x[:, :1].squeeze(),
    "squeeze of one": lambda t, x: x[:, :1].squeeze(1),
    "squeeze of none": lambda t, x: x.squeeze(0),
    "squeeze of two": lambda t, x: x[:1, :1].squeeze((0, 1)),
    "unsqueeze": lambda t, x: x.unsqueeze(1),
    "unsqueeze at the end": lambda t, x: x.unsqueeze(-1),
    "view": lambda t, x: x.view(6, -1),
    "view of splits": lambda t, x: x.transpose(0, 1).view(3, 2, 2, 2),
    "view with ones": lambda t, x: x.view(1, 2, 1, 12, 1),
    "view_as": lambda t, x: x.view_as(t.zeros(4, 6)),
    "view of another type": lambda t, x: x.view(t.int32),
    "reshape": lambda t, x: x.reshape(4, 6),
    "reshape that copies": lambda t, x: x.transpose(0, 2).reshape(-1),
    "reshape of a part": lambda t, x: x[:, 1:].reshape(2, 8),
    "reshape across parts": lambda t, x: x[:, 1:].reshape(-1),
    "reshape of an expansion": lambda t, x: x[:, :1].expand(2, 3, 4).reshape(2, 12),
    "flatten": lambda t, x: x.flatten(1),
    "flatten that copies": lambda t, x: x.mT.flatten(),
    "ravel": lambda t, x: x.ravel(),
    "unflatten": lambda t, x: x.unflatten(2, (2, -1)),
    "unflatten of a transposed": lambda t, x: x.mT.unflatten(1, (2, 2)),
    "integers": lambda t, x: x[1, :, 2],
    "slices": lambda t, x: x[:, 1:, ::3],
    "new dimensions": lambda t, x: x[None, 1:, None, 0, :, None],
    "new dimension before a slice": lambda t, x: x[::2, None, 1::2],
    "nothing": lambda t, x: x[2:],
    "dots": lambda t, x: x[..., 1],
    "split": lambda t, x: x.split(1, 1)[2],
    "chunk": lambda t, x: x.chunk(2, 2)[1],
    "unbind": lambda t, x: x.unbind(1)[2],
    "tensor_split": lambda t, x: x.tensor_split(3, 2)[1],
    "hsplit": lambda t, x: x.hsplit(3)[1],
    "iteration": lambda t, x: list(x)[1],
    "atleast_3d": lambda t, x: t.atleast_3d(x[0]),
    "meshgrid": lambda t, x: t.meshgrid(x[0, 0], x[0, :, 0], indexing="ij")[1],
    "detach": lambda t, x: x.mT.detach(),
    "data": lambda t, x: x[1:].data,
    "chain": lambda t, x: x.transpose(0, 1)[1:].select(0, 1)[:, 1:3].t().unsqueeze(0),
    "long chain": lambda t, x: (
        x.permute(1, 2, 0).diagonal(0, 0, 1)[1].unsqueeze(-1).expand(3, 3).movedim(0, 1)[1:, ::2]
    ),
    "contiguous": lambda t, x: x.mT.contiguous(),
    "a copy": lambda t, x: x.mT.clone().reshape(-1)[2:],
    "real": lambda t, x: t.real(t.complex(x, x))[1],
    "imag": lambda t, x: t.imag(t.complex(x, x).mT),
}


def _told(t, view):
    x = t.arange(24.0).reshape(2, 3, 4).clone()
    y = view(t, x)
    order = (
        y.shape,
        y.stride(),
        [y.stride(k) for k in range(-y.dim(), y.dim())],
        y.storage_offset(),
        y.is_contiguous(),
    )
    return order, y.tolist()


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_tells_pytorchs_layout(agree, name):
    agree(lambda t: _told(t, VIEWS[name]))


ALIASES = (
    "reshape that copies",
    "reshape of a part",
    "reshape across parts",
    "flatten that copies",
    "reshape",
    "flatten",
)


@pytest.mark.parametrize("name", ALIASES)
@pytest.mark.parametrize("grad", [False, True])
def test_reshape_aliases_where_pytorchs_does(agree, name, grad):
    def written(t):
        x = t.arange(24.0).reshape(2, 3, 4).clone().requires_grad_(grad)
        y = x * 2
        z = VIEWS[name](t, y)
        if not name.endswith("expansion"):  # which holds elements twice
            z.mul_(3)
        if grad:
            (y * y + z.sum()).sum().backward()
        return y, z, x.grad

    agree(written)


REFUSED = {
    "across": lambda t, x: x.mT.view(-1),
    "expanded": lambda t, x: x.expand(3, 2, 3, 4).view(72),
    "as another": lambda t, x: x[:, 1:].view_as(t.zeros(16)),
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_view_that_no_strides_express_is_refused(refuse, name):
    phrase = "view size is not compatible with input tensor's size and stride (at least one dimension spans across two"
    refuse(lambda t: REFUSED[name](t, t.zeros(2, 3, 4)), phrase)


def test_an_unknown_dimension_has_no_stride(refuse):
    refuse(lambda t: t.zeros(2, 3).stride(2), "Dimension out of range (expected to be in range of [-2, 1], but got 2)")


@pytest.mark.parametrize("other", ["float64", "int16", "uint8"])
def test_elements_of_another_size(agree, other):
    def told(t):
        y = t.zeros(4, 8)[1:, 4:].view(getattr(t, other))
        return y.shape, y.stride(), y.storage_offset()

    agree(told)
