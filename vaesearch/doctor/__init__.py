"""Whether this machine or cluster is ready for a search, and what to do where it is not."""
