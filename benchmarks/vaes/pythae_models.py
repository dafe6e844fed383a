"""pythae's models over the layers of ours, and how their samples and densities are had.

The layers are those of our diagonal Gaussian model, of its initial weights too, behind pythae's
interfaces; what a model of pythae has beyond them (flows, pseudo-inputs) is as it makes it.
"""

import logging
import math
import warnings
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from vaes.planar_density import SignedPlanar, pushforward_log_density
from vaesearch.models.vae import VAE

LOG_2PI = math.log(2 * math.pi)


def make_model(kind: str, ours: VAE, options: dict[str, Any]) -> Any:
    """A model of pythae of the same sizes as ``ours``, whose layers it takes over.

    Args:
        kind: name of the class.
        ours: a model with a diagonal Gaussian posterior; not to be used for anything else.
        options: of pythae's configuration.
    """
    from pythae import models

    configurations = {"VAE_LinNF": "VAE_LinNF_Config", "VAE_IAF": "VAE_IAF_Config"}
    configurations |= {"WAE_MMD": "WAE_MMD_Config", "INFOVAE_MMD": "INFOVAE_MMD_Config"}
    likelihood = {} if kind == "WAE_MMD" else {"reconstruction_loss": "bce"}
    config = getattr(models, configurations.get(kind, f"{kind}Config"))(
        input_dim=ours.shape, latent_dim=ours.settings.latent_dim, **likelihood, **options
    )
    encoder, decoder = pythae_parts(ours)
    return getattr(models, kind)(config, encoder=encoder, decoder=decoder)


def pythae_parts(ours: VAE) -> tuple[Any, Any]:
    """The layers of ``ours`` behind pythae's interfaces: encoder and decoder."""
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):
        def __init__(self) -> None:
            super().__init__()
            self.body, self.heads = ours.encoder, ours.posterior

        def forward(self, x: Tensor) -> ModelOutput:
            features = self.body(x)
            return ModelOutput(
                embedding=self.heads.mean(features),
                log_covariance=self.heads.log_variance(features),
            )

    class Decoder(BaseDecoder):
        def __init__(self) -> None:
            super().__init__()
            self.body = ours.decoder

        def forward(self, z: Tensor) -> ModelOutput:
            return ModelOutput(reconstruction=torch.sigmoid(self.body(z)))

    return Encoder(), Decoder()


def make_trainer(model: Any, images: Tensor, batch: int, rate: float, seed: int, to: Path) -> Any:
    """Its own trainer, ready for ``train_step``; images in [0, 1]."""
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig
    from pythae.trainers.training_callbacks import CallbackHandler, TrainingCallback

    logging.getLogger("pythae").setLevel(logging.ERROR)
    logging.getLogger("pythae.trainers.base_trainer.base_trainer").setLevel(logging.ERROR)
    with warnings.catch_warnings(), redirect_stdout(StringIO()), redirect_stderr(StringIO()):
        warnings.simplefilter("ignore")
        trainer = BaseTrainer(
            model,
            BaseDataset(images, torch.zeros(len(images))),
            training_config=BaseTrainerConfig(
                output_dir=str(to),
                per_device_train_batch_size=batch,
                learning_rate=rate,
                no_cuda=True,
                seed=seed,
            ),
        )
        trainer.prepare_training()
    # Without the progress bar, which would print and take time.
    trainer.callback_handler = CallbackHandler([TrainingCallback()], trainer.model)
    return trainer


class PythaeDensities:
    """Samples and exact log-densities of a trained model of pythae."""

    def __init__(self, model: Any) -> None:
        self._model = model.eval()

    def logits(self, z: Tensor) -> Tensor:
        """Of the pixels, ``[B, 1, H, W]``."""
        logits: Tensor = self._model.decoder.body(z)
        return logits

    def code(self, x: Tensor) -> Tensor:
        """What an image is encoded to, ``[B, D]``: a sample where the encoder is stochastic."""
        if not self.is_stochastic:
            code: Tensor = self._model.encoder(x).embedding
            return code
        return self.propose(x, 1)[0][0]

    @property
    def is_stochastic(self) -> bool:
        """Whether the encoder gives a distribution."""
        return self._model.model_name != "WAE_MMD"

    def propose(self, x: Tensor, count: int) -> tuple[Tensor, Tensor]:
        """Samples ``[count, B, D]`` of q(z|x), and its log-density at them ``[count, B]``."""
        encoded = self._model.encoder(x)
        mean, log_variance = encoded.embedding, encoded.log_covariance
        noise = torch.randn(count, *mean.shape)
        start = mean + torch.exp(0.5 * log_variance) * noise
        if layers := self.planar_layers():
            return self._planar(start, mean, log_variance, layers)
        log_q = -0.5 * (noise.square() + log_variance + LOG_2PI).sum(dim=-1)
        z, log_det = self._flow(start.flatten(0, 1))
        return z.reshape(start.shape), log_q - log_det.reshape(log_q.shape)

    def planar_layers(self) -> list[SignedPlanar]:
        """Its planar layers in their order; none for other models."""
        layers = getattr(self._model, "net", None) or []
        if not all(hasattr(layer, "u") for layer in layers):
            return []
        return [SignedPlanar(_row(v.w), _row(v.u), v.b.detach().double()) for v in layers]

    @staticmethod
    def _planar(
        start: Tensor, mean: Tensor, log_variance: Tensor, layers: list[SignedPlanar]
    ) -> tuple[Tensor, Tensor]:
        mean, log_variance, z = mean.double(), log_variance.double(), start.double()
        for layer in layers:
            z = layer(z)

        def base(at: Tensor) -> Tensor:
            squares = (at - mean).square() * torch.exp(-log_variance)
            return -0.5 * (squares + log_variance + LOG_2PI).sum(dim=-1)

        return z.float(), pushforward_log_density(layers, base, z).float()

    def _flow(self, z: Tensor) -> tuple[Tensor, Tensor]:
        if self._model.model_name == "VAE_IAF":
            output = self._model.iaf_flow.inverse(z)
            return output.out, output.log_abs_det_jac
        log_det = torch.zeros(len(z))
        for layer in getattr(self._model, "net", None) or []:
            output = layer(z)
            z, log_det = output.out, log_det + output.log_abs_det_jac
        return z, log_det

    def log_prior(self, z: Tensor) -> Tensor:
        """Log p(z), ``[count, B]``."""
        if self._model.model_name != "VAMP":
            return -0.5 * (z.square() + LOG_2PI).sum(dim=-1)
        # It leaves out a constant.
        log_p = self._model._log_p_z(z.flatten(0, -2)).reshape(z.shape[:-1])
        return log_p - 0.5 * z.shape[-1] * LOG_2PI


def _row(weights: nn.Parameter) -> Tensor:
    return weights.detach().double().flatten()


def without_networks(model: Any) -> int:
    """Parameters beyond encoder and decoder, of its flows or its prior."""
    networks = {id(p) for part in (model.encoder, model.decoder) for p in part.parameters()}
    return sum(p.numel() for p in model.parameters() if id(p) not in networks)
