import own_metrics
import pytest

from vaesearch.assessment.asking import Conditions, choose, key_parts
from vaesearch.catalogue import METRICS
from vaesearch.errors import InputError
from vaesearch.evaluation.metrics.bounds import BitsPerDim


def test_every_metric_of_the_catalogue_is_made_from_its_name_and_written_again():
    for entry in METRICS:
        [asked] = choose(entry.name)
        assert (asked.spec, asked.name) == (entry.name, entry.name)
    [asked] = choose("bpd:3")
    assert choose(asked.spec) == [asked]
    assert asked == choose("bpd:samples=3")[0] == choose([BitsPerDim(3)])[0]
    assert len(choose("bpd:3,elbo,bpd:samples=3")) == 2


@pytest.mark.parametrize(
    ("metrics", "said"),
    [
        ("own_metrics:Odd", "its settings must be plain numbers and text"),
        ("own_metrics:Plain", "make it a dataclass"),
        ("own_metrics:Half", "a Half has no method `measure`"),
        ("own_metrics:Missing", "has no 'Missing'"),
        ("elbow", "did you mean 'elbo'"),
        ("bpd:0", "must be a whole number, at least 1"),
        ("bpd:1,2", "bpd takes samples"),
        ("", "--metrics is empty"),
    ],
)
def test_what_is_no_metric_is_said_in_words(metrics, said):
    with pytest.raises(InputError, match=said):
        choose(metrics)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"images": 0}, "--images must be above 0, not 0"),
        ({"chunk": -1}, "--chunk must be above 0, not -1"),
        ({"split": "tst"}, "did you mean 'test'"),
    ],
)
def test_conditions_out_of_range_are_refused(given, said):
    with pytest.raises(InputError, match=said):
        Conditions(**given)


def test_a_metric_made_in_python_goes_by_its_class():
    [asked] = choose([own_metrics.Count(2)])
    assert (asked.spec, asked.is_own) == ("own_metrics:Count:2", True)
    assert asked.settings == choose("own_metrics:Count:2")[0].settings
    assert key_parts(asked, Conditions(extractor="pixels")) == {"extractor": "pixels"}
