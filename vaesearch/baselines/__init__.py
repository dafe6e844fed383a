"""Other people's systems, rebuilt on the same parts so that they can be compared with ours."""

from vaesearch.baselines.running import run_shared_encoder

__all__ = ["run_shared_encoder"]
