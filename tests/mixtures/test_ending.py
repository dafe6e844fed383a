"""A search over ``gmm_components`` ends with mixtures of its leading arms, whatever happens."""

import json

import pytest
import tiny
import yaml

from vaesearch import TuneConfig, load_model, resume, run_search, tune_mixtures
from vaesearch.errors import InputError
from vaesearch.mixtures import fitting
from vaesearch.mixtures.ending import LEADING, check_components, leading
from vaesearch.search.mixtures import best_components
from vaesearch.search.run_dir import RunDir
from vaesearch.space import Choice, Int, Parameter, Space
from vaesearch.trained import read_state

SPACE = "latent_dim: {int: [2, 9]}\ngmm_components: {int: [1, 3]}\n"


def search(folder, space=SPACE, **options):
    (folder / "space.yaml").write_text(space)
    config = TuneConfig(
        dataset=str(tiny.write_dataset(folder)), image_size=16, decoders="mlp", encoders="mlp",
        width=0.05, batch_size=64, backend="local", trials=4, epochs=4, max_epochs_per_arm=1,
        tracking_uri="none", space=str(folder / "space.yaml"), sampler="random", policy="uniform",
    )  # fmt: skip
    notes = []
    run_search(config.changed(**options), folder / "run", note=notes.append)
    return folder / "run", notes


@pytest.fixture(scope="module", autouse=True)
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAESEARCH_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A search that nobody stopped: its directory and what it told. Change nothing there."""
    return search(tmp_path_factory.mktemp("whole"))


def chosen(path):
    state = read_state(RunDir(path))
    return {name: best_components(RunDir(path), arm) for name, arm in state.arms.items()}


def test_the_leading_arms_get_their_best_mixtures(whole):
    path, notes = whole
    state = read_state(RunDir(path))
    ahead = [checkpoint.arm.name for checkpoint in leading(state)]
    assert len(ahead) == LEADING
    found = chosen(path)
    assert {name for name, components in found.items() if components} == set(ahead)
    assert any(note.startswith(f"{ahead[0]}: ") and "codes best" in note for note in notes)
    arms = json.loads((path / "results.json").read_text())["arms"]
    assert {arm["name"]: arm.get("gmm_components") for arm in arms} == found
    best = yaml.safe_load((path / "best.yaml").read_text())
    assert best["prior"] == f"gmm:{found[ahead[0]]}"
    for name in ahead:
        assert len(load_model(path / "arms" / name / "model.pt").aggregate.means) == found[name]


def test_the_command_afterwards_says_so_in_the_results(tmp_path):
    path, _ = search(tmp_path, space="latent_dim: {int: [2, 9]}\n")
    assert yaml.safe_load((path / "best.yaml").read_text())["prior"] == "standard"
    tune_mixtures(path, [2])
    assert yaml.safe_load((path / "best.yaml").read_text())["prior"] == "gmm:2"
    assert json.loads((path / "results.json").read_text())["arms"][0]["gmm_components"] == 2


def test_a_search_that_is_stopped_there_is_completed(tmp_path, monkeypatch, whole):
    made, fit = [], fitting.fit_codes

    def stopping(*given):
        if len(made) == 4:
            raise KeyboardInterrupt
        made.append(given[1])
        return fit(*given)

    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fit_codes", stopping)
        with pytest.raises(KeyboardInterrupt):
            search(tmp_path)
    stopped = tmp_path / "run"
    assert read_state(RunDir(stopped)).finished is None
    resume(stopped)
    assert read_state(RunDir(stopped)).finished is not None
    assert chosen(stopped) == chosen(whole[0])
    files = [sorted((path / "mixtures").glob("*.json")) for path in (whole[0], stopped)]
    assert [p.name for p in files[0]] == [p.name for p in files[1]]
    for one, other in zip(*files, strict=True):
        fits = [json.loads(p.read_text())["fits"] for p in (one, other)]
        assert [f["figures"] for f in fits[0]] == [f["figures"] for f in fits[1]]


def test_a_space_without_components_ends_as_before(tmp_path):
    path, notes = search(tmp_path, space="latent_dim: [2, 3]\n")
    assert not (path / "mixtures").exists()
    assert not any("codes best" in note for note in notes)


def test_an_arm_without_a_mixture_is_told_and_does_not_stop_the_search(tmp_path, monkeypatch):
    def singular(*_):
        raise ValueError("singular")

    monkeypatch.setattr(fitting, "fit_codes", singular)
    path, notes = search(tmp_path)
    assert read_state(RunDir(path)).finished is not None
    assert sum("no mixture could be fitted (singular)" in note for note in notes) == LEADING


def test_components_that_no_arm_can_have_are_refused_before_training(tmp_path):
    with pytest.raises(InputError, match=r"gmm_components begin at 90, and \d+ training images"):
        search(tmp_path, space="latent_dim: [2, 3]\ngmm_components: [90, 200]\n")
    assert not (tmp_path / "run").exists()


def test_the_least_number_of_latents_decides():
    latents = Parameter("latent_dim", Int(2, 50))
    check_components(Space((latents,), components=Int(10, 20)), 80, 50)
    with pytest.raises(InputError, match="10 Gaussians of 2 latents at most"):
        check_components(Space((latents,), components=Int(11, 20)), 80, 50)
    latents = Parameter("latent_dim", Choice((8, 4)))
    with pytest.raises(InputError, match="5 Gaussians of 4 latents at most"):
        check_components(Space((latents,), components=Int(6, 9)), 80, 50)
    with pytest.raises(InputError, match="1 Gaussians of 50 latents at most"):
        check_components(Space((), components=Int(6, 9)), 80, 50)
    check_components(Space(()), 80, 50)


def test_what_is_too_much_for_one_arm_is_left_out(tmp_path):
    path, notes = search(tmp_path, space="latent_dim: [2, 40]\ngmm_components: [2, 9]\n", trials=6)
    state = read_state(RunDir(path))
    for checkpoint in leading(state):
        name, wide = checkpoint.arm.name, checkpoint.arm.settings.latent_dim == 40
        assert (chosen(path)[name] is None) == wide
        assert any(n.startswith(f"{name}: too few training images for 2") for n in notes) == wide
