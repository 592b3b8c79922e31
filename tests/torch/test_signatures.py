"""The functions below ``torch`` by samples, and of all sampled functions the names, order and refusals of arguments."""

import functools
import inspect
import warnings

import jax
import pytest
import torch as theirs

import pytreemod.torch as ours

from .samples import MORE, SAMPLES, agree, arguments, flat

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::FutureWarning")
BELOW = ("linalg", "fft", "special")


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation():
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def found(torch, name):
    return functools.reduce(getattr, name.split("."), torch)


@pytest.mark.parametrize("name", MORE)
def test_function(name):
    for sample in MORE[name]:
        agree(name, found(theirs, name), found(ours, name), sample)


# ---- nothing is left out

ELSEWHERE = {
    # random draws, settings, conversions and the like, with tests of their own
    "nn.functional": "adaptive_max_pool1d_with_indices adaptive_max_pool2d_with_indices "
    "adaptive_max_pool3d_with_indices assert_int_or_pair boolean_dispatch conv_tbc "
    "fractional_max_pool2d_with_indices fractional_max_pool3d_with_indices grouped_mm gumbel_softmax "
    "handle_torch_function has_torch_function has_torch_function_unary has_torch_function_variadic "
    "max_pool1d_with_indices max_pool2d_with_indices max_pool3d_with_indices native_channel_shuffle pixel_shuffle "
    "pixel_unshuffle scaled_grouped_mm scaled_mm upsample upsample_bilinear upsample_nearest",
    "linalg": "",
    "fft": "",
    "special": "",
}


@pytest.mark.parametrize("module", ELSEWHERE)
def test_every_function_below_torch_has_a_sample(module):
    names = {
        n
        for n, f in vars(found(theirs, module)).items()
        if callable(f) and not isinstance(f, type) and not n.startswith("_") and not n.endswith("_")
    }
    typing = {"Optional", "Union", "Callable", "Any"}
    sampled = {n.removeprefix(module + ".") for n in MORE}
    assert names - sampled - set(ELSEWHERE[module].split()) - typing == set()
    assert set(ELSEWHERE[module].split()) <= names


# ---- keywords


def orders(name):
    """The parameters of each form that PyTorch has of a function: [(name, keyword-only), ...]."""
    path = name.split(".")
    if path[0] != "nn":
        schema = "aten::" + ("_".join(path) if path[0] in BELOW else path[-1])
        for form in theirs._C._jit_get_schemas_for_operator(schema):
            if not any("Dimname" in str(a.type) for a in form.arguments) and form.arguments:
                yield [("input" if a.name == "self" else a.name, a.kwarg_only) for a in form.arguments if not a.is_out]
    try:
        parameters = inspect.signature(found(theirs, name)).parameters.values()
    except ValueError:  # a builtin
        return
    yield [(p.name, p.kind is p.KEYWORD_ONLY) for p in parameters]


def attempt(call):
    try:
        return call()
    except Exception as error:  # noqa: BLE001  (whatever it is, it is compared)
        return error


def kinds(torch, out):
    return [(str(r.dtype), tuple(r.shape)) if isinstance(r, torch.Tensor) else type(r).__name__ for r in flat(out)]


# positions that mean something else, as PyTorch had them before; NumPy's names are tried by hand below
OTHERWISE = {
    "add": "alpha between the operands",
    "sub": "alpha between the operands",
    "detach": "a method alone",
    "Tensor.sum_to_size": "the size is spread",
}


@pytest.mark.parametrize("name", [n for n in (*SAMPLES, *MORE) if n not in OTHERWISE and n.count("_copy") == 0])
def test_arguments_go_by_pytorchs_names(name):
    spellings = [name] + ["Tensor." + name] * ("." not in name and callable(getattr(theirs.Tensor, name, None)))
    sample = (SAMPLES | MORE)[name][0]
    (args, _), _ = arguments(theirs, sample)
    for spelling in spellings:
        first = int(spelling.startswith("Tensor."))
        if first and not (args and isinstance(args[0], theirs.Tensor)):
            continue
        forms = {tuple([n for n, alone in form if not alone][first : len(args)]) for form in orders(spelling)}
        for names in forms:
            if len(names) != len(args) - first:
                continue

            def call(torch, names=names, first=first, spelling=spelling):
                (args, kwargs), _ = arguments(torch, sample)
                function = found(torch, spelling)
                return kinds(torch, function(*args[:first], **dict(zip(names, args[first:], strict=True)), **kwargs))

            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                want = attempt(lambda call=call: call(theirs))
                if isinstance(want, Exception):
                    continue
                got = attempt(lambda call=call: call(ours))
            assert got == want, f"{spelling} with {names}: {got!r}, expected {want!r}"

    def unknown(torch):
        (args, kwargs), _ = arguments(torch, sample)
        return found(torch, name)(*args, **kwargs, no_such_option=1)

    if isinstance(attempt(lambda: unknown(theirs)), Exception):
        assert isinstance(attempt(lambda: unknown(ours)), (TypeError, RuntimeError)), f"{name}(no_such_option=1)"


CALLS = """
torch.sum(x, axis=1, keepdims=True)
torch.sum(a=x, axis=1)
torch.cos(x=x)
torch.add(x1=x, x2=x)
x.cumsum_(axis=0)
x.permute(dims=(1, 0))
x.expand(size=(2, 3))
x.view(size=(3, 2))
x.new_zeros(size=(2,))
x.split(split_size=1)
torch.stack([x, x], axis=1)
torch.concatenate([x, x], axis=1)
torch.norm(x, dim=0)
torch.pow(2, exponent=x)
torch.dropout(x, p=0.5, train=False)
torch.linalg.cholesky(input=torch.eye(2))
torch.linalg.det(A=torch.eye(2))
torch.nn.functional.one_hot(input=torch.tensor([1]))
torch.autograd.grad((x.clone().requires_grad_() * 2).sum(), x, None, None, False, True, True)
torch.nn.init.uniform_(x, 0.0, 1.0, torch.Generator().manual_seed(1))
list(torch.nn.Linear(2, 2).modules(remove_duplicate=True))[0].weight
""".strip().splitlines()


@pytest.mark.parametrize("call", CALLS)
def test_further_spellings(call):
    def run(torch):
        torch.manual_seed(0)
        return kinds(torch, eval(call, {"torch": torch, "x": torch.ones(2, 3)}))

    want, got = attempt(lambda: run(theirs)), attempt(lambda: run(ours))
    assert type(got) is type(want) and (isinstance(want, Exception) or got == want), f"{got!r}, expected {want!r}"


def test_one_argument_under_two_names_is_refused():
    with pytest.raises(TypeError, match="multiple values for argument 'dim'"):
        ours.ones(2).sum(dim=0, axis=0)
