import json
from dataclasses import replace

import own_metrics
import pytest
import torch

from vaesearch import assessment
from vaesearch.assessment import measure
from vaesearch.catalogue import METRICS
from vaesearch.errors import InputError
from vaesearch.evaluation.metrics.bounds import BitsPerDim
from vaesearch.evaluation.subject import Subject
from vaesearch.models.vae import build_model
from vaesearch.search.evaluations import Record

QUICK = [entry.name for entry in METRICS if "quick" in entry.traits]


def test_any_model_can_be_measured(subject):
    records = measure(subject, ["elbo", BitsPerDim(3)])
    assert [record.spec for record in records] == ["elbo", "bpd:3"]
    assert records[0].key.images == 12
    assert records[0].key.digest == ""
    assert Record.from_dict(json.loads(json.dumps(records[1].to_dict()))) == records[1]


def test_order_and_company_change_no_figure(subject):
    alone = {spec: measure(subject, spec)[0].figures for spec in QUICK}
    torch.manual_seed(1)
    together = measure(subject, list(reversed(QUICK)))
    assert {record.spec: record.figures for record in together} == alone


def test_a_model_without_bits_per_dim_is_measured_by_the_rest(subject):
    settings = replace(subject.model.settings, likelihood="relaxed-bernoulli")
    relaxed = Subject(build_model(settings, (1, 16, 16), 0), subject.data)
    specs = [record.spec for record in measure(relaxed)]
    assert "bpd" not in specs
    assert "elbo" in specs
    with pytest.raises(InputError, match="is no probability of 8-bit pixels; measure elbo"):
        measure(relaxed, "elbo,bpd")


@pytest.mark.parametrize(
    ("metric", "said"),
    [
        ("Broken", "'own_metrics:Broken': ZeroDivisionError: by nothing"),
        ("Number", "gave a float, not a Measurement"),
        ("Tensors", "what it found is no plain data"),
        ("Lost", "depends on 'weather', which no subject has"),
    ],
)
def test_a_metric_of_ones_own_that_fails_is_named(subject, metric, said):
    with pytest.raises(InputError, match=said):
        measure(subject, f"own_metrics:{metric}")


def test_a_metric_that_runs_out_of_memory_says_what_to_do(subject, monkeypatch):
    def full(*_):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 PiB")

    monkeypatch.setattr(own_metrics.Count, "measure", full)
    with pytest.raises(InputError, match="out of memory; give a smaller --chunk"):
        measure(subject, "own_metrics:Count")


def test_the_package_offers_both():
    import vaesearch

    assert vaesearch.evaluate is assessment.evaluate
    assert vaesearch.measure is assessment.measure
