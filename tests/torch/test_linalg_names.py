"""``torch.linalg`` and the older names of linear algebra against PyTorch: values, gradients, dtypes, refusals."""

import jax
import numpy as np
import pytest
import torch as theirs

import pytreemod.torch as ours

pytestmark = pytest.mark.filterwarnings("ignore:.*deprecated:UserWarning", "ignore:.*was not provided:UserWarning")


@pytest.fixture(autouse=True, scope="module")
def _quick_compilation():
    jax.config.update("jax_disable_most_optimizations", True)
    yield
    jax.config.update("jax_disable_most_optimizations", False)


def _matrices(torch, dtype):
    """Well conditioned matrices: a stack, a tall one, a wide one, and right hand sides."""
    r = np.random.RandomState(0)

    def draw(*shape):
        real = r.randn(*shape) + (1j * r.randn(*shape) if dtype.startswith("complex") else 0)
        return torch.tensor(real.astype(dtype)).requires_grad_()

    return {
        "a": draw(2, 3, 3),
        "tall": draw(4, 3),
        "wide": draw(3, 4),
        "b": draw(2, 3, 2),
        "x": draw(3),
        "tau": draw(2),
    }


# what is compared does not depend on signs and phases of vectors, which nothing fixes
CASES = {
    "cholesky": lambda t, m: t.linalg.cholesky(_definite(t, m["a"])),
    "cholesky upper": lambda t, m: t.linalg.cholesky(_definite(t, m["a"]), upper=True),
    "cholesky_ex": lambda t, m: t.linalg.cholesky_ex(_definite(t, m["a"])),
    "cond": lambda t, m: [t.linalg.cond(m["a"]), t.linalg.cond(m["a"], -2), t.linalg.cond(m["a"].detach(), 1)],
    "det": lambda t, m: t.linalg.det(m["a"]),
    "eig": lambda t, m: [t.linalg.eig(m["a"])[0].real.sort()[0], t.linalg.eig(m["a"]).eigenvectors.abs().sum()],
    "eigh": lambda t, m: [t.linalg.eigh(m["a"]).eigenvalues, t.linalg.eigh(m["a"], UPLO="U").eigenvectors.abs()],
    "eigvals": lambda t, m: t.linalg.eigvals(m["a"]).abs().sort()[0],
    "eigvalsh": lambda t, m: t.linalg.eigvalsh(m["a"]),
    "householder": lambda t, m: t.linalg.householder_product(m["tall"], m["tau"]),
    "inv": lambda t, m: t.linalg.inv(m["a"]),
    "inv_ex": lambda t, m: t.linalg.inv_ex(m["a"]),
    "lstsq": lambda t, m: t.linalg.lstsq(m["tall"], m["tall"][:, :2])[0],
    "lstsq wide": lambda t, m: t.linalg.lstsq(m["wide"], m["b"][0])[0],
    "lstsq gelsd": lambda t, m: list(t.linalg.lstsq(m["tall"], m["tall"].detach()[:, :2] ** 2, driver="gelsd")),
    "lu": lambda t, m: t.linalg.lu(m["a"]),
    "lu wide": lambda t, m: t.linalg.lu(m["wide"]),
    "lu_factor": lambda t, m: t.linalg.lu_factor(m["a"]),
    "lu_solve": lambda t, m: t.linalg.lu_solve(*t.linalg.lu_factor(m["a"]), m["b"]),
    "lu_solve adjoint": lambda t, m: t.linalg.lu_solve(*t.linalg.lu_factor(m["a"]), m["b"], adjoint=True),
    "lu_solve right": lambda t, m: t.linalg.lu_solve(*t.linalg.lu_factor(m["a"]), m["b"].mT, left=False),
    "matrix_exp": lambda t, m: t.linalg.matrix_exp(m["a"]),
    "matrix_norm": lambda t, m: [
        t.linalg.matrix_norm(m["a"], p, (0, 2), True) for p in ("fro", "nuc", 1, -1, 2, -2, float("inf"))
    ],
    "matrix_power": lambda t, m: [t.linalg.matrix_power(m["a"], n) for n in (3, 0, -2)],
    "matrix_rank": lambda t, m: [t.linalg.matrix_rank(m["a"]), t.linalg.matrix_rank(m["a"], atol=1.0, rtol=0.5)],
    "multi_dot": lambda t, m: t.linalg.multi_dot([m["x"], m["wide"], m["tall"], m["x"]]),
    "norm": lambda t, m: [t.linalg.norm(m["wide"], *p) for p in ((), (2,), (1, 0), (float("inf"), (0, 1)), (0, 1))],
    "pinv": lambda t, m: [t.linalg.pinv(m["tall"]), t.linalg.pinv(m["wide"], atol=0.1)],
    "pinv hermitian": lambda t, m: t.linalg.pinv(m["a"] + m["a"].mH, hermitian=True),
    "qr": lambda t, m: [(q @ r, r.abs()) for q, r in (t.linalg.qr(m["tall"]), t.linalg.qr(m["a"]))][0],
    "slogdet": lambda t, m: t.linalg.slogdet(m["a"])[1],
    "solve": lambda t, m: t.linalg.solve(m["a"], m["b"]),
    "solve vectors": lambda t, m: t.linalg.solve(m["a"], m["b"][..., 0]),
    "solve right": lambda t, m: t.linalg.solve(m["a"], m["b"].mT, left=False),
    "solve_triangular": lambda t, m: t.linalg.solve_triangular(m["a"], m["b"], upper=True, unitriangular=True),
    "svd": lambda t, m: [s for u, s, v in (t.linalg.svd(m["a"]), t.linalg.svd(m["tall"]))],
    "svd full": lambda t, m: [t.linalg.svd(m["tall"])[0].abs().square().sum(), t.linalg.svd(m["wide"])[2][:3].abs()],
    "svdvals": lambda t, m: t.linalg.svdvals(m["wide"]),
    "tensorinv": lambda t, m: t.linalg.tensorinv(m["a"].reshape(2, 9)[:, :8].reshape(4, 2, 2), ind=1),
    "tensorsolve": lambda t, m: t.linalg.tensorsolve(m["a"][0].reshape(3, 3, 1), m["x"]),
    "vander": lambda t, m: t.linalg.vander(m["a"], N=4),
    "vecdot": lambda t, m: t.linalg.vecdot(m["a"], m["x"]),
    "vector_norm": lambda t, m: [
        t.linalg.vector_norm(m["a"], p, (0, 2)) for p in (0, 0.5, 1, 2, 3, -1, float("inf"), -float("inf"))
    ],
    "ormqr": lambda t, m: t.ormqr(m["tall"], m["x"], m["tall"], transpose=True),
    "cholesky_solve": lambda t, m: t.cholesky_solve(m["b"], m["a"]),
    "triangular_solve": lambda t, m: t.triangular_solve(m["b"], m["a"], False)[0],
    "renorm": lambda t, m: t.renorm(m["a"], 2, 1, 1.5),
    "cov": lambda t, m: t.cov(m["wide"]),
    "corrcoef": lambda t, m: t.corrcoef(m["wide"]),
    "einsum": lambda t, m: [t.einsum("...ij,jk->...k", m["a"], m["wide"]), t.einsum("bii->b", m["a"])],
    "tensordot": lambda t, m: t.tensordot(m["a"], m["wide"], ([2], [0])),
    "fft": lambda t, m: [t.fft.fft(m["a"], n, d, k) for n, d, k in ((4, 0, None), (2, -1, "ortho"))],
    "ifftn": lambda t, m: t.fft.ifftn(m["a"], (4, 2), (0, 2), "forward"),
    "irfft": lambda t, m: [t.fft.irfft(m["wide"]), t.fft.irfft(m["wide"], 5, norm="ortho")],
    "irfft2": lambda t, m: t.fft.irfft2(m["a"], (3, 5)),
    "hfft": lambda t, m: t.fft.hfft(m["wide"], 5, 1, "ortho"),
    "hfftn": lambda t, m: t.fft.hfftn(m["a"]),
    "fftshift": lambda t, m: [t.fft.fftshift(m["a"]), t.fft.ifftshift(m["a"], (1,))],
    "stft": lambda t, m: t.stft(m["a"].reshape(2, 9), 4, 2, 3, m["x"].detach().real, return_complex=True),
    "istft": lambda t, m: t.istft(m["a"] + 0j, 4, 2, window=t.hamming_window(4, dtype=m["a"].real.dtype)),
}  # fmt: skip


def _definite(torch, a):
    return a @ a.mH + torch.eye(3, dtype=a.dtype)


def _flat(found):
    return [each for part in found for each in _flat(part)] if isinstance(found, (tuple, list)) else [found]


def _run(torch, name, dtype):
    given = _matrices(torch, dtype)
    results = _flat(CASES[name](torch, given))
    total = None
    for each in results:
        if each.requires_grad:
            size = each.abs().square() if each.dtype.is_complex else each * each.detach().cos()
            total = size.sum() if total is None else total + size.sum()
    if total is not None:
        total.backward()
    return results, {name: value.grad for name, value in given.items()}


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("name", CASES)
def test_values_and_gradients_are_pytorchs(name, dtype):
    want, want_grads = _run(theirs, name, dtype)
    got, grads = _run(ours, name, dtype)
    assert [(str(g.dtype), tuple(g.shape), g.requires_grad) for g in got] == [
        (str(w.dtype), tuple(w.shape), w.requires_grad) for w in want
    ]
    for g, w in zip(got, want, strict=True):
        np.testing.assert_allclose(g.detach().numpy(), w.detach().resolve_conj().numpy(), rtol=1e-8, atol=1e-9)
    for key, w in want_grads.items():
        assert (grads[key] is None) == (w is None), key
        if w is not None:
            np.testing.assert_allclose(grads[key].numpy(), w.resolve_conj().numpy(), rtol=1e-6, atol=1e-8, err_msg=key)


REAL = {
    "rfft": lambda t, x: t.fft.rfft(x, 5),
    "rfftn": lambda t, x: t.fft.rfftn(x, (4, 3), norm="ortho"),
    "ihfft": lambda t, x: t.fft.ihfft(x, dim=0),
    "ihfft2": lambda t, x: t.fft.ihfft2(x),
    "svd_lowrank": lambda t, x: (t.manual_seed(3), t.svd_lowrank(x, 2)[1])[1],
    "pca_lowrank": lambda t, x: (t.manual_seed(3), t.pca_lowrank(x, 2)[1])[1],
    "stft": lambda t, x: t.stft(x.reshape(-1), 5, center=False, return_complex=False),
    "integers": lambda t, x: t.fft.fft(t.tensor([1, 2, 3])),
    "fftfreq": lambda t, x: [t.fft.fftfreq(5, 0.5), t.fft.rfftfreq(6, dtype=t.float64)],
    "ldl": lambda t, x: t.linalg.ldl_solve(*t.linalg.ldl_factor(_symmetric(x).detach()), t.ones(3, 2)),
    "ldl factors": lambda t, x: t.linalg.ldl_factor_ex(_symmetric(x).detach()),
    "lobpcg": lambda t, x: t.lobpcg(_symmetric(x).detach() @ _symmetric(x).detach(), 1)[0],
    "norm of zero": lambda t, x: t.linalg.norm(x * 0) + (x * 0).norm(dim=0).sum(),
    "cumulative_trapezoid": lambda t, x: t.cumulative_trapezoid(x, t.tensor([1.0, 2.0, 4.0, 5.0])),
    "windows": lambda t, x: [
        t.hann_window(6), t.hamming_window(5, False), t.blackman_window(4, dtype=t.float64), t.bartlett_window(7),
        t.kaiser_window(5, True, 3.0), t.signal.windows.exponential(5, tau=2.0, sym=False),
        t.signal.windows.gaussian(4, std=2.0), t.signal.windows.nuttall(6), t.signal.windows.cosine(5, sym=False),
        t.signal.windows.kaiser(5, beta=2.0), t.signal.windows.general_hamming(4, alpha=0.3), t.hann_window(1),
        t.signal.windows.bartlett(5), t.signal.windows.blackman(6, sym=False), t.signal.windows.hann(2),
    ],
    "cov weights": lambda t, x: t.cov(x, correction=0, fweights=t.tensor([1, 2, 0, 3]), aweights=x.detach()[0].abs()),
    "addmm": lambda t, x: t.addmm(x.detach()[:, :3] * float("nan"), x, x.T, beta=0, alpha=2),
    "einsum": lambda t, x: [t.einsum(x, [0, 1], x, [2, 1]), t.einsum("i...->...", x), t.einsum("Ba,Ca", x, x)],
}  # fmt: skip


def _symmetric(x):
    return x[:, :3] + x[:, :3].T


@pytest.mark.parametrize("name", REAL)
def test_values_of_real_inputs_are_pytorchs(name, agree):
    data = np.random.RandomState(1).randn(3, 4).astype(np.float32)

    def run(t):
        x = t.tensor(data, requires_grad=True)
        found = _flat(REAL[name](t, x))
        parts = [t.view_as_real(f.resolve_conj()) if f.dtype.is_complex else f for f in found]
        if parts[0].requires_grad:
            sum((p * p).sum() for p in parts).backward()
        return [f.detach() for f in parts], x.grad

    agree(run, rtol=2e-4, atol=2e-5)


SINGULAR = "t.tensor([[1.0, 2.0], [2.0, 4.0]])"
REFUSED = {
    f"t.linalg.inv({SINGULAR})": "linalg.inv: The diagonal element 2 is zero",
    f"t.linalg.inv(t.stack([t.eye(2), {SINGULAR}]))": "linalg.inv: (Batch element 1): The diagonal element 2 is zero",
    f"t.linalg.solve({SINGULAR}, t.ones(2))": "torch.linalg.solve: The solver failed because the input",
    f"t.linalg.lu_factor({SINGULAR})": "torch.linalg.lu_factor: U[2,2] is zero and using it on lu_solve",
    f"t.linalg.cholesky(-{SINGULAR})": "linalg.cholesky: The factorization could not be completed because the input is "
    "not positive-definite (the leading minor of order 1 is not positive-definite).",
    f"t.linalg.cholesky_ex({SINGULAR} - t.eye(2), check_errors=True)": "linalg.cholesky_ex: The factorization could",
    "t.linalg.svd(t.full((2, 2), float('nan')))": "linalg.svd: The algorithm failed to converge because the input",
    "t.linalg.eig(t.full((2, 2), float('nan')))": "torch.linalg.eig: input tensor should not contain infs or NaNs.",
    f"t.linalg.matrix_power({SINGULAR}, -1)": "linalg.inv: The diagonal element 2 is zero",
    "t.linalg.inv(t.ones(2, 3))": "linalg.inv: A must be batches of square matrices, but they are 2 by 3 matrices",
    "t.linalg.det(t.ones(2, 2).long())": "linalg.det: Expected a floating point or complex tensor as input. Got Long",
    "t.linalg.solve(t.eye(2), t.ones(3, 3))": "Incompatible shapes of A and B for the equation AX = B (2x2 and 3x3)",
    "t.linalg.solve(t.eye(2), t.ones(2).double())": "Expected A and B to have the same dtype, but found A of",
    "t.linalg.eigh(t.eye(2), UPLO='X')": "Expected UPLO argument to be 'L' or 'U', but got X",
    "t.linalg.qr(t.eye(2), mode='x')": "qr received unrecognized mode 'x'",
    "t.linalg.svd(t.eye(2), driver='gesvd')": "keyword argument `driver=` is only supported on CUDA inputs",
    "t.linalg.lstsq(t.ones(3, 2), t.ones(3, 2), driver='x')": "parameter `driver` should be one of (gels, gelsy,",
    "t.linalg.matrix_norm(t.eye(2), 3)": "linalg.matrix_norm: Order 3 not supported.",
    "t.linalg.vector_norm(t.ones(0), float('inf'))": "linalg.vector_norm cannot compute the inf norm on an",
    "t.linalg.norm(t.ones(2, 2, 2), 2)": "If dim is not specified but ord is, the input must be 1D or 2D. Got 3D.",
    "t.linalg.multi_dot([t.eye(2)])": "multi_dot(): expected at least 2 tensors but got 1",
    "t.linalg.tensorinv(t.ones(2, 3, 5), ind=1)": "prod(self.shape[ind:]) == prod(self.shape[:ind]), but got 15 != 2",
    "t.linalg.solve_triangular(t.eye(2), t.eye(2))": 'missing 1 required positional arguments: "upper"',
    "t.linalg.lu_solve(t.eye(2), t.ones(2), t.eye(2))": "pivots should be a Tensor of scalar type torch.int32",
    "t.eig(t.eye(2))": "This function was deprecated since version 1.9 and is now removed.",
    "t.fft.fft(t.ones(4), norm='x')": 'Invalid normalization mode: "x"',
    "t.fft.fft(t.ones(4).half())": "Unsupported dtype Half",
    "t.fft.rfft(t.ones(4) + 0j)": "rfft expects a real input tensor, but got ComplexFloat",
    "t.fft.fft2(t.ones(4, 4), dim=(0, 0))": "FFT dims must be unique",
    "t.fft.irfft(t.ones(1))": "Invalid number of data points (0) specified",
    "t.fft.fftn(t.ones(4, 4), s=(2,), dim=(0, 1))": "When given, dim and shape arguments must have the same length",
    "t.fft.fft(t.ones(4), out=t.zeros(4))": "fft expects a complex output tensor, but got Float",
    "t.stft(t.ones(8), 4)": "stft requires the return_complex parameter be given for real inputs",
    "t.stft(t.ones(8), 20, return_complex=True)": "Padding size should be less than the corresponding input dimension",
    "t.istft(t.ones(3, 5) + 0j, 4, window=t.zeros(4))": "window overlap add min: 1",
    "t.signal.windows.gaussian(5, std=0)": "Standard deviation must be positive, got: 0 instead.",
    "t.hann_window(-1)": "hann_window requires non-negative window_length, got window_length=-1",
    "t.cov(t.ones(2, 3), fweights=t.tensor([1, 2, -1]))": "cov(): fweights cannot be negative",
    "t.cdist(t.ones(2, 2), t.ones(2, 2), p=-1)": "cdist only supports non-negative p values",
    "t.einsum('ij->ii', t.eye(2))": "einsum(): output subscript i appears more than once in the output",
    "t.tensordot(t.eye(2), t.eye(2), -1)": "tensordot expects dims >= 0, but got dims=-1",
    "t.addmm(t.eye(2).long(), t.eye(2), t.eye(2))": "self and mat2 must have the same dtype, but got Long and Float",
    "(a := t.eye(2).requires_grad_(), t.geqrf(a)[0].sum().backward(), a.grad.tolist())": "the derivative for 'geqrf'",
}


@pytest.mark.parametrize("code", REFUSED)
def test_what_pytorch_refuses_is_refused_in_its_words(code):
    kinds = []
    for torch in (theirs, ours):
        with pytest.raises(Exception) as caught:
            eval(code, {"t": torch})  # our own table
        assert REFUSED[code] in str(caught.value), torch.__name__
        kinds.append(caught.type.__name__.strip("_"))
    assert kinds[0] == kinds[1]


def test_results_have_names_and_out_is_written():
    a = ours.tensor([[2.0, 1.0], [1.0, 3.0]])
    found = ours.linalg.eigh(a)
    assert type(found).__name__ == "linalg_eigh" and found._fields == ("eigenvalues", "eigenvectors")
    into = ours.zeros(2, 2)
    assert ours.linalg.inv(a, out=into) is into
    np.testing.assert_allclose(into.numpy(), np.linalg.inv(a.numpy()), rtol=1e-6)
    sign, size = ours.zeros(()), ours.zeros(())
    ours.linalg.slogdet(a, out=(sign, size))
    assert (sign.item(), size.item()) == (1, pytest.approx(np.log(5)))


def test_in_a_compiled_function_a_singular_matrix_gives_infinities():
    solve = ours.compile(lambda a: ours.linalg.inv(a))
    np.testing.assert_allclose(solve(ours.eye(2) * 2).numpy(), np.eye(2) / 2)
    assert not np.isfinite(solve(ours.ones(2, 2)).numpy()).all()


def test_mapped_over_a_batch():
    a = ours.randn(4, 3, 3) + 3 * ours.eye(3)
    np.testing.assert_allclose(ours.vmap(ours.linalg.inv)(a).numpy(), ours.linalg.inv(a).numpy(), rtol=1e-5, atol=1e-6)


def test_every_name_of_pytorch_is_there():
    for name in ("linalg", "fft"):
        there = {n for n in dir(getattr(theirs, name)) if not n.startswith("_")}
        there -= {"common_notes", "Tensor", "common_args", "factory_common_args", "torch"}
        assert there <= set(dir(getattr(ours, name)))
    assert issubclass(ours.linalg.LinAlgError, RuntimeError)
