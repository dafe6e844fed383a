"""A command of this package as a job on a Ray cluster, by way of its Jobs API."""
