"""What training maximises, and what arms are compared by."""

from vaesearch.catalogue.entry import REPORT, Entry

OBJECTIVES = (
    Entry(
        "elbo",
        "vaesearch.objectives.bounds:ELBO",
        "evidence lower bound, one sample of z per image",
        "Kingma & Welling 2014",
    ),
)
REGULARIZERS = (
    Entry(
        "kl",
        "vaesearch.objectives.regularizers:KL",
        "KL(q(z|x) || p(z)); with --beta, the beta-VAE",
        "Kingma & Welling 2014; Higgins et al. 2017",
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
    ),
)
REWARDS = (
    Entry("bpd", "", "negative bits/dim of the plain ELBO, as mass on the pixels (default)"),
    Entry("elbo", "", "plain ELBO in nats; refused across different likelihoods"),
    Entry("reconstruction", "", "expected log-likelihood in nats, without the KL term", REPORT),
)
