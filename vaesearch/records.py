"""The shared nouns of a search: an arm, what is asked of a worker, and what it answers.

Units: rewards are "higher is better"; ``seconds`` are wall-clock; ``epoch`` counts finished
epochs, so epoch 0 is the untrained model.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TrialSettings:
    """All that defines one model and how it is trained; two arms differ only in these.

    Attributes:
        encoder, decoder, posterior, prior, likelihood: of the model, each a catalogue spec
            ``name[:arguments]``.
        bound, regularizer, annealing: of its training, likewise.
        latent_dim: size of z.
        width: multiplier on every hidden channel count; 1.0 is the report's size.
        beta: weight of the regulariser.
        alpha: weight of the consistency term KL(z'||z), in nats per nat.
        learning_rate: of Adam.
        batch_size: images per step.
        precision: ``float32`` or ``bfloat16`` (autocast; losses stay in float32).
    """

    decoder: str
    encoder: str = "conv"
    posterior: str = "gaussian"
    prior: str = "standard"
    likelihood: str = "discretized-normal"
    bound: str = "elbo"
    regularizer: str = "kl"
    annealing: str = "none"
    latent_dim: int = 32
    width: float = 0.25
    beta: float = 1.0
    alpha: float = 0.0
    learning_rate: float = 1e-3
    batch_size: int = 128
    precision: str = "float32"


@dataclass(frozen=True)
class Arm:
    """A candidate: a name that is unique in its search, and what it stands for."""

    name: str
    settings: TrialSettings


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch.

    Attributes:
        epoch: 1 for the first.
        reward: on validation images.
        seconds: training plus validation.
        metrics: validation figures (``bpd``, ``elbo``, ``kl``, ``reconstruction``, ``mse``) and
            ``train_loss``; nats per image but for bpd (bits/dim) and mse (per pixel, in [0, 1]).
    """

    epoch: int
    reward: float
    seconds: float
    metrics: dict[str, float]


@dataclass(frozen=True)
class PullRequest:
    """Train ``arm`` from ``from_epoch`` for ``epochs`` more.

    Attributes:
        digest: SHA-256 of the checkpoint at ``from_epoch``; None for a start from scratch.
        best_reward: the arm's best so far, so that a better epoch inside the pull is kept too.
        seconds_left: give up an epoch that is not finished by then; None for never.
    """

    pull: int
    arm: Arm
    from_epoch: int
    epochs: int
    digest: str | None = None
    best_reward: float | None = None
    seconds_left: float | None = None


@dataclass(frozen=True)
class PullReport:
    """What a finished pull says. ``checkpoints`` maps an epoch to its file's SHA-256.

    ``epochs`` is shorter than what was asked where time ran out, and then the last one has the
    last checkpoint all the same. ``diverged`` is the cause where the arm left the numbers.
    ``saving`` are the seconds spent on checkpoints of epochs before the last: a cost of the
    epochs, which one longer pull has as well as several short ones.
    """

    pull: int
    epochs: tuple[EpochReport, ...]
    checkpoints: dict[int, str]
    diverged: str | None = None
    saving: float = 0.0


@dataclass(frozen=True)
class AppraisalRequest:
    """Score the checkpoint of ``arm`` at ``epoch`` on the test images, and draw pictures of it."""

    arm: Arm
    epoch: int
    digest: str


@dataclass(frozen=True)
class Appraisal:
    """Test figures of one checkpoint (never seen by a policy), and pictures.

    The pictures, uint8 ``[N, C, H, W]`` each, are the ``originals``, their ``reconstructions``,
    ``samples`` and ``prior_samples`` of :func:`vaesearch.evaluation.pictures`, and deviations.
    ``aggregate`` has the parameters of the mixture that was fitted to codes of training images.
    """

    arm: str
    epoch: int
    metrics: dict[str, float]
    pictures: dict[str, np.ndarray]
    aggregate: dict[str, np.ndarray]


@dataclass(frozen=True)
class Estimate:
    """A figure of a trained model with its Monte-Carlo error.

    Attributes:
        value: in ``unit``.
        error: its standard error, over images, draws or repetitions as the metric says; None
            where the figure is exact or there was only one draw.
        count: how many independent values it is the mean of; None where it is no mean.
        unit: such as ``nats per image``; a metric may name it in its ``units`` instead.
        better: ``higher`` or ``lower``; empty where neither is.
    """

    value: float
    error: float | None = None
    count: int | None = None
    unit: str = ""
    better: str = ""
