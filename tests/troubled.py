"""Decoders that misbehave in training: for searches that have to live with them."""

import os
import signal
import time
from pathlib import Path

import torch
from torch import nn


class Plain(nn.Module):
    """One layer; ``trouble`` is called before each training step with the number of images."""

    def __init__(self, *, latent_dim, shape, outputs):
        super().__init__()
        self.maps = (outputs, *shape[1:])
        self.layer = nn.Linear(latent_dim, outputs * shape[1] * shape[2])
        self.steps = 0

    def forward(self, z):
        if self.training and z.device.type != "meta":
            self.steps += 1
            self.trouble(len(z))
        return self.layer(z).unflatten(-1, self.maps)

    def trouble(self, images):
        """None."""


class Greedy(Plain):
    """Has memory for so many images at once, as a GPU that is too small."""

    def __init__(self, *, latent_dim, shape, outputs, most):
        super().__init__(latent_dim=latent_dim, shape=shape, outputs=outputs)
        self.most = int(most)

    def trouble(self, images):
        if images > self.most:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.")


class Bloated(Plain):
    """Is killed by the kernel after some steps, each time: it wants more memory than there is."""

    def trouble(self, images):
        if self.steps > 3:
            os.kill(os.getpid(), signal.SIGKILL)


class Sleeper(Plain):
    """Hangs after some steps, once: until the file ``marker`` is there."""

    def __init__(self, *, latent_dim, shape, outputs, marker):
        super().__init__(latent_dim=latent_dim, shape=shape, outputs=outputs)
        self.marker = Path(marker)

    def trouble(self, images):
        if self.steps > 3 and not self.marker.exists():
            self.marker.touch()
            time.sleep(3600)
