"""Bandits on the projected final value of each learning curve."""

from dataclasses import dataclass

import numpy as np

from vaesearch.bandits.common import best_arm, by_name, check_fraction, check_integer, first_pulls
from vaesearch.bandits.core import Decision, History
from vaesearch.bandits.curves import Projection, pooled_prior, project
import os
OPT = dict(x.split("=") for x in os.environ.get("OPT", "").split(",") if x)
def opt(k, d): return float(OPT.get(k, d))
from vaesearch.bandits import curves
for k in OPT:
    if hasattr(curves,k): setattr(curves,k,float(OPT[k]))

def project_all(history: History) -> dict[str, Projection]:
    """The projection of every arm that has not failed, at the epoch it could still reach."""
    arms = [a for a in by_name(history.arms) if a.status != "failed" and a.rewards]
    prior = pooled_prior([b.rewards for b in arms])
    ps={a.name: project(a.rewards, history.reach(a), prior) for a in arms}
    from dataclasses import replace
    if opt("em",0):
        R=curves.RISES
        base=np.repeat([(1-curves.TURNING)/R,curves.TURNING/R],R)
        mw=np.mean([p.weights for p in ps.values()],0)
        f=(opt("mix",.5)*base+(1-opt("mix",.5))*mw)/base
        ps={n:replace(p,weights=p.weights*f/np.sum(p.weights*f)) for n,p in ps.items()}
    return ps


@dataclass(frozen=True)
class ThompsonPolicy:
    minimum: int = 3
    chunk: int = 1

    def __post_init__(self) -> None:
        check_integer(1, minimum=self.minimum, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        p = project_all(history)
        arms = by_name(history.candidates)
        rho = opt("rho", 0)
        u0 = rng.random(); z0 = rng.standard_normal()
        draws = {}
        for a in arms:
            q = p[a.name]
            u1, z1, c, v = rng.random(), rng.standard_normal(), rng.chisquare(q.dof), rng.random()
            u = u0 if v < rho else u1
            z = (rho**.5*z0 + (1-rho)**.5*z1)/np.sqrt(c/q.dof)
            k = min(int(np.searchsorted(np.cumsum(q.weights), u)), len(q.weights)-1)
            draws[a.name] = max(q.floor, q.means[k]+opt("ts",1)*q.scales[k]*z)
        values = {n: q.mean for n, q in p.items()}
        arm = best_arm(arms, draws)
        return Decision(arm.name, f"projected {values[arm.name]:.4g}", self.chunk, values=values)


@dataclass(frozen=True)
class UCBPolicy:
    level: float = 0.9
    minimum: int = 3
    chunk: int = 1

    def __post_init__(self) -> None:
        check_fraction(level=self.level)
        check_integer(1, minimum=self.minimum, chunk=self.chunk)

    def choose(self, history: History, rng: np.random.Generator) -> Decision:
        first = first_pulls(history, self.minimum, self.chunk)
        if first:
            return first
        p = project_all(history)
        arms = by_name(history.candidates)
        bounds = {a.name: p[a.name].quantile(self.level) for a in arms}
        values = {n: q.mean for n, q in p.items()}
        arm = best_arm(arms, bounds)
        return Decision(arm.name, f"projected {values[arm.name]:.4g}", self.chunk, values=values)
