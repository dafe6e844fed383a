"""What editors are told of a space agrees with what is read."""

import json

import pytest
import yaml
from jsonschema import Draft7Validator

from vaesearch.errors import InputError
from vaesearch.space import shipped_spaces
from vaesearch.space.schema import schema_text
from vaesearch.space.shipped import folder

GOOD = [
    "latent_dim: 2..64:log",
    "latent_dim: {int: [2, 64], step: 2, default: 8}",
    "alpha: 1e-3",
    "alpha: {float: [1e-3, 1], log: true, when: {posterior: [gaussian, planar]}}\n"
    "posterior: [gaussian, planar]",
    "batch_size: 16, 32",
    "posterior: gaussian, iaf:4",
    "posterior: [decimal:Decimal, gaussian]",
    "posterior: {choices: {gaussian: , planar: {steps: {int: [2, 16], step: 2}}, iaf: {}}}",
    "posterior: planar\nposterior.planar.steps: 2..8",
    "regularizer: {choices: {kl: , free-bits: {nats: 0..1}}}",
    "likelihood: {choices: {laplace: , gaussian: {variance: [optimal, 0.1]}}}",
    "beta: [1, 2]\ngmm_components: 16",
]
BAD = [
    "latent_dmi: 2..4",
    "latent_dim: 0..1\nlatent_dmi: 2",
    "latent_dim: 2.5",
    "latent_dim: [0, 2]",
    "latent_dim: [2, 2]",
    "latent_dim: 2..4:lgo",
    "latent_dim: {int: [2, 64], lgo: true}",
    "latent_dim: {int: [2]}",
    "latent_dim: {float: [2, 4]}",
    "alpha: {float: [0, 1], int: [0, 1]}",
    "alpha: {float: [0, 1], step: 1}",
    "alpha: {float: [0, 1], when: {postrior: planar}}\nposterior: [gaussian, planar]",
    "alpha: true",
    "alpha: [-1, 1]",
    "batch_size: [1, 2]",
    "precision: [float32, float16]",
    "posterior: [gaussian, plannar]",
    "posterior: plannar, gaussian",
    "posterior: {choices: {gaussian: , planar: {stpes: 1..2}}}",
    "posterior: {choices: {planar: , gaussian: {steps: 1..2}}}",
    "posterior: planar\nposterior.planar.stepz: 2..3",
    "bound: [elbo, decimal:Decimal]",
    "gmm_components: 0",
]


@pytest.fixture(scope="module")
def validator():
    schema = json.loads(schema_text())
    Draft7Validator.check_schema(schema)
    return Draft7Validator(schema)


def test_the_shipped_file_is_up_to_date():
    """If not: ``python -m vaesearch.space.schema > search_spaces/schema.json``."""
    assert (folder() / "schema.json").read_text() == schema_text()


@pytest.mark.parametrize("path", shipped_spaces().values(), ids=lambda path: path.stem)
def test_shipped_spaces_are_valid_and_name_it(path, validator):
    text = path.read_text()
    assert text.startswith("# yaml-language-server: $schema=schema.json\n")
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", GOOD)
def test_what_is_read_is_valid(text, validator, read):
    read(f"width: [0.1, 0.2]\n{text}")
    validator.validate(yaml.safe_load(text))


@pytest.mark.parametrize("text", BAD)
def test_typical_mistakes_are_marked(text, validator, read):
    assert not validator.is_valid(yaml.safe_load(text))
    with pytest.raises(InputError):
        read(f"width: [0.1, 0.2]\n{text}")
