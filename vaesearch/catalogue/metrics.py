"""What a trained model can be measured by, with ``vaesearch evaluate``."""

from vaesearch.catalogue.entry import Entry

METRICS_MODULE = "vaesearch.evaluation.metrics"

METRICS = (
    Entry(
        "elbo",
        f"{METRICS_MODULE}.bounds:ELBO",
        "evidence lower bound, its KL and reconstruction terms: nats per image",
        "Kingma & Welling 2014",
    ),
    Entry(
        "bpd",
        f"{METRICS_MODULE}.bounds:BitsPerDim",
        "bits/dim with pixels as 8-bit levels, from so many samples as in bpd:100",
    ),
    Entry(
        "mse",
        f"{METRICS_MODULE}.bounds:MSE",
        "squared error of reconstructions from the mean code, per pixel",
    ),
)
