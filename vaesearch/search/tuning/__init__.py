"""Arms that are proposed while the search runs; the only place that imports Optuna."""
