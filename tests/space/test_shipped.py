"""The spaces that come with the product, and the page that explains how to write one."""

import re
import shlex
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from vaesearch import catalogue
from vaesearch.config import Config, TuneConfig
from vaesearch.models.checks import check_model
from vaesearch.space import Space, check_space, default_space, load_space, shipped_spaces
from vaesearch.space.shipped import space_entries

ALL = sorted(shipped_spaces())
COLOUR = {"cifar10"}
README = Path(__file__).parents[2] / "search_spaces" / "README.md"


def base(name):
    """Options of the search, with networks that are quick to make."""
    channels = 3 if name in COLOUR else 1
    images = 1_200 if name == "digits" else 50_000
    config = Config(width=0.05).resolved(images=images, channels=channels)
    return config.settings("mlp", "mlp"), (channels, 16, 16)


def test_all_are_there():
    assert set(ALL) == {"digits", "mnist", "fashionmnist", "cifar10", "flows", "open", "vae"}
    assert all(len(entry.summary) > 20 for entry in space_entries())


@pytest.mark.parametrize("name", ALL)
def test_feasible_with_the_options_of_the_product(name):
    check_space(load_space(name), TuneConfig())


@pytest.mark.parametrize("name", ALL)
def test_the_defaults_of_the_product_can_be_proposed(name):
    space = load_space(name)
    settings, _ = base(name)
    point = space.defaults(vars(settings))
    assert space.contains(point)
    options = vars(settings) | {"alpha": 1e-3}  # 0 is on no logarithmic range
    assert {k: options[k] for k in point} == point


@pytest.mark.parametrize("name", ALL)
def test_plain_data_and_back(name):
    space = load_space(name)
    assert Space.from_dict(space.to_dict()) == space


@pytest.mark.parametrize("draws", [20, pytest.param(200, marks=pytest.mark.slow)])
@pytest.mark.parametrize("name", ALL)
def test_what_is_drawn_can_be_built(name, draws, draw):
    space, rng = load_space(name), np.random.default_rng(0)
    settings, shape = base(name)
    built = set()
    for _ in range(draws):
        point = draw(space, rng)
        assert space.contains(point)
        options = vars(settings) | space.options(point)
        # What has no part in the networks need not be made again.
        trial = type(settings)(**options | {"alpha": 0.0, "learning_rate": 1e-3, "batch_size": 2})
        if trial not in built:
            assert check_model(trial, shape) > 0
            built.add(trial)


def test_what_the_papers_left_open():
    space = load_space("open")
    assert {p.name.partition(".")[0] for p in space.parameters} == {
        "alpha", "latent_dim", "learning_rate", "batch_size", "likelihood",
    }  # fmt: skip
    assert space.components is not None
    assert not space.constants


def test_each_posterior_of_the_flows_has_its_depth():
    names = {p.name for p in load_space("flows").parameters}
    deep = [e.name for e in catalogue.POSTERIORS if "steps" in e.traits]
    assert {f"posterior.{name}.steps" for name in deep} <= names


@pytest.mark.parametrize(
    ("dataset", "name"),
    [("digits", "digits"), ("qmnist", "mnist"), ("celeba", "vae"), ("photos", "vae"),
     ("data/mnist.npz", "vae"), ("flows", "vae")],
)  # fmt: skip
def test_the_space_of_a_dataset(dataset, name):
    assert default_space(dataset) == name
    assert name in ALL


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_page_is_read_as_it_says(read):
    (example,) = blocks("yaml")
    space = read(example)
    names = [p.name for p in space.parameters]
    assert "posterior.planar.steps" in names
    assert space.constants == {"width": 0.25}
    assert space.components is not None
    check_space(space, TuneConfig())


def test_each_row_of_the_table_says_the_same_twice(read):
    rows = re.findall(r"^\| `(.+?)` \| `(\{.+?\})` \|", README.read_text(), re.MULTILINE)
    assert len(rows) == 6
    for short, long in rows:
        name = "latent_dim" if "int" in long else "learning_rate"
        if "choices" in long:
            name, short, long = "posterior", *(_members(form) for form in (short, long))
        assert read(f"{name}: {short}") == read(f"{name}: {long}")


def _members(form):
    return form.replace("a, b", "gaussian, planar")


def test_the_commands_of_the_page():
    (commands,) = blocks("sh")
    for line in commands.splitlines():
        words = list(pairwise(shlex.split(line)))
        given = dict(words)
        overrides = [value for option, value in words if option == "--set"]
        assert overrides
        load_space(given.get("--space") or default_space(given["--dataset"]), overrides)
