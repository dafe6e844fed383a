"""What does not go together is refused by the options alone, before anything is loaded."""

import pytest

from vaesearch import catalogue
from vaesearch.catalogue import Entry
from vaesearch.config import Config
from vaesearch.errors import InputError


@pytest.mark.parametrize("bound", ["iwae:5", "dreg:5"])
@pytest.mark.parametrize("regularizer", ["free-bits", "mmd:5", "js", "js-mc", "dip-ii"])
def test_weighted_samples_go_with_the_kl_only(bound, regularizer):
    with pytest.raises(InputError, match=f"--bound {bound} .* --regularizer kl only"):
        Config(bound=bound, regularizer=regularizer)


@pytest.mark.parametrize("regularizer", ["free-bits", "mmd", "infovae", "js", "js-mc", "dip-i"])
def test_entropy_is_annealed_inside_the_kl_only(regularizer):
    with pytest.raises(InputError, match=f"--annealing entropy:5 .* --regularizer {regularizer}"):
        Config(annealing="entropy:5", regularizer=regularizer)
    assert Config(annealing="kl:5", regularizer=regularizer).regularizer == regularizer


@pytest.mark.parametrize("regularizer", ["free-bits:1", "js:0.1"])
def test_closed_forms_are_those_of_the_standard_normal(regularizer):
    message = rf"--regularizer {regularizer} is a formula for N\(0, I\), not for --prior vampprior"
    with pytest.raises(InputError, match=message):
        Config(regularizer=regularizer, prior="vampprior")
    assert Config(regularizer=regularizer, prior="gmm:4").prior == "gmm:4"


NEEDS = [
    ("bound", "dreg", "gaussian"),
    ("regularizer", "free-bits", "diagonal"),
    ("regularizer", "js", "diagonal"),
    ("regularizer", "js-mc", "density"),
    ("regularizer", "dip-i", "gaussian"),
    ("regularizer", "dip-ii", "gaussian"),
    ("prior", "vampprior", "density"),
]


@pytest.mark.parametrize(("option", "spec", "trait"), NEEDS)
def test_posterior_must_have_what_a_member_needs(monkeypatch, option, spec, trait):
    traits = frozenset({"gaussian", "diagonal", "density"})
    rows = (
        Entry("lacking", "", "", traits=traits - {trait}),
        Entry("full", "", "", traits=traits),
    )
    monkeypatch.setitem(catalogue.AXES, "posteriors", rows)
    with pytest.raises(InputError, match=f"--{option} {spec} needs a .*--posterior lacking"):
        Config(posterior="lacking", **{option: spec})
    assert getattr(Config(posterior="full", **{option: spec}), option) == spec
    # A user's own is taken at its word.
    assert Config(posterior="mine:Posterior", **{option: spec}).posterior == "mine:Posterior"


@pytest.mark.parametrize(
    ("prior", "images", "latent_dim", "most"),
    [("gmm:32", 1200, 16, 18), ("gmm:components=3", 8, 2, 1), ("vampprior:500", 400, 16, 400)],
)
def test_more_components_than_images_can_tell_apart_are_refused(prior, images, latent_dim, most):
    config = Config(prior=prior, latent_dim=latent_dim)
    message = f"--prior {prior} needs .*; with {images} training images ask for {most} components"
    with pytest.raises(InputError, match=message):
        config.resolved(images=images, channels=1)
    name = prior.partition(":")[0]
    fitting = Config(prior=f"{name}:{most}", latent_dim=latent_dim)
    assert fitting.resolved(images=images, channels=1).prior == f"{name}:{most}"


def test_bad_numbers_are_refused_before_any_epoch(tmp_path):
    from vaesearch.api import run_bandit

    for options in ({"bound": "iwae:0"}, {"regularizer": "js:2"}, {"prior": "vampprior:0.5"},
                    {"annealing": "kl:0"}):  # fmt: skip
        config = Config(decoders="mlp", encoders="mlp", backend="local", epochs=1, **options)
        with pytest.raises(InputError, match="mlp: "):
            run_bandit(config, tmp_path / "run")
        assert not (tmp_path / "run" / "ledger.jsonl").exists()
