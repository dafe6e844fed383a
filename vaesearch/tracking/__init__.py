"""A search in MLflow: the ledger is the spool, and a separate process sends it.

The search never waits for MLflow. It starts an uploader (:mod:`~vaesearch.tracking.core`), which
tails the ledger (:mod:`~vaesearch.tracking.tail`), turns events into what each MLflow run shows
(:mod:`~vaesearch.tracking.updates`) and sends that (:mod:`~vaesearch.tracking.mlflow_store`, the
only file that knows MLflow), remembering how far it is (:mod:`~vaesearch.tracking.cursor`).
"""
