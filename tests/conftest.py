"""One thread for each test process: two that wait for each other take a hundred times as long
where something else runs on the machine."""

import os

import torch

os.environ.setdefault("OMP_NUM_THREADS", "1")  # of processes that tests start
torch.set_num_threads(1)

pytest_plugins = ["searched", "object_store"]
