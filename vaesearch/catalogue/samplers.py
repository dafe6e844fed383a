"""Who proposes the next trial of `tune` and `search`, and what can be optimised.

Traits of a sampler: ``stateful`` keeps a state beside the trials, so a resumed search draws its
proposals again in order; ``several`` can optimise several objectives. Traits of an objective:
``lower`` is better, or ``higher``; ``cost`` is known before training.
"""

from vaesearch.catalogue.entry import Entry

_SAMPLERS = "vaesearch.search.tuning.samplers"
SAMPLERS = (
    Entry(
        "tpe",
        f"{_SAMPLERS}:tpe",
        "tree-structured Parzen estimator, multivariate, with constant liar (default)",
        "Bergstra et al. 2011; Watanabe 2023",
        traits=frozenset({"several"}),
    ),
    Entry("random", f"{_SAMPLERS}:random", "independent draws", "Bergstra & Bengio 2012",
          traits=frozenset({"several"})),
)  # fmt: skip
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
