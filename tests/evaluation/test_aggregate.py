import pytest
import torch

from vaesearch.evaluation import aggregate
from vaesearch.evaluation.aggregate import sample_aggregate
from vaesearch.models.latents import DiagonalGaussian

SHAPE = (1, 4, 4)


class KnownPosterior:
    """Encodes a black image around ``black`` and any other around ``white``, with one spread."""

    def __init__(self, black, white, variance=0.25):
        self.centres = torch.tensor([black, white])
        self.variance = variance
        self.batches = []

    def encode(self, x):
        self.batches.append(len(x))
        mean = self.centres[(x.flatten(1).sum(dim=1) > 0).long()]
        return DiagonalGaussian(mean, torch.full_like(mean, self.variance).log())


def images_of(count):
    images = torch.zeros(count, *SHAPE, dtype=torch.uint8)
    images[::2] = 255
    return images


def test_latents_have_the_shape_and_follow_the_seed():
    model, images = KnownPosterior([0.0, 1.0, 2.0], [0.0, 1.0, 2.0]), images_of(300)
    first, again, other = (sample_aggregate(model, images, 7, seed) for seed in (1, 1, 2))
    assert first.shape == (7, 3)
    assert first.dtype == torch.float32
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_known_gaussian_is_found_with_its_spread():
    """Fitted to codes and not to their means, which have no spread at all here."""
    drawn = sample_aggregate(KnownPosterior([3.0, -1.0], [3.0, -1.0]), images_of(2000), 4000, 0)
    torch.testing.assert_close(drawn.mean(dim=0), torch.tensor([3.0, -1.0]), atol=0.06, rtol=0)
    torch.testing.assert_close(drawn.T.cov(), 0.25 * torch.eye(2), atol=0.03, rtol=0)


def test_two_far_clusters_are_found_and_come_mixed():
    drawn = sample_aggregate(KnownPosterior([-9.0], [9.0]), images_of(1000), 1000, 0)
    is_right = drawn[:, 0] > 0
    assert (drawn.abs() - 9).abs().max() < 3  # nothing in between
    assert 0.44 < is_right.float().mean() < 0.56
    # In a grid of pictures, neighbours should be of either kind.
    assert 0.4 < (is_right[1:] != is_right[:-1]).float().mean() < 0.6


@pytest.mark.parametrize("count", [2, 9, 100])
def test_few_images_are_enough(count):
    drawn = sample_aggregate(KnownPosterior([0.0] * 8, [1.0] * 8), images_of(count), 5, 0)
    assert drawn.shape == (5, 8)
    assert drawn.isfinite().all()


def test_many_images_are_encoded_in_parts_and_not_all(monkeypatch):
    monkeypatch.setattr(aggregate, "MOST_IMAGES", 600)
    model = KnownPosterior([0.0], [1.0])
    sample_aggregate(model, images_of(1000), 5, 0)
    assert sum(model.batches) == 600
    assert max(model.batches) == aggregate.BATCH
