"""What training maximises.

``terms`` has what a bound is made of and the consistency term, ``bounds`` the bounds,
``regularizers`` what keeps q(z|x) near the prior, ``annealing`` how weights grow in training, and
``loss`` puts together what an arm's settings name.
"""

from vaesearch.objectives.loss import Loss
from vaesearch.objectives.terms import Terms, consistency, elbo_terms

__all__ = ["Loss", "Terms", "consistency", "elbo_terms"]
