"""Every axis that a search can vary, as plain data: one line adds a member.

A row names the class that implements it as ``module:attribute``, which is imported only when it is
built. So ``vaesearch list`` needs neither torch nor Ray. Where a name is asked for, a user's own
``module:Class`` can be given instead (:mod:`vaesearch.specs`).

On the command line a member is written ``name``, ``name:argument`` or ``name:key=value,...``, for
example ``gaussian:optimal``, ``gaussian:0.1``, ``epsilon-greedy:epsilon=0.1`` or
``mypackage.policies:Mine:window=3``.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from vaesearch.errors import InputError, unknown_name
from vaesearch.specs import build_own, parse_spec, split_own


@dataclass(frozen=True)
class Entry:
    """A member of an axis: its name, where it lives, what it is, and who proposed it."""

    name: str
    target: str
    summary: str
    reference: str = ""
    options: dict[str, Any] = field(default_factory=dict)

    def load(self) -> Callable[..., Any]:
        """Import the target, with this entry's options bound."""
        module, _, attribute = self.target.partition(":")
        return partial(getattr(importlib.import_module(module), attribute), **self.options)


_REPORT = "Abecidan, report on AEVB"
_NETS = "vaesearch.models"

ENCODERS = (
    Entry("conv", f"{_NETS}.encoders:ConvEncoder", "3 strided convolutions, 128-256-512", _REPORT),
    Entry("mlp", f"{_NETS}.encoders:MLPEncoder", "2 dense layers of 256"),
)
DECODERS = (
    Entry(
        "mlp",
        f"{_NETS}.decoders:MLPDecoder",
        "dense 128-256-512",
        _REPORT,
        {"hidden": (128, 256, 512)},
    ),
    Entry(
        "mlp-wide",
        f"{_NETS}.decoders:MLPDecoder",
        "dense 256-512-1024",
        _REPORT,
        {"hidden": (256, 512, 1024)},
    ),
    Entry(
        "deconv-deep",
        f"{_NETS}.decoders:DeconvDecoder",
        "transposed convolutions 1024-512-256-128 from 2x2",
        _REPORT,
        {"channels": (1024, 512, 256, 128)},
    ),
    Entry(
        "deconv",
        f"{_NETS}.decoders:DeconvDecoder",
        "transposed convolutions 1024-512-256 from 4x4",
        _REPORT,
        {"channels": (1024, 512, 256)},
    ),
    Entry(
        "linear-deconv",
        f"{_NETS}.decoders:LinearDeconvDecoder",
        "dense, then transposed convolutions with SELU (deeper on grey images)",
        _REPORT,
    ),
)
POSTERIORS = (
    Entry(
        "gaussian",
        f"{_NETS}.posteriors:DiagonalGaussianPosterior",
        "diagonal Gaussian",
        "Kingma & Welling 2014",
    ),
)
LIKELIHOODS = (
    Entry(
        "discretized-normal",
        f"{_NETS}.likelihoods:DiscretizedNormalLikelihood",
        "normal integrated over each 8-bit level, one learned scale: a probability mass",
        "Kingma et al. 2016",
    ),
    Entry(
        "gaussian",
        f"{_NETS}.likelihoods:GaussianLikelihood",
        "normal density; variance 'optimal' (closed form, default), 'learned' or a number",
        "Lin et al. 2019; Rybkin et al. 2021",
    ),
    Entry(
        "bernoulli",
        f"{_NETS}.likelihoods:BernoulliLikelihood",
        "exact on binary pixels; on 8-bit pixels relaxed, and then no bits/dim",
        _REPORT,
    ),
)
_BANDITS = "vaesearch.bandits"
POLICIES = (
    Entry(
        "auto",
        f"{_BANDITS}.auto:AutoPolicy",
        "chooses one of ours by the number of arms and the budget, and says why (default)",
    ),
    Entry(
        "thompson",
        f"{_BANDITS}.projected:ThompsonPolicy",
        "samples the projected final value of each learning curve, pulls the best draw",
        "Thompson 1933; Domhan et al. 2015",
    ),
    Entry(
        "ucb",
        f"{_BANDITS}.projected:UCBPolicy",
        "pulls the highest upper quantile of the projected final value",
        "Kaufmann et al. 2012; Domhan et al. 2015",
    ),
    Entry(
        "expected-improvement",
        f"{_BANDITS}.projected:ExpectedImprovementPolicy",
        "pulls the arm projected highest until another promises far more",
        "Mockus et al. 1978; Domhan et al. 2015",
    ),
    Entry(
        "curve-halving",
        f"{_BANDITS}.curve_halving:CurveHalvingPolicy",
        "successive halving by the projected final value",
        "Jamieson & Talwalkar 2016; Domhan et al. 2015",
    ),
    Entry(
        "successive-halving",
        f"{_BANDITS}.halving:SuccessiveHalvingPolicy",
        "equal shares in rounds, the better half goes on",
        "Jamieson & Talwalkar 2016",
    ),
    Entry(
        "asha",
        f"{_BANDITS}.asha:ASHAPolicy",
        "asynchronous halving: promotes whoever leads a rung, waits for nobody",
        "Li et al. 2020 (MLSys)",
    ),
    Entry(
        "r-sr",
        f"{_BANDITS}.rejects:RSRPolicy",
        "successive rejects for rising rewards: the worst arm leaves, K - 1 times",
        "Mussi et al. 2024",
    ),
    Entry(
        "r-ucbe",
        f"{_BANDITS}.rested:RUCBEPolicy",
        "upper bound on the slope drawn on to the end of the budget",
        "Mussi et al. 2024",
    ),
    Entry(
        "r-ed-ucb",
        f"{_BANDITS}.rested:REdUCBPolicy",
        "upper bound on the slope drawn on to the present pull",
        "Metelli et al. 2022",
    ),
    Entry(
        "rising",
        f"{_BANDITS}.rejects:RisingPolicy",
        "in turn; drops an arm whose slope can no longer bring it to the top",
        "Li et al. 2020 (AAAI)",
    ),
    Entry(
        "top-two-thompson",
        f"{_BANDITS}.toptwo:TopTwoThompsonPolicy",
        "the best draw of (windowed) mean rewards, or in half of the pulls its challenger",
        "Russo 2020",
    ),
    Entry(
        "gaussian-thompson",
        f"{_BANDITS}.stochastic:GaussianThompsonPolicy",
        "textbook Thompson sampling on (windowed) mean rewards",
        "Agrawal & Goyal 2013",
    ),
    Entry(
        "ucb1",
        f"{_BANDITS}.stochastic:UCB1Policy",
        "textbook UCB1 on (windowed) mean rewards",
        "Auer et al. 2002",
    ),
    Entry(
        "ucb-v",
        f"{_BANDITS}.ucbv:UCBVPolicy",
        "textbook UCB-V: a bonus from the variance of rewards as well",
        "Audibert et al. 2009",
    ),
    Entry(
        "epsilon-greedy",
        f"{_BANDITS}.stochastic:EpsilonGreedyPolicy",
        "the best cumulative mean, or with probability 0.3 any arm",
        _REPORT,
    ),
    Entry("uniform", f"{_BANDITS}.stochastic:UniformPolicy", "every arm equally: the baseline"),
)
DATASETS = (
    Entry(
        "digits",
        "vaesearch.data.embedded:load_digits",
        "1,797 grey 8x8 digits inside scikit-learn, no download",
        "Alpaydin & Kaynak 1998",
    ),
    Entry(
        "mnist",
        "vaesearch.data.downloads:load_mnist",
        "70,000 grey 28x28 digits",
        "LeCun et al. 1998",
    ),
    Entry(
        "qmnist",
        "vaesearch.data.downloads:load_qmnist",
        "120,000 grey 28x28 digits",
        "Yadav & Bottou 2019",
    ),
    Entry(
        "fashionmnist",
        "vaesearch.data.downloads:load_fashionmnist",
        "70,000 grey 28x28 clothes",
        "Xiao et al. 2017",
    ),
    Entry(
        "cifar10",
        "vaesearch.data.downloads:load_cifar10",
        "60,000 colour 32x32 photographs",
        "Krizhevsky 2009",
    ),
    Entry(
        "celeba", "vaesearch.data.downloads:load_celeba", "202,599 colour faces", "Liu et al. 2015"
    ),
)
REWARDS = (
    Entry("bpd", "", "negative bits/dim of the plain ELBO, as mass on the pixels (default)"),
    Entry("elbo", "", "plain ELBO in nats; refused across different likelihoods"),
    Entry("reconstruction", "", "expected log-likelihood in nats, without the KL term", _REPORT),
)

AXES: dict[str, tuple[Entry, ...]] = {
    "decoders": DECODERS,
    "encoders": ENCODERS,
    "posteriors": POSTERIORS,
    "likelihoods": LIKELIHOODS,
    "policies": POLICIES,
    "datasets": DATASETS,
    "rewards": REWARDS,
}
# Members of these are made by calling a class, so that a user's own will do as well.
OPEN_AXES = ("decoders", "encoders", "posteriors", "likelihoods", "policies")
_SINGULAR = {axis: axis[:-1] for axis in AXES} | {"policies": "policy"}


def find(axis: str, spec: str) -> Entry:
    """The entry that ``spec`` names; a user's own is not imported yet.

    Raises:
        InputError: no member of the axis has that name; the nearest one is suggested.
    """
    name = parse_spec(spec)[0]
    for entry in AXES[axis]:
        if entry.name == name:
            return entry
    own = split_own(spec) if axis in OPEN_AXES else None
    if own:
        return Entry(own[0], own[0], "your own")
    raise unknown_name(_SINGULAR[axis], name, [e.name for e in AXES[axis]])


def build(axis: str, spec: str, **context: Any) -> Any:
    """Build the member that ``spec`` describes; ``context`` comes from the caller (sizes).

    Raises:
        InputError: unknown name, arguments that the member does not take, or something of a
            user's own that cannot be imported or made, or is no policy.
    """
    entry = find(axis, spec)
    if entry not in AXES[axis]:
        return build_own(_SINGULAR[axis], spec, context, [e.name for e in AXES[axis]])
    _, positional, keywords = parse_spec(spec)
    try:
        return entry.load()(*positional, **context, **keywords)
    except TypeError as error:
        if not (positional or keywords):
            raise
        raise InputError(f"{_SINGULAR[axis]} {spec!r}: {error}") from error
