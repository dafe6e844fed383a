"""What `tune.py` and `search.py` measure with: one landscape, several searchers, one record."""
