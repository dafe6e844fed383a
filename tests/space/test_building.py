"""What cannot be built for the images at hand is refused before anything is written."""

import pytest

from vaesearch import TuneConfig
from vaesearch.api import run_search
from vaesearch.errors import InputError

OPTIONS = {
    "dataset": "digits", "image_size": 8, "width": 0.05, "decoders": "mlp", "backend": "local",
    "tracking_uri": "none",
}  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bound: {choices: {elbo: , iwae: {samples: 0..4}}}", "bound.iwae.samples 0: "),
        ("regularizer: {choices: {kl: , free-bits: {nats: -1..1}}}", "free-bits.nats -1.0: "),
        ("annealing: {choices: {none: , kl: {epochs: 0..4}}}", "annealing.kl.epochs 0.0: "),
        ("posterior: {choices: {gaussian: , realnvp: {hidden: 0..4}}}", "realnvp.hidden 0: "),
        ("prior: {choices: {standard: , gmm: {components: 2..64}}}", "gmm.components 64: .* 18 "),
        ("posterior: [gaussian, 'ladder:2']\nprior: 'ladder:2'\nlatent_dim: [1, 8]",
         "latent_dim 1: a ladder of 2 levels"),
        ("decoder: [mlp, 'decimal:Decimal']", "decoder decimal:Decimal: "),
    ],
)  # fmt: skip
def test_refused_with_its_value(tmp_path, text, said):
    path = tmp_path / "space.yaml"
    path.write_text(text)
    with pytest.raises(InputError, match=f"^space: .*{said}"):
        run_search(TuneConfig(space=str(path), **OPTIONS), tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_each_of_several_decoders(tmp_path):
    config = TuneConfig(**OPTIONS | {"decoders": "mlp,decimal:Decimal"})
    with pytest.raises(InputError, match=r"^decimal:Decimal: "):
        run_search(config, tmp_path / "run")
    assert not (tmp_path / "run").exists()
