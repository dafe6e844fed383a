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
        "mse",
        f"{METRICS_MODULE}.bounds:MSE",
        "squared error of reconstructions from the mean code, per pixel",
        traits=_QUICK,
    ),
)
