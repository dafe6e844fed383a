import torch

from vaesearch.models.posteriors import LOG_VARIANCE_RANGE, DiagonalGaussianPosterior


def test_two_linear_heads():
    posterior = DiagonalGaussianPosterior(features=5, latent_dim=3)
    assert sum(p.numel() for p in posterior.parameters()) == 2 * (5 * 3 + 3)
    features = torch.linspace(-1, 1, 10).view(2, 5)
    q = posterior(features)
    assert torch.equal(q.mean, posterior.mean(features))
    assert torch.equal(q.log_variance, posterior.log_variance(features))


def test_wild_features_make_a_bad_step_and_no_infinity():
    posterior = DiagonalGaussianPosterior(features=5, latent_dim=3)
    for sign in (-1, 1):
        q = posterior(torch.full((2, 5), sign * 1e6))
        assert q.log_variance.min() >= LOG_VARIANCE_RANGE[0]
        assert q.log_variance.max() <= LOG_VARIANCE_RANGE[1]
        assert q.kl_to_standard().isfinite().all()
