"""The per-batch ε-greedy of the report that proposed a bandit over decoders.

For every batch of the first epoch's length a random arm is trained; after that, with probability
ε = 0.3 a random one, otherwise the one with the best mean reward over its batches so far.

Recorded curves hold one value per epoch, so this is an approximation: a batch moves its arm by a
fraction of an epoch, and its reward is the arm's recorded validation value after the last whole
epoch (before there is one, the value after the first). The report rewards with the training loss
and keeps no checkpoints; here it gets validation and the best checkpoint at whole epochs, as all
others do. It trains one arm at a time.
"""

import numpy as np
from instances import Instance

from peers.drive import Step, Trace

EPSILON = 0.3


def report_epsilon_greedy(instance: Instance, epochs: int, seed: int) -> Trace:
    """Trains ``epochs`` times as many batches as an epoch has."""
    rng = np.random.default_rng([seed, instance.number])
    size, cap, per_epoch = instance.size, instance.cap, instance.batches
    rewards = instance.valid.tolist()
    batches = [0] * size
    totals = [0.0] * size
    means = [-np.inf] * size
    room = list(range(size))
    trace: Trace = []
    for batch in range(epochs * per_epoch):
        if not room:
            break
        if batch < per_epoch or rng.random() < EPSILON:
            arm = room[int(rng.random() * len(room))]
        else:
            arm = max(room, key=means.__getitem__)
        batches[arm] += 1
        done, rest = divmod(batches[arm], per_epoch)
        totals[arm] += rewards[arm][max(done, 1) - 1]
        means[arm] = totals[arm] / batches[arm]
        if rest == 0:
            trace.append(Step((batch + 1) / per_epoch, arm, done))
            if done == cap:
                room.remove(arm)
    return trace
