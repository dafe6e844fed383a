"""Who gets the next epoch.

Trait ``ranks``: it compares arms at equal epochs and only by which is better, so that it can be
shown ranks in place of rewards, such as those that several objectives make.
"""

from vaesearch.catalogue.entry import REPORT, Entry

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
        traits=frozenset({"ranks"}),
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
        REPORT,
    ),
    Entry(
        "pruner",
        "vaesearch.search.tuning.pruners:pruner_policy",
        "trial by trial, each until that pruner of Optuna stops it: `pruner:hyperband`",
        "Akiba et al. 2019",
    ),
    Entry("uniform", f"{_BANDITS}.stochastic:UniformPolicy", "every arm equally: the baseline"),
)
