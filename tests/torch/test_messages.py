"""Every misuse that PyTorch refuses: the same type and the same key phrase here, run side by side."""

import pytest
import torch

import pytreemod.torch as ptt


def leaf(t, *values):
    return t.tensor(list(values or (1.0, 2.0)), requires_grad=True)


def backward_twice(t):
    y = (leaf(t) ** 2).sum()
    y.backward()
    y.backward()


def changed_under_no_grad(t):
    w = leaf(t)
    y = (w * w).sum()
    with t.no_grad():
        w.mul_(2)
    y.backward()


def changed_through_detach(t):
    w = leaf(t)
    y = (w**3).sum()
    w.detach().zero_()
    y.backward()


def subtract_from_a_parameter(t):
    p = t.nn.Parameter(t.ones(2))
    p -= 0.1


def grad_of(t, value):
    p = t.nn.Parameter(t.ones(2))
    p.grad = value
    return p


def module_before_init(t):
    class M(t.nn.Module):
        def __init__(self):
            self.w = t.nn.Parameter(t.ones(1))

    M()


def tensor_over_a_parameter(t):
    m = t.nn.Linear(2, 2)
    m.weight = t.ones(2, 2)


def iterator_used_up(t):
    params = t.nn.Linear(2, 2).parameters()
    t.optim.SGD(params)
    t.optim.SGD(params)


def write_a_view_of_a_leaf(t):
    x = leaf(t)
    x[0] = 1


REFUSED = {
    "a leaf Variable that requires grad is being used in an in-place operation.": [
        lambda t: leaf(t).add_(1),
        lambda t: leaf(t).zero_(),
        subtract_from_a_parameter,
        lambda t: t.relu_(leaf(t)),
    ],
    "a view of a leaf Variable that requires grad is being used in an in-place operation.": [
        write_a_view_of_a_leaf,
        lambda t: leaf(t)[0].mul_(2),
    ],
    "Trying to backward through the graph a second time": [backward_twice],
    "Specify retain_graph=True": [backward_twice],
    "has been modified by an inplace operation: [torch.FloatTensor [2]]": [
        changed_under_no_grad,
        changed_through_detach,
    ],
    "is at version 1; expected version 0 instead. Hint:": [changed_under_no_grad],
    "grad can be implicitly created only for scalar outputs": [
        lambda t: (leaf(t) * 2).backward(),
        lambda t: t.autograd.grad(leaf(t) * 2, leaf(t)),
    ],
    "element 0 of tensors does not require grad and does not have a grad_fn": [lambda t: t.ones(2).sum().backward()],
    "element 1 of tensors does not require grad": [
        lambda t: t.autograd.backward([leaf(t).sum(), t.ones(1)], [None, None])
    ],
    "Mismatch in shape: grad_output[0] has a shape of": [lambda t: (leaf(t) * 2).backward(t.ones(3))],
    "One of the differentiated Tensors does not require grad": [
        lambda t: t.autograd.grad(leaf(t).sum(), [t.ones(1)]),
    ],
    "appears to not have been used in the graph. Set allow_unused=True": [
        lambda t: t.autograd.grad((leaf(t) * 2).sum(), [leaf(t)]),
    ],
    "Can't call numpy() on Tensor that requires grad. Use tensor.detach().numpy() instead.": [
        lambda t: leaf(t).numpy()
    ],
    "you can only change requires_grad flags of leaf variables.": [
        lambda t: setattr(leaf(t) * 2, "requires_grad", False),
        lambda t: (leaf(t) * 2).requires_grad_(False),
    ],
    "nly Tensors of floating point": [
        lambda t: t.tensor([1], requires_grad=True),
        lambda t: t.tensor([1]).requires_grad_(),
        lambda t: setattr(t.tensor([1]), "requires_grad", True),
        lambda t: t.nn.Parameter(t.tensor([1])),
    ],
    "Boolean value of Tensor with more than one value is ambiguous": [
        lambda t: bool(t.ones(2)),
        lambda t: t.ones(2) in [t.ones(2) * 2, 3],
        lambda t: 1 if t.ones(2) > 0 else 0,
    ],
    "Boolean value of Tensor with no values is ambiguous": [lambda t: bool(t.ones(0))],
    "a Tensor with 2 elements cannot be converted to Scalar": [lambda t: t.ones(2).item()],
    "only one element tensors can be converted to Python scalars": [
        lambda t: float(t.ones(2)),
        lambda t: int(t.ones(2)),
    ],
    "assigned grad expected to be a Tensor or None but got grad of type": [lambda t: grad_of(t, 1.0)],
    "attempting to assign a gradient with dtype 'double' to a tensor with grad_dtype 'Float'": [
        lambda t: grad_of(t, t.ones(2, dtype=t.float64))
    ],
    "can't assign Variable as its own grad": [lambda t: setattr(p := leaf(t), "grad", p)],
    "can't optimize a non-leaf Tensor": [lambda t: t.optim.SGD([leaf(t) * 2])],
    "params argument given to the optimizer should be an iterable of Tensors or dicts, but got torch.FloatTensor": [
        lambda t: t.optim.SGD(t.ones(2)),
        lambda t: t.optim.Adam(leaf(t)),
    ],
    "optimizer got an empty parameter list": [lambda t: t.optim.SGD([]), iterator_used_up],
    "optimizer can only optimize Tensors, but one of the params is float": [lambda t: t.optim.SGD([1.0])],
    "some parameters appear in more than one parameter group": [
        lambda t: t.optim.SGD([{"params": [p := leaf(t)]}, {"params": [p]}]),
    ],
    "optimizer parameters need to be organized in ordered collections": [
        lambda t: t.optim.SGD([{"params": {leaf(t)}}]),
    ],
    "Invalid learning rate: -1": [lambda t: t.optim.SGD([leaf(t)], lr=-1), lambda t: t.optim.Adam([leaf(t)], lr=-1)],
    "Invalid momentum value: -0.5": [lambda t: t.optim.SGD([leaf(t)], momentum=-0.5)],
    "Invalid beta parameter at index 0: 1.5": [lambda t: t.optim.Adam([leaf(t)], betas=(1.5, 0.9))],
    "Nesterov momentum requires a momentum and zero dampening": [lambda t: t.optim.SGD([leaf(t)], nesterov=True)],
    "cannot assign parameters before Module.__init__() call": [module_before_init],
    "cannot assign 'torch.FloatTensor' as parameter 'weight' (torch.nn.Parameter or None expected)": [
        tensor_over_a_parameter
    ],
    "unsupported format string passed to Tensor.__format__": [lambda t: f"{t.ones(2):.3f}"],
    "unsupported format string passed to Parameter.__format__": [lambda t: f"{t.nn.Parameter(t.ones(())):.3f}"],
    "len() of a 0-d tensor": [lambda t: len(t.tensor(1.0))],
    "iteration over a 0-d tensor": [lambda t: list(t.tensor(1.0))],
    "can't retain_grad on Tensor that has requires_grad=False": [lambda t: t.ones(2).retain_grad()],
    "cannot register a hook on a tensor that doesn't require gradient": [lambda t: t.ones(2).register_hook(print)],
    "post accumulate grad hooks cannot be registered on non-leaf tensors": [
        lambda t: (leaf(t) * 2).register_post_accumulate_grad_hook(print),
    ],
    "`inputs` argument to `backward()` cannot be empty.": [lambda t: leaf(t).sum().backward(inputs=[])],
    "invalid for input of size 4": [lambda t: t.ones(4).view(3), lambda t: t.ones(4).reshape(3, -1) and None],
    "is out of bounds for dimension 0 with size 2": [lambda t: t.ones(2)[2]],
    "too many indices for tensor of dimension 1": [lambda t: t.ones(2)[0, 0]],
    "has no attribute 'wieght'": [lambda t: t.nn.Linear(1, 1).wieght],
}
CASES = [(phrase, k) for phrase, cases in REFUSED.items() for k in range(len(cases))]


@pytest.mark.parametrize(("phrase", "k"), CASES, ids=[f"{phrase[:50]}-{k}" for phrase, k in CASES])
def test_misuse_is_refused_as_in_pytorch(refuse, phrase, k):
    refuse(REFUSED[phrase][k], phrase)


def test_what_pytorch_lets_pass_passes(agree):
    def run(t):
        p = t.nn.Parameter(t.ones(2))
        frozen = t.optim.SGD([t.ones(2)], lr=0.1)
        frozen.step()
        p.data = t.ones(3, dtype=t.float64)  # silently
        x = leaf(t)
        return (
            t.optim.SGD([p]).param_groups[0]["lr"],
            float((x * 2).sum()),
            x.tolist(),
            x == x,
            len({x, x, x.detach()}),
            f"{t.tensor(1.5):.3f}",
            p.shape,
            str(p.dtype),
            t.nn.Parameter(t.tensor([1]), requires_grad=False).requires_grad,
        )

    agree(run)


def test_gradient_of_the_wrong_shape_names_both(refuse):
    refuse(lambda t: grad_of(t, t.ones(3)), "size")
    with pytest.raises(RuntimeError, match=r"gradient of size '\[3\]' to a tensor of size '\[2\]'"):
        grad_of(ptt, ptt.ones(3))


SHAPES = {
    "linear": (lambda t, F: F.linear(t.ones(2, 5), t.ones(4, 3)), ["linear", "(2, 5)", "3"]),
    "matmul": (lambda t, F: t.ones(2, 3) @ t.ones(4, 5), ["2x3", "4x5"]),
    "add": (lambda t, F: t.ones(2) + t.ones(3), ["(2", "(3"]),
    "cat": (lambda t, F: t.cat([t.ones(2, 3), t.ones(2, 4)]), ["size 3", "size 4"]),
}


@pytest.mark.parametrize("name", SHAPES)
def test_a_shape_error_comes_at_the_call_and_names_the_shapes(name):
    function, words = SHAPES[name]
    with pytest.raises(RuntimeError):
        function(torch, torch.nn.functional)
    with pytest.raises(Exception) as caught:
        function(ptt, ptt.nn.functional)
    assert isinstance(caught.value, (RuntimeError, ValueError, TypeError))
    for word in words:
        assert word in str(caught.value).replace("[", "(").replace("]", ")"), str(caught.value)
