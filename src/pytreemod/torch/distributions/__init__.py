"""``torch.distributions``: probability distributions, their transforms and divergences.

Samples follow PyTorch's stream: the same seed gives PyTorch's samples. Arguments are checked as in PyTorch, but for
their values inside compiled functions and under ``vmap``, where values cannot be read.
"""

from pytreemod.torch.distributions import (  # noqa: F401  (the formulas register themselves)
    constraint_registry,
    constraints,
    kl,
    kl_cross,
    kl_matrix,
    kl_same,
    transforms,
    utils,
)
from pytreemod.torch.distributions.bernoulli import Bernoulli
from pytreemod.torch.distributions.beta import Beta
from pytreemod.torch.distributions.binomial import Binomial
from pytreemod.torch.distributions.categorical import Categorical
from pytreemod.torch.distributions.cauchy import Cauchy
from pytreemod.torch.distributions.chi2 import Chi2
from pytreemod.torch.distributions.constraint_registry import biject_to, transform_to
from pytreemod.torch.distributions.continuous_bernoulli import ContinuousBernoulli
from pytreemod.torch.distributions.dirichlet import Dirichlet
from pytreemod.torch.distributions.distribution import Distribution
from pytreemod.torch.distributions.exp_family import ExponentialFamily
from pytreemod.torch.distributions.exponential import Exponential
from pytreemod.torch.distributions.fishersnedecor import FisherSnedecor
from pytreemod.torch.distributions.gamma import Gamma
from pytreemod.torch.distributions.generalized_pareto import GeneralizedPareto
from pytreemod.torch.distributions.geometric import Geometric
from pytreemod.torch.distributions.gumbel import Gumbel
from pytreemod.torch.distributions.half_cauchy import HalfCauchy
from pytreemod.torch.distributions.half_normal import HalfNormal
from pytreemod.torch.distributions.independent import Independent
from pytreemod.torch.distributions.inverse_gamma import InverseGamma
from pytreemod.torch.distributions.kl import kl_divergence, register_kl
from pytreemod.torch.distributions.kumaraswamy import Kumaraswamy
from pytreemod.torch.distributions.laplace import Laplace
from pytreemod.torch.distributions.lkj_cholesky import LKJCholesky
from pytreemod.torch.distributions.log_normal import LogNormal
from pytreemod.torch.distributions.logistic_normal import LogisticNormal
from pytreemod.torch.distributions.lowrank_multivariate_normal import LowRankMultivariateNormal
from pytreemod.torch.distributions.mixture_same_family import MixtureSameFamily
from pytreemod.torch.distributions.multinomial import Multinomial
from pytreemod.torch.distributions.multivariate_normal import MultivariateNormal
from pytreemod.torch.distributions.negative_binomial import NegativeBinomial
from pytreemod.torch.distributions.normal import Normal
from pytreemod.torch.distributions.one_hot_categorical import OneHotCategorical, OneHotCategoricalStraightThrough
from pytreemod.torch.distributions.pareto import Pareto
from pytreemod.torch.distributions.poisson import Poisson
from pytreemod.torch.distributions.relaxed_bernoulli import RelaxedBernoulli
from pytreemod.torch.distributions.relaxed_categorical import RelaxedOneHotCategorical
from pytreemod.torch.distributions.studentT import StudentT
from pytreemod.torch.distributions.transformed_distribution import TransformedDistribution
from pytreemod.torch.distributions.transforms import *  # noqa: F403
from pytreemod.torch.distributions.uniform import Uniform
from pytreemod.torch.distributions.von_mises import VonMises
from pytreemod.torch.distributions.weibull import Weibull
from pytreemod.torch.distributions.wishart import Wishart

__all__ = [
    "Bernoulli", "Beta", "Binomial", "Categorical", "Cauchy", "Chi2", "ContinuousBernoulli", "Dirichlet",
    "Distribution", "Exponential", "ExponentialFamily", "FisherSnedecor", "Gamma", "GeneralizedPareto", "Geometric",
    "Gumbel", "HalfCauchy", "HalfNormal", "Independent", "InverseGamma", "Kumaraswamy", "LKJCholesky", "Laplace",
    "LogNormal", "LogisticNormal", "LowRankMultivariateNormal", "MixtureSameFamily", "Multinomial",
    "MultivariateNormal", "NegativeBinomial", "Normal", "OneHotCategorical", "OneHotCategoricalStraightThrough",
    "Pareto", "Poisson", "RelaxedBernoulli", "RelaxedOneHotCategorical", "StudentT", "TransformedDistribution",
    "Uniform", "VonMises", "Weibull", "Wishart", "biject_to", "kl_divergence", "register_kl", "transform_to",
    *transforms.__all__,
]  # fmt: skip
