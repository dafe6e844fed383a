from collections.abc import Callable

import pytest

from vaesearch import catalogue
from vaesearch.catalogue import AXES, Entry, build, find
from vaesearch.errors import InputError
from vaesearch.specs import parse_spec

ENTRIES = [(axis, entry) for axis, entries in AXES.items() for entry in entries]
IDS = [f"{axis}-{entry.name}" for axis, entry in ENTRIES]


@pytest.mark.parametrize(("axis", "entry"), ENTRIES, ids=IDS)
def test_target_of_every_entry_is_there(axis, entry):
    if axis in ("rewards", "objectives"):  # names of figures, not of classes
        assert entry.target == ""
    else:
        assert isinstance(entry.load(), Callable)
    assert entry.summary
    assert len(f"{entry.name}: {entry.summary}") < 110


@pytest.mark.parametrize("axis", AXES)
def test_names_are_unique_and_can_be_typed(axis):
    names = [entry.name for entry in AXES[axis]]
    assert len(set(names)) == len(names)
    assert all(name == name.lower() and not set(name) & set(" :,=_") for name in names)


@pytest.mark.parametrize(("axis", "entry"), ENTRIES, ids=IDS)
def test_entry_is_found_by_its_name_and_with_arguments(axis, entry):
    assert find(axis, entry.name) is entry
    assert find(axis, f"{entry.name}:x=1") is entry


@pytest.mark.parametrize("axis", AXES)
def test_unknown_name_is_refused_with_the_nearest(axis):
    first = AXES[axis][0].name
    with pytest.raises(InputError, match=f"did you mean '{first}'"):
        find(axis, first + "x")


@pytest.mark.parametrize(
    ("spec", "parsed"),
    [
        ("conv", ("conv", [], {})),
        ("conv:", ("conv", [], {})),
        ("gaussian:optimal", ("gaussian", ["optimal"], {})),
        ("gaussian:1e-2", ("gaussian", [0.01], {})),
        ("gaussian:1", ("gaussian", [1], {})),
        ("ucb: level=0.9, first-pulls = 3", ("ucb", [], {"level": 0.9, "first_pulls": 3})),
        ("a:x=b=c", ("a", [], {"x": "b=c"})),
    ],
)
def test_spec_is_split(spec, parsed):
    assert parse_spec(spec) == parsed
    for value, wanted in zip(parse_spec(spec)[1], parsed[1], strict=True):
        assert type(value) is type(wanted)


@pytest.mark.parametrize(
    ("axis", "spec"),
    [
        ("policies", "epsilon-greedy:colour=3"),
        ("policies", "epsilon-greedy:1,2,3,4,5,6,7,8,9"),
        ("likelihoods", "bernoulli:0.5"),
        ("likelihoods", "discretized-normal:colour=1"),
    ],
)
def test_arguments_that_a_member_does_not_take_are_refused_in_words(axis, spec):
    with pytest.raises(InputError, match=f"{spec.partition(':')[0]}.*takes "):
        build(axis, spec)


def test_fault_inside_a_member_is_not_blamed_on_the_user(monkeypatch):
    def broken():
        raise TypeError("a bug")

    monkeypatch.setattr(Entry, "load", lambda self: broken)
    with pytest.raises(TypeError, match="a bug"):
        build("likelihoods", "bernoulli")


def test_options_of_an_entry_are_bound():
    wide, narrow = (
        build("decoders", name, latent_dim=2, shape=(1, 4, 4), outputs=1)
        for name in ("mlp-wide", "mlp")
    )
    assert wide.layers[0][0].out_features == 2 * narrow.layers[0][0].out_features == 256


def test_listing_the_catalogue_imports_nothing_heavy():
    assert all(isinstance(entry.target, str) for _, entry in ENTRIES)
    assert not hasattr(catalogue, "torch")


def test_arguments_that_a_member_takes_are_named():
    with pytest.raises(InputError, match=r"residual takes blocks, .*"):
        build("decoders", "residual:deep=2", latent_dim=2, shape=(1, 8, 8), outputs=1, width=1.0)
    with pytest.raises(InputError, match="beta takes no arguments"):
        build("likelihoods", "beta:3")
