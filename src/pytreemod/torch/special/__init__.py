"""``torch.special``: functions of mathematical physics and statistics, element by element. Loaded at first use."""

from typing import Any

import jax.numpy as jnp
import jax.scipy.special as scipy

from pytreemod.torch.ops.gamma import hurwitz, refuse
from pytreemod.torch.ops.keywords import respelled
from pytreemod.torch.ops.output import write_out
from pytreemod.torch.ops.registry import FUNCTIONS, floating, operands, operation
from pytreemod.torch.record import call
from pytreemod.torch.special import airy, bessel, polynomials
from pytreemod.torch.tape.value import Op
from pytreemod.torch.tensor import Tensor, wrap
from pytreemod.tree.signatures import parameter_names

_NUMBERS = (int, float, complex)


def _offered(op: Op, name: str, operands: int, grad: bool = True) -> Any:
    """The public function of an operation of one or two operands; of two, one may be a number."""

    own = parameter_names(op.function)

    def public(*args: Any, out: Any = None, **kwargs: Any) -> Any:
        kwargs = respelled(own, kwargs)
        given = (*args, *kwargs.values())
        if len(given) != operands or not any(isinstance(x, Tensor) for x in given):
            kinds = ", ".join(type(x).__name__ for x in given)
            wanted = "(Tensor input)" if operands == 1 else "two of which one is a Tensor and the other may be a number"
            raise TypeError(
                f"special_{name}() received an invalid combination of arguments - got ({kinds}), but expected {wanted}"
            )
        found = wrap(call(op, args, kwargs, None if grad else False))
        return found if out is None else write_out(found, out)

    public.__name__ = public.__qualname__ = name
    return public


def _node(name: str) -> str:
    return "Special" + "".join(p[:1].upper() + p[1:] for p in name.split("_")) + "Backward0"


def _unary(name: str, function: Any, node: str | None = None, wide: bool = False) -> Any:
    """A function of one operand with a gradient; ``wide``: computed in float64, as JAX's float32 is not good enough."""

    def pure(input: Any) -> Any:
        x = floating(input)
        refuse(name + "_cpu", x)
        return function(x.astype(jnp.float64)).astype(x.dtype) if wide else function(x)

    pure.__name__ = "special_" + name
    return _offered(operation(node or _node(name), method=False, function=False)(pure), name, 1)


def _physical(name: str, function: Any, *settings: Any) -> Any:
    """A function of one operand without a gradient, computed in float64."""

    def pure(input: Any) -> Any:
        x = floating(input)
        refuse(name + "_cpu", x)
        return function(x.astype(jnp.float64), *settings).astype(x.dtype)

    pure.__name__ = "special_" + name
    return _offered(operation(method=False, function=False)(pure), name, 1, grad=False)


def _polynomial(name: str, function: Any, shifted: bool = False, named: bool = False) -> Any:
    def pure(input: Any, n: Any) -> Any:
        x, degree = operands(input, n, floating=True)
        refuse(name + "_cpu", x)
        lost = ~jnp.isfinite(degree)  # an endless recurrence
        n = jnp.trunc(jnp.where(lost, 0, degree)).astype(jnp.int64)
        x, n = jnp.broadcast_arrays(x, n)
        wide = x.astype(jnp.float64)
        settings = ("float64" if x.dtype == jnp.float64 else "float32",) if named else ()
        found = function(2 * wide - 1 if shifted else wide, n, *settings)
        return jnp.where(lost, jnp.nan, found).astype(x.dtype)

    pure.__name__ = "special_" + name
    return _offered(operation(numbers=True, method=False, function=False)(pure), name, 2, grad=False)


# ---- those that torch has too, some of them under another name

digamma = psi = FUNCTIONS["digamma"]
erf, erfc, erfinv = FUNCTIONS["erf"], FUNCTIONS["erfc"], FUNCTIONS["erfinv"]
exp2, expm1, log1p = FUNCTIONS["exp2"], FUNCTIONS["expm1"], FUNCTIONS["log1p"]
expit, logit, sinc, i0 = FUNCTIONS["sigmoid"], FUNCTIONS["logit"], FUNCTIONS["sinc"], FUNCTIONS["i0"]
gammaln, gammainc, gammaincc = FUNCTIONS["lgamma"], FUNCTIONS["igamma"], FUNCTIONS["igammac"]
multigammaln, polygamma = FUNCTIONS["mvlgamma"], FUNCTIONS["polygamma"]
logsumexp, softmax, log_softmax = FUNCTIONS["logsumexp"], FUNCTIONS["softmax"], FUNCTIONS["log_softmax"]
round, xlogy = FUNCTIONS["round"], FUNCTIONS["xlogy"]

# ---- statistics

entr = _unary("entr", scipy.entr)
erfcx = _unary("erfcx", scipy.erfcx, wide=True)
ndtr = _unary("ndtr", scipy.ndtr, "MulBackward1", wide=True)
ndtri = _unary("ndtri", scipy.ndtri)
log_ndtr = _unary("log_ndtr", scipy.log_ndtr)


def _xlog1py(input: Any, other: Any) -> Any:
    x, y = operands(input, other, floating=True)
    refuse("xlog1py_cpu", x)
    none = (x == 0) & ~jnp.isnan(y)
    return jnp.where(none, jnp.zeros_like(x), x * jnp.log1p(jnp.where(none, jnp.zeros_like(y), y)))


def _zeta(input: Any, other: Any) -> Any:
    x, q = operands(input, other, floating=True)
    refuse("zeta", x)
    return hurwitz(x, q).astype(x.dtype)


xlog1py = _offered(
    operation(_node("xlog1_py"), numbers=True, method=False, function=False, name="special_xlog1py")(_xlog1py),
    "xlog1py",
    2,
)
zeta = _offered(
    operation(_node("zeta"), numbers=True, method=False, function=False, name="special_zeta")(_zeta), "zeta", 2
)

# ---- Bessel functions and their kin

i0e = _unary("i0e", scipy.i0e, _node("i0_e"))
i1 = _unary("i1", scipy.i1)
i1e = _unary("i1e", scipy.i1e, _node("i1_e"))
airy_ai = _physical("airy_ai", airy.airy_ai)
bessel_j0, bessel_j1 = (_physical(f"bessel_j{k}", bessel.bessel_j, k) for k in (0, 1))
bessel_y0, bessel_y1 = (_physical(f"bessel_y{k}", bessel.bessel_y, k) for k in (0, 1))
modified_bessel_i0, modified_bessel_i1 = (
    _physical(f"modified_bessel_{n}", f) for n, f in (("i0", scipy.i0), ("i1", scipy.i1))
)
modified_bessel_k0, modified_bessel_k1 = (_physical(f"modified_bessel_k{k}", bessel.bessel_k, k) for k in (0, 1))
scaled_modified_bessel_k0, scaled_modified_bessel_k1 = (
    _physical(f"scaled_modified_bessel_k{k}", bessel.scaled_bessel_k, k) for k in (0, 1)
)
spherical_bessel_j0 = _physical("spherical_bessel_j0", bessel.spherical_j0)

# ---- orthogonal polynomials

chebyshev_polynomial_t = _polynomial("chebyshev_polynomial_t", polynomials.chebyshev_t)
chebyshev_polynomial_u = _polynomial("chebyshev_polynomial_u", polynomials.chebyshev_u)
chebyshev_polynomial_v = _polynomial("chebyshev_polynomial_v", polynomials.chebyshev_v)
chebyshev_polynomial_w = _polynomial("chebyshev_polynomial_w", polynomials.chebyshev_w)
shifted_chebyshev_polynomial_t = _polynomial("shifted_chebyshev_polynomial_t", polynomials.chebyshev_t, True)
shifted_chebyshev_polynomial_u = _polynomial("shifted_chebyshev_polynomial_u", polynomials.chebyshev_u, True)
shifted_chebyshev_polynomial_v = _polynomial("shifted_chebyshev_polynomial_v", polynomials.chebyshev_v, True)
shifted_chebyshev_polynomial_w = _polynomial("shifted_chebyshev_polynomial_w", polynomials.chebyshev_w, True)
hermite_polynomial_h = _polynomial("hermite_polynomial_h", polynomials.hermite_h, named=True)
hermite_polynomial_he = _polynomial("hermite_polynomial_he", polynomials.hermite_he, named=True)
laguerre_polynomial_l = _polynomial("laguerre_polynomial_l", polynomials.laguerre_l)
legendre_polynomial_p = _polynomial("legendre_polynomial_p", polynomials.legendre_p)
