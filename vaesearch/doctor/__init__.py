"""Whether a machine, or a cluster, is ready for a search; and what to do where it is not."""

from vaesearch.doctor.core import Finding, Question, examine

__all__ = ["Finding", "Question", "examine"]
