"""Policies that decide which arm gets the next epochs; see :mod:`vaesearch.bandits.core`."""
