"""Syne Tune's ASHA: its configurations are the arms, suggested in order, each once."""

import logging
from datetime import datetime
from typing import Any

from peers.drive import Verdict

_METRIC = "reward"


class SyneTune:
    """``syne_tune.optimizer.baselines.ASHA`` and the loop of Syne Tune's ``Tuner`` around it.

    It stops trials and never takes one up again.
    """

    def __init__(self, arms: int, cap: int, seed: int, **options: Any) -> None:
        logging.getLogger("syne_tune").setLevel(logging.ERROR)
        from syne_tune.config_space import choice
        from syne_tune.optimizer.baselines import ASHA

        names = [f"arm-{arm}" for arm in range(arms)]
        self._scheduler = ASHA(
            {"arm": choice(names)},
            metric=_METRIC,
            time_attr="epoch",
            max_t=cap,
            do_minimize=False,
            random_seed=seed,
            points_to_evaluate=[{"arm": name} for name in names],
            **options,
        )
        self._arms = arms
        self._trials: dict[int, Any] = {}

    def next(self) -> int | None:
        """The next arm in order, as long as there is one."""
        from syne_tune.backend.trial_status import Trial

        if len(self._trials) == self._arms:
            return None
        suggestion = self._scheduler.suggest()
        arm = int(suggestion.config["arm"].removeprefix("arm-"))
        self._trials[arm] = Trial(len(self._trials), suggestion.config, datetime.now())
        self._scheduler.on_trial_add(self._trials[arm])
        return arm

    def report(self, arm: int, epoch: int, reward: float) -> Verdict:
        """Tell the epoch's reward; the answer is to go on or to stop for good."""
        trial = self._trials[arm]
        decision = self._scheduler.on_trial_result(trial, {"epoch": epoch, _METRIC: reward})
        if decision == "CONTINUE":
            return "continue"
        self._scheduler.on_trial_remove(trial)
        return "stop"
