"""One distribution of each family, with a batch of two where it can have one: ``make(torch, leaves)``.

``leaf(values)`` makes a parameter, so that its gradient can be compared.
"""

FAMILIES = {
    "Bernoulli": lambda D, v: D.Bernoulli(v([0.3, 0.8])),
    "Bernoulli of logits": lambda D, v: D.Bernoulli(logits=v([0.3, -2.8])),
    "Beta": lambda D, v: D.Beta(v([0.5, 3.0]), v([2.0, 1.5])),
    "Binomial": lambda D, v: D.Binomial(7, v([0.3, 0.8])),
    "Binomial of logits": lambda D, v: D.Binomial(7, logits=v([0.3, -0.8])),
    "Categorical": lambda D, v: D.Categorical(v([[0.2, 0.3, 0.5], [3.0, 1.0, 1.0]])),
    "Categorical of logits": lambda D, v: D.Categorical(logits=v([[0.2, -0.3, 0.5], [3.0, 1.0, 1.0]])),
    "Cauchy": lambda D, v: D.Cauchy(v([0.5, -1.0]), v([2.0, 0.7])),
    "Chi2": lambda D, v: D.Chi2(v([1.5, 6.0])),
    "ContinuousBernoulli": lambda D, v: D.ContinuousBernoulli(v([0.3, 0.8])),
    "ContinuousBernoulli near a half": lambda D, v: D.ContinuousBernoulli(v([0.5, 0.4995])),
    "ContinuousBernoulli of logits": lambda D, v: D.ContinuousBernoulli(logits=v([0.3, -1.8])),
    "Dirichlet": lambda D, v: D.Dirichlet(v([[0.5, 3.0, 1.0], [2.0, 1.5, 4.0]])),
    "Exponential": lambda D, v: D.Exponential(v([0.5, 3.0])),
    "FisherSnedecor": lambda D, v: D.FisherSnedecor(v([3.0, 5.0]), v([6.0, 9.0])),
    "Gamma": lambda D, v: D.Gamma(v([0.5, 3.0]), v([2.0, 0.7])),
    "GeneralizedPareto": lambda D, v: D.GeneralizedPareto(v([0.5, -1.0]), v([1.0, 2.0]), v([0.2, -0.3])),
    "GeneralizedPareto without shape": lambda D, v: D.GeneralizedPareto(v([0.5, -1.0]), v([1.0, 2.0]), 0.0),
    "Geometric": lambda D, v: D.Geometric(v([0.3, 0.8])),
    "Geometric of logits": lambda D, v: D.Geometric(logits=v([0.3, -0.8])),
    "Gumbel": lambda D, v: D.Gumbel(v([0.5, -1.0]), v([2.0, 0.7])),
    "HalfCauchy": lambda D, v: D.HalfCauchy(v([0.5, 1.0])),
    "HalfNormal": lambda D, v: D.HalfNormal(v([0.5, 1.0])),
    "Independent": lambda D, v: D.Independent(D.Normal(v([[0.5, 1.0], [0.0, 2.0]]), v([2.0, 0.7])), 1),
    "InverseGamma": lambda D, v: D.InverseGamma(v([2.5, 3.0]), v([2.0, 0.7])),
    "Kumaraswamy": lambda D, v: D.Kumaraswamy(v([0.5, 3.0]), v([2.0, 0.7])),
    "LKJCholesky": lambda D, v: D.LKJCholesky(3, v([0.5, 3.0])),
    "Laplace": lambda D, v: D.Laplace(v([0.5, -1.0]), v([2.0, 0.7])),
    "LogNormal": lambda D, v: D.LogNormal(v([0.5, -1.0]), v([0.4, 0.7])),
    "LogisticNormal": lambda D, v: D.LogisticNormal(v([[0.5, -1.0, 0.3]]), v([0.4, 0.7, 1.0])),
    "LowRankMultivariateNormal": lambda D, v: D.LowRankMultivariateNormal(
        v([[0.5, -1.0, 0.3], [0.0, 0.0, 1.0]]), v([[1.0, 0.2], [0.4, -1.0], [0.3, 0.6]]), v([0.4, 0.7, 1.0])
    ),
    "MixtureSameFamily": lambda D, v: D.MixtureSameFamily(
        D.Categorical(v([[0.2, 0.8], [0.5, 0.5]])), D.Normal(v([[0.5, -1.0], [0.0, 2.0]]), v([2.0, 0.7]))
    ),
    "MixtureSameFamily of vectors": lambda D, v: D.MixtureSameFamily(
        D.Categorical(v([0.2, 0.8])), D.Independent(D.Normal(v([[0.5, -1.0, 1.0], [0.0, 2.0, 1.0]]), v(1.5)), 1)
    ),
    "Multinomial": lambda D, v: D.Multinomial(5, v([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])),
    "MultivariateNormal": lambda D, v: D.MultivariateNormal(
        v([[0.5, -1.0], [0.0, 2.0]]), covariance_matrix=v([[2.0, 0.4], [0.4, 1.0]])
    ),
    "MultivariateNormal of a factor": lambda D, v: D.MultivariateNormal(
        v([0.5, -1.0]), scale_tril=v([[[2.0, 0.0], [0.4, 1.0]], [[0.5, 0.0], [-0.4, 3.0]]])
    ),
    "MultivariateNormal of a precision": lambda D, v: D.MultivariateNormal(
        v([0.5, -1.0]), precision_matrix=v([[2.0, 0.4], [0.4, 1.0]])
    ),
    "NegativeBinomial": lambda D, v: D.NegativeBinomial(v([2.0, 3.5]), v([0.3, 0.8])),
    "Normal": lambda D, v: D.Normal(v([0.5, -1.0]), v([2.0, 0.7])),
    "OneHotCategorical": lambda D, v: D.OneHotCategorical(v([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])),
    "OneHotCategoricalStraightThrough": lambda D, v: D.OneHotCategoricalStraightThrough(v([0.2, 0.3, 0.5])),
    "Pareto": lambda D, v: D.Pareto(v([0.5, 1.0]), v([2.5, 3.7])),
    "Poisson": lambda D, v: D.Poisson(v([0.5, 30.0])),
    "RelaxedBernoulli": lambda D, v: D.RelaxedBernoulli(v(0.7), v([0.3, 0.8])),
    "RelaxedOneHotCategorical": lambda D, v: D.RelaxedOneHotCategorical(v(0.7), v([[0.2, 0.3, 0.5], [0.6, 0.2, 0.2]])),
    "StudentT": lambda D, v: D.StudentT(v([3.5, 6.0]), v([0.5, -1.0]), v([2.0, 0.7])),
    "TransformedDistribution": lambda D, v: D.TransformedDistribution(
        D.Normal(v([0.5, -1.0]), v([2.0, 0.7])), [D.TanhTransform(), D.AffineTransform(v(1.0), v([2.0, -3.0]))]
    ),
    "Uniform": lambda D, v: D.Uniform(v([0.5, -1.0]), v([2.0, 0.7])),
    "VonMises": lambda D, v: D.VonMises(v([0.5, -1.0]), v([2.0, 0.7])),
    "Weibull": lambda D, v: D.Weibull(v([0.5, 1.0]), v([2.0, 1.7])),
    "Wishart": lambda D, v: D.Wishart(v([4.5, 6.0]), covariance_matrix=v([[2.0, 0.4], [0.4, 1.0]])),
    "Wishart of a factor": lambda D, v: D.Wishart(v(3.5), scale_tril=v([[2.0, 0.0], [0.4, 1.0]])),
}
