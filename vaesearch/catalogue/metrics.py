"""What a trained model can be measured by, with ``vaesearch evaluate``."""

from vaesearch.catalogue.entry import Entry

# Measured where no metric is asked for by name: a pass over the images or two each.
_QUICK = frozenset({"quick"})
METRICS_MODULE = "vaesearch.evaluation.metrics"

METRICS = (
    Entry(
        "elbo",
        f"{METRICS_MODULE}.bounds:ELBO",
        "evidence lower bound, its KL and reconstruction terms: nats per image",
        "Kingma & Welling 2014",
        traits=_QUICK,
    ),
    Entry(
        "bpd",
        f"{METRICS_MODULE}.bounds:BitsPerDim",
        "bits/dim with pixels as 8-bit levels, from so many samples as in bpd:100",
        traits=_QUICK,
    ),
    Entry(
        "iwae",
        f"{METRICS_MODULE}.bounds:IWAE",
        "importance-weighted bound: nats per image, from so many samples as in iwae:5000",
        "Burda et al. 2016",
    ),
    Entry(
        "ais",
        f"{METRICS_MODULE}.annealed:AIS",
        "log p(x) by annealed importance sampling, as in ais:temperatures=1000,chains=16",
        "Neal 2001; Wu et al. 2017",
    ),
    Entry(
        "bdmc",
        f"{METRICS_MODULE}.annealed:BDMC",
        "how exact ais is: bounds from both sides on images made by the model",
        "Grosse et al. 2015",
    ),
    Entry(
        "gap",
        f"{METRICS_MODULE}.gap:Gap",
        "log p(x) - ELBO, split into approximation and amortisation, of so many images as gap:100",
        "Cremer et al. 2018",
    ),
    Entry(
        "mse",
        f"{METRICS_MODULE}.bounds:MSE",
        "squared error of reconstructions from the mean code, per pixel",
        traits=_QUICK,
    ),
    Entry(
        "latents",
        f"{METRICS_MODULE}.latents:Latents",
        "KL of each latent, and how many are active, above 0.01 or as in latents:0.05",
        "Burda et al. 2016",
        traits=_QUICK,
    ),
    Entry(
        "active-units",
        f"{METRICS_MODULE}.latents:ActiveUnits",
        "latents whose mean varies over images, for any posterior",
        "Burda et al. 2016",
    ),
    Entry(
        "kl-parts",
        f"{METRICS_MODULE}.parts:KLParts",
        "the KL as mutual information, total correlation and KL of each latent's aggregate",
        "Hoffman & Johnson 2016; Chen et al. 2018",
    ),
    Entry(
        "consistency",
        f"{METRICS_MODULE}.consistency:Consistency",
        "KL between the encodings of a reconstruction and its image, as in consistency:5",
        "Liu et al. 2020",
    ),
    Entry(
        "aggregate",
        f"{METRICS_MODULE}.aggregate:Aggregate",
        "KL of the aggregate posterior from the prior, by so many Gaussians as in aggregate:32",
        "Lin et al. 2019",
    ),
    Entry(
        "fid",
        f"{METRICS_MODULE}.fidelity:FID",
        "Fréchet distance of samples and reconstructions from images, as in fid:samples=5000",
        "Heusel et al. 2017",
    ),
    Entry(
        "kid",
        f"{METRICS_MODULE}.fidelity:KID",
        "kernel distance of the same pictures, unbiased however few they are",
        "Bińkowski et al. 2018",
    ),
    Entry(
        "calibration",
        f"{METRICS_MODULE}.calibration:Calibration",
        "predicted spread of pixels beside their errors: coverage of intervals, ENCE, Spearman",
        "Levi et al. 2019; Lin et al. 2019",
    ),
)
