"""``torch.linalg``: factorizations, systems of equations, eigenvalues, norms. See PyTorch's documentation."""

from pytreemod.torch.linalg.cholesky import cholesky, cholesky_ex
from pytreemod.torch.linalg.ldl import ldl_factor, ldl_factor_ex, ldl_solve
from pytreemod.torch.linalg.low_rank import lobpcg as _lobpcg  # noqa: F401  (imported for what it attaches)
from pytreemod.torch.linalg.lu import lu, lu_factor, lu_factor_ex, lu_solve
from pytreemod.torch.linalg.norms import cond, matrix_norm, norm, vector_norm
from pytreemod.torch.linalg.orthogonal import householder_product, qr
from pytreemod.torch.linalg.products import (
    cross,
    diagonal,
    matmul,
    matrix_exp,
    matrix_power,
    multi_dot,
    vander,
    vecdot,
)
from pytreemod.torch.linalg.rank import lstsq, matrix_rank, pinv
from pytreemod.torch.linalg.singular import svd, svdvals
from pytreemod.torch.linalg.solving import (
    det,
    inv,
    inv_ex,
    slogdet,
    solve,
    solve_ex,
    solve_triangular,
    tensorinv,
    tensorsolve,
)
from pytreemod.torch.linalg.spectral import eig, eigh, eigvals, eigvalsh
from pytreemod.torch.ops.failed import LinAlgError

__all__ = [
    "cholesky",
    "cholesky_ex",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "householder_product",
    "inv",
    "inv_ex",
    "ldl_factor",
    "ldl_factor_ex",
    "ldl_solve",
    "LinAlgError",
    "lstsq",
    "lu",
    "lu_factor",
    "lu_factor_ex",
    "lu_solve",
    "matmul",
    "matrix_exp",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "multi_dot",
    "norm",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_ex",
    "solve_triangular",
    "svd",
    "svdvals",
    "tensorinv",
    "tensorsolve",
    "vander",
    "vecdot",
    "vector_norm",
]
