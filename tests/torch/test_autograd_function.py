"""autograd.Function, against PyTorch."""

import pytest


def square(t):
    class Square(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x * x

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return 2 * g * x

    return Square


def leaf(t, *values):
    return t.tensor(list(values), requires_grad=True)


def saved_tensors(t):
    x = leaf(t, 1.0, 2.0)
    y = square(t).apply(x * 2)
    (y + y * x).sum().backward()
    return x.grad, y.grad_fn.name()


def a_backward_of_its_own(t):
    class Twice(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            return g * 7

    x = leaf(t, 1.0, 2.0)
    (Twice.apply(x) ** 2).sum().backward()
    return x.grad


def several_outputs_and_none(t):
    class Two(t.autograd.Function):
        @staticmethod
        def forward(ctx, x, k):
            ctx.k = k
            return x * k, x + k

        @staticmethod
        def backward(ctx, a, b):
            return a * ctx.k + b, None

    x = leaf(t, 1.0, 2.0)
    a, b = Two.apply(x, 3.0)
    (a * b).sum().backward()
    first = x.grad.clone()
    x.grad = None
    a, b = Two.apply(x, 3.0)
    a.sum().backward()  # the other output gets zeros
    return first, x.grad


def double_backward(t):
    x = leaf(t, 1.0, 2.0)
    (g,) = t.autograd.grad((square(t).apply(x) * x).sum(), x, create_graph=True)
    (h,) = t.autograd.grad(g.sum(), x, create_graph=True)
    (k,) = t.autograd.grad(h.sum(), x)
    return g, h, k


def double_backward_of_a_result(t):
    x = leaf(t, 1.0, 2.0)
    y = x.exp()
    (g,) = t.autograd.grad((square(t).apply(y) * y).sum(), x, create_graph=True)
    (g * g).sum().backward()
    return g, x.grad


def non_differentiable(t):
    class Sorted(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            values, index = x.sort()
            ctx.mark_non_differentiable(index)
            ctx.save_for_backward(index)
            return values, index

        @staticmethod
        def backward(ctx, g, _):
            (index,) = ctx.saved_tensors
            out = t.zeros(3)
            out[index] = g
            return out

    x = leaf(t, 3.0, 1.0, 2.0)
    values, index = Sorted.apply(x)
    (values * t.tensor([1.0, 10.0, 100.0])).sum().backward()
    return x.grad, index, index.requires_grad


def needs_input_grad(t):
    seen = []

    class Product(t.autograd.Function):
        @staticmethod
        def forward(ctx, a, b, flag):
            ctx.save_for_backward(a, b)
            return a * b

        @staticmethod
        def backward(ctx, g):
            seen.append(ctx.needs_input_grad)
            a, b = ctx.saved_tensors
            return g * b, None, None

    a, b = leaf(t, 1.0, 2.0), t.tensor([3.0, 4.0])
    Product.apply(a, b, True).sum().backward()
    return a.grad, b.grad, seen


def setup_context(t):
    class Cube(t.autograd.Function):
        @staticmethod
        def forward(x, n):
            return x**n

        @staticmethod
        def setup_context(ctx, inputs, output):
            x, ctx.n = inputs
            ctx.save_for_backward(x)

        @staticmethod
        def backward(ctx, g):
            (x,) = ctx.saved_tensors
            return g * ctx.n * x ** (ctx.n - 1), None

    x = leaf(t, 1.0, 2.0)
    Cube.apply(x, 3).sum().backward()
    return x.grad


def no_materialized_gradients(t):
    seen = []

    class Two(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.set_materialize_grads(False)
            return x * 2, x * 3

        @staticmethod
        def backward(ctx, a, b):
            seen.append((a is None, b is None))
            return b * 3

    x = leaf(t, 1.0)
    Two.apply(x)[1].sum().backward()
    return x.grad, seen


def straight_through(t):
    class Round(t.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.round()

        @staticmethod
        def backward(ctx, g):
            return g

    x = leaf(t, 1.2, 2.7)
    y = Round.apply(x)
    (y * x).sum().backward()
    return y, x.grad


def under_no_grad(t):
    x = leaf(t, 1.0, 2.0)
    with t.no_grad():
        y = square(t).apply(x)
    return y, y.requires_grad


def chained_functions(t):
    x = leaf(t, 1.0, 2.0)
    f = square(t).apply
    y = f(f(x) + x)
    y.sum().backward()
    return x.grad


CASES = [f for f in list(globals().values()) if getattr(f, "__code__", None) and f.__code__.co_varnames[:1] == ("t",)]


@pytest.mark.parametrize("case", [c for c in CASES if c not in (leaf, square)], ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


def test_too_few_gradients(refuse):
    def run(t):
        class Two(t.autograd.Function):
            @staticmethod
            def forward(ctx, a, b):
                return a * b

            @staticmethod
            def backward(ctx, g):
                return g

        Two.apply(leaf(t, 1.0), leaf(t, 2.0)).sum().backward()

    refuse(run, "Backward returned an incorrect number of gradients (expected 2, got 1)")


def test_a_gradient_of_the_wrong_shape(refuse):
    def run(t):
        class Bad(t.autograd.Function):
            @staticmethod
            def forward(ctx, a):
                return a * 1

            @staticmethod
            def backward(ctx, g):
                return t.ones(3)

        Bad.apply(leaf(t, 1.0, 2.0)).sum().backward()

    refuse(run, "Backward returned an invalid gradient at index 0 - got [3] but expected shape compatible with [2]")


def test_a_saved_tensor_changed_in_place(refuse):
    def run(t):
        y = leaf(t, 1.0, 2.0) * 1
        z = square(t).apply(y)
        y.add_(1)
        z.sum().backward()

    refuse(run, "modified by an inplace operation")


def test_without_a_forward(refuse):
    refuse(lambda t: type("F", (t.autograd.Function,), {}).apply(leaf(t, 1.0)), "must implement the forward")
