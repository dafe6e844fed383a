"""What training maximises, and what arms are compared by.

Traits: ``needs-gaussian``, ``needs-diagonal`` and ``needs-density`` name a trait that the
posterior must have, ``needs-standard`` one of the prior. ``samples`` of a bound: it takes
several samples of z per image, each with its own weight in place of a regulariser. ``entropy`` of
an annealing: it weighs a part of the KL.
"""

from vaesearch.catalogue.entry import REPORT, Entry

REGULARIZING = "vaesearch.objectives.regularizers"

BOUNDS = (
    Entry(
        "elbo",
        "vaesearch.objectives.bounds:ELBO",
        "evidence lower bound, one sample of z per image",
        "Kingma & Welling 2014",
    ),
    Entry(
        "iwae",
        "vaesearch.objectives.bounds:IWAE",
        "importance-weighted bound with so many samples of z per image, as in iwae:5",
        "Burda et al. 2016",
        traits=frozenset({"samples"}),
    ),
    Entry(
        "dreg",
        "vaesearch.objectives.bounds:DReG",
        "the same bound with the doubly reparameterised gradient, as in dreg:5",
        "Tucker et al. 2019",
        traits=frozenset({"samples", "needs-gaussian"}),
    ),
)
REGULARIZERS = (
    Entry(
        "kl",
        f"{REGULARIZING}.divergences:KL",
        "KL(q(z|x) || p(z)); with --beta, the beta-VAE",
        "Kingma & Welling 2014; Higgins et al. 2017",
    ),
    Entry(
        "free-bits",
        f"{REGULARIZING}.divergences:FreeBits",
        "KL with so many nats of each latent free, averaged over the batch, as in free-bits:0.5",
        "Kingma et al. 2016",
        traits=frozenset({"needs-diagonal", "needs-standard"}),
    ),
    Entry(
        "mmd",
        f"{REGULARIZING}.discrepancy:MMD",
        "weight * MMD^2(q(z), p(z)) in place of the KL, as in mmd:10",
        "Tolstikhin et al. 2018",
    ),
    Entry(
        "infovae",
        f"{REGULARIZING}.discrepancy:InfoVAE",
        "(1 - alpha) KL + (alpha + lambda - 1) MMD^2, as in infovae:LAMBDA,ALPHA",
        "Zhao et al. 2019",
    ),
    Entry(
        "js",
        f"{REGULARIZING}.divergences:GeometricJensenShannon",
        "geometric Jensen-Shannon, from KL(q||p) at js:0 to KL(p||q) at js:1",
        "Deasy et al. 2020",
        traits=frozenset({"needs-diagonal", "needs-standard"}),
    ),
    Entry(
        "js-mc",
        f"{REGULARIZING}.divergences:JensenShannon",
        "Jensen-Shannon by one sample of q and of p; below ln 2, so give it a --beta far above 1",
        "Lin 1991",
        traits=frozenset({"needs-density"}),
    ),
    Entry(
        "dip-i",
        f"{REGULARIZING}.disentangling:DIPI",
        "KL and a penalty on the covariance of the means, as in dip-i:LAMBDA_OD,LAMBDA_D",
        "Kumar et al. 2018",
        traits=frozenset({"needs-gaussian"}),
    ),
    Entry(
        "dip-ii",
        f"{REGULARIZING}.disentangling:DIPII",
        "KL and a penalty on the covariance of q(z), as in dip-ii:LAMBDA_OD,LAMBDA_D",
        "Kumar et al. 2018",
        traits=frozenset({"needs-gaussian"}),
    ),
)
ANNEALINGS = (
    Entry(
        "none", "vaesearch.objectives.annealing:NoAnnealing", "full weights from the first step"
    ),
    Entry(
        "kl",
        "vaesearch.objectives.annealing:KLAnnealing",
        "weight of the regulariser from 0 to --beta over so many epochs, as in kl:10",
        "Bowman et al. 2016",
    ),
    Entry(
        "entropy",
        "vaesearch.objectives.annealing:EntropyAnnealing",
        "weight of the entropy of q(z|x) from 0 to 1 over so many epochs, as in entropy:10",
        "Cremer et al. 2018",
        traits=frozenset({"entropy"}),
    ),
)
REWARDS = (
    Entry("bpd", "", "negative bits/dim of the plain ELBO, as mass on the pixels (default)"),
    Entry("elbo", "", "plain ELBO in nats; refused across different likelihoods"),
    Entry("reconstruction", "", "expected log-likelihood in nats, without the KL term", REPORT),
)
