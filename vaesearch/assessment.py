"""Measure a trained model of a run directory; `vaesearch evaluate` prints the same."""
