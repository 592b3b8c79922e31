"""Variable, gradient edges, hooks on several gradients and what is said of saved tensors, against PyTorch."""

import pytest

import pytreemod.torch as ptt


def leaf(t, *values):
    return t.tensor(list(values), requires_grad=True)


def variable(t):
    from_leaf = t.autograd.Variable(t.ones(2), requires_grad=True)
    y = leaf(t, 1.0, 2.0) * 2
    (from_leaf * 3).sum().backward()
    is_one = [isinstance(x, t.autograd.Variable) for x in (y, from_leaf, 1)]
    return (
        from_leaf.grad,
        t.autograd.Variable(y),
        t.autograd.Variable(y, volatile=True),
        list(t.autograd.Variable().shape),
        is_one,
    )


def variable_shares_memory(t):
    x = t.zeros(2)
    t.autograd.Variable(x).add_(1)
    return x


def several_gradients(t):
    a, b, seen = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0), []
    c, d = a * b, a + b
    handle = t.autograd.graph.register_multi_grad_hook((a, b, c, d), lambda gs: seen.append([*gs]))
    c.sum().backward(retain_graph=True)
    (c.sum() + d.sum()).backward(retain_graph=True)
    handle.remove()
    c.sum().backward()
    return seen


def any_gradient(t):
    a, b, seen = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0), []
    t.autograd.graph.register_multi_grad_hook((a, t.ones(1), b), lambda g: seen.append(g.sum().item()), mode="any")
    for _ in range(2):
        (a + b).sum().backward()
    return seen


def a_loop_with_several_gradients(t):
    a, b, seen = leaf(t, 1.0, 2.0), leaf(t, 3.0, 4.0), []
    t.autograd.graph.register_multi_grad_hook((a, b), lambda gs: seen.append([*gs]))
    for _ in range(4):
        (a * b).sum().backward()
        with t.no_grad():
            a -= 0.1 * a.grad
    return seen, a, a.grad


def hook_of_a_leaf_in_grad(t):
    a = leaf(t, 1.0, 2.0)
    a.register_hook(lambda g: g * 2)
    return t.autograd.grad((a * 3).sum(), a)


def edges(t):
    a = leaf(t, 1.0, 2.0)
    b = a * a
    parts = (b * 3).aminmax()
    y = parts[1].sum() * 2
    edge = t.autograd.graph.get_gradient_edge
    one = t.autograd.grad(y, edge(b), retain_graph=True)
    two = t.autograd.grad(edge(y), [edge(a), edge(parts[1])], grad_outputs=t.tensor(2.0), retain_graph=True)
    step, number = edge(parts[1]).node, edge(parts[1]).output_nr
    three = t.autograd.grad(t.autograd.graph.GradientEdge(step, number), a, t.tensor(1.0), retain_graph=True)
    names = edge(b).node.name().removeprefix("struct ").removeprefix("torch::autograd::"), edge(b).output_nr
    t.autograd.backward(y, inputs=[edge(a)])
    return one, two, three, names, number, a.grad


def mutation_is_allowed(t):
    a = leaf(t, 1.0, 2.0)
    with t.autograd.graph.allow_mutation_on_saved_tensors():
        b = a.exp()
        c = b * b
        b.mul_(0)
        c.sum().backward()
    return a.grad, b


def saved_on_cpu(t):
    a = leaf(t, 1.0, 2.0)
    with t.autograd.graph.save_on_cpu(pin_memory=False):
        y = (a.exp() * a).sum()
    y.backward()
    return a.grad


def settings(t):
    a = leaf(t, 1.0, 2.0)
    with t.autograd.set_multithreading_enabled(False), t.autograd.enforce_grad_layout_policy(False):
        (a * a).sum().backward()

    @t.autograd.enforce_grad_layout_policy()
    def function():
        return a.grad

    return function()


CASES = [v for k, v in list(globals().items()) if callable(v) and v.__module__ == __name__ and k != "leaf"]


@pytest.mark.parametrize("case", CASES, ids=lambda c: c.__name__)
def test_as_in_pytorch(agree, case):
    agree(case)


def increment(t):
    a = leaf(t, 1.0, 2.0)
    b = a.exp()
    t.autograd.graph.increment_version([b])
    b.sum().backward()


def hooks_while_disabled(t):
    with t.autograd.graph.disable_saved_tensors_hooks("not now"):
        t.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x).__enter__()


def cpu_while_disabled(t):
    with t.autograd.graph.disable_saved_tensors_hooks("not now"), t.autograd.graph.save_on_cpu():
        pass


def nested_mutation(t):
    allow = t.autograd.graph.allow_mutation_on_saved_tensors
    with allow(), allow():
        pass


@pytest.mark.parametrize(
    "case, phrase",
    [
        (increment, "modified by an inplace operation"),
        (hooks_while_disabled, "not now"),
        (cpu_while_disabled, "not now"),
        (nested_mutation, "cannot be nested"),
        (lambda t: t.autograd.Variable(3.0), "Variable data has to be a tensor, but got float"),
        (lambda t: t.autograd.graph.get_gradient_edge(t.ones(1)), "not possible to get the gradient edge"),
        (lambda t: t.autograd.graph.register_multi_grad_hook([], print, mode="x"), "Expects mode to be one of"),
    ],
)
def test_refused_as_in_pytorch(refuse, case, phrase):
    refuse(case, phrase)


def test_a_failed_backward_leaves_no_hook_behind():
    a, seen = ptt.ones(2, requires_grad=True), []
    ptt.autograd.graph.register_multi_grad_hook((a,), seen.append)
    b = a * 2
    handle = a.register_hook(lambda g: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        b.sum().backward()
    handle.remove()
    assert seen == []
    (a * 2).sum().backward()
    assert len(seen) == 1


def test_hooks_on_saved_tensors_say_what_to_use_instead():
    with pytest.raises(NotImplementedError, match=r"torch\.utils\.checkpoint"):
        ptt.autograd.graph.saved_tensors_hooks(lambda x: x, lambda x: x).__enter__()
    with pytest.raises(AttributeError, match=r"torch\.func\.jvp"):
        ptt.autograd.forward_ad  # noqa: B018


def test_what_only_refuses_does_not_count_as_there():
    from pytreemod.command.names import missing_part, refused

    name = "torch.autograd.graph.saved_tensors_hooks"
    assert missing_part(name) == name and "checkpoint" in refused(name)
    assert missing_part("torch.autograd.graph.save_on_cpu") is None
    assert missing_part("torch.sparse_coo_tensor") == "torch.sparse_coo_tensor"
