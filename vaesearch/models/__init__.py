"""The parts of a VAE as independent axes: encoder, posterior, prior, decoder, likelihood.

Every conditional distribution is a module whose ``forward`` returns a distribution, so nothing
else in the package handles a mean or a log-variance.
"""
