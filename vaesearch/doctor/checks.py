"""The list of checks: of this machine, and of a cluster."""

from vaesearch.doctor.cluster import look_cluster
from vaesearch.doctor.core import Check
from vaesearch.doctor.disks import look_disks, look_storage
from vaesearch.doctor.hardware import look_cores, look_torch
from vaesearch.doctor.mlflow_server import look_mlflow
from vaesearch.doctor.ray_here import look_ray
from vaesearch.doctor.services import look_data, look_optuna
from vaesearch.doctor.versions import look_extras, look_packages, look_python

HERE = (
    Check("python", look_python),
    Check("packages", look_packages),
    Check("extras", look_extras),
    Check("torch", look_torch, 120),
    Check("cores", look_cores),
    Check("disk", look_disks),
    Check("storage", look_storage, 60),
    Check("data", look_data),
    Check("MLflow", look_mlflow, 60),
    Check("Optuna", look_optuna, 60),
    Check("Ray", look_ray, 150),
)
CLUSTER = (Check("cluster", look_cluster, 300),)
