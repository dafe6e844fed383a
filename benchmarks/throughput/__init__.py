"""Parts of ``scaling.py``: what a search costs to control, and how many workers that feeds."""
