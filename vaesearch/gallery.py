"""Pictures of a trained model of a run directory; `vaesearch sample` draws the same."""
