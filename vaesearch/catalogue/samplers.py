"""Who proposes the next trial of `tune` and `search`, and what can be optimised.

Traits of a sampler: ``stateful`` keeps a state beside the trials, so a resumed search draws its
proposals again in order; ``several`` can optimise several objectives. Traits of an objective:
``lower`` is better, or ``higher``; ``cost`` is known before training.
"""

from vaesearch.catalogue.entry import Entry

_SAMPLERS = "vaesearch.search.tuning.samplers"
_SEVERAL = frozenset({"several"})
SAMPLERS = (
    Entry(
        "tpe",
        f"{_SAMPLERS}:tpe",
        "tree-structured Parzen estimator, multivariate, with constant liar (default)",
        "Bergstra et al. 2011; Watanabe 2023",
        traits=_SEVERAL,
    ),
    Entry(
        "gp",
        f"{_SAMPLERS}:gp",
        "Gaussian process, log expected improvement; slower than tpe per proposal",
        "Snoek et al. 2012; Ament et al. 2023",
        traits=_SEVERAL,
    ),
    Entry(
        "cmaes",
        f"{_SAMPLERS}:cmaes",
        "covariance matrix adaptation, for ranges of numbers and many trials",
        "Hansen & Ostermeier 2001",
        traits=frozenset({"stateful"}),
    ),
    Entry(
        "nsga2",
        f"{_SAMPLERS}:nsga2",
        "genetic, for several objectives and many trials",
        "Deb et al. 2002",
        traits=frozenset({"several", "stateful"}),
    ),
    Entry(
        "random",
        f"{_SAMPLERS}:random",
        "independent draws",
        "Bergstra & Bengio 2012",
        traits=_SEVERAL,
    ),
    Entry(
        "grid",
        f"{_SAMPLERS}:grid",
        "every point in random order; grid:5 takes 5 of each range of numbers",
        traits=_SEVERAL,
    ),
)
_LOWER, _HIGHER = frozenset({"lower"}), frozenset({"higher"})
_COST = frozenset({"lower", "cost"})
OBJECTIVES = (
    Entry("bpd", "", "bits/dim of the plain ELBO, as mass on the pixels (default)", traits=_LOWER),
    Entry("elbo", "", "plain ELBO in nats; refused across likelihoods", traits=_HIGHER),
    Entry("reconstruction", "", "expected log-likelihood in nats", traits=_HIGHER),
    Entry("mse", "", "squared error of reconstructions, per pixel", traits=_LOWER),
    Entry("kl", "", "KL(q(z|x) || p(z)) in nats", traits=_LOWER),
    Entry(
        "consistency",
        "",
        "KL(z'||z) in nats: how far a code moves when its reconstruction is encoded",
        "Liu et al. 2020",
        traits=_LOWER,
    ),
    Entry("parameters", "", "trainable parameters", traits=_COST),
    Entry("flops", "", "of a training step, for each image", traits=_COST),
    Entry("memory", "", "bytes that training on a batch needs", traits=_COST),
)
