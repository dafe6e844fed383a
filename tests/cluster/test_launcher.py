"""``ray up``: the files by Ray's own schema and defaults, and by what we expect of them."""

import re
from copy import deepcopy
from pathlib import Path

import pytest
from cluster_files import CLOUDS, FOLDER, LAUNCHER, read

pytest.importorskip("ray.autoscaler")


def prepared(name):
    """The file as ``ray up`` sees it, with Ray's defaults, checked by Ray's schema."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    config = prepare_config(deepcopy(read(f"{name}.yaml")))
    validate_config(config)
    return config


@pytest.mark.parametrize("name", LAUNCHER)
def test_ray_takes_it(name):
    config = prepared(name)
    assert config["cluster_name"] == "vaesearch"
    # Nothing of Ray's defaults for these, which install another Ray.
    setup = read(f"{name}.yaml")["setup_commands"]
    assert config["head_setup_commands"][: len(setup)] == setup
    assert not any("ray-wheels" in line for line in config["head_setup_commands"])


@pytest.mark.parametrize("name", CLOUDS)
def test_workers_come_from_nothing_and_are_bounded(name):
    config = prepared(name)
    head = config["head_node_type"]
    for kind, node in config["available_node_types"].items():
        assert node["min_workers"] == 0
        assert 0 < node["max_workers"] <= config["max_workers"] or kind == head
        assert node["resources"]["GPU"] == (0 if kind == head else 1)
    assert config["available_node_types"][head]["max_workers"] == 0
    assert config["available_node_types"][head]["resources"] == {"CPU": 0, "GPU": 0}
    assert 0 < config["idle_timeout_minutes"] <= 10


def is_spot(node):
    config = node["node_config"]
    market = config.get("InstanceMarketOptions", {}).get("MarketType")
    return market == "spot" or config.get("scheduling", {}).get("provisioningModel") == "SPOT"


def launched(name, demands, unavailable=()):
    """Which types Ray's autoscaler starts for so many workers of one GPU, on an idle head."""
    from ray.autoscaler.v2.instance_manager.config import AutoscalingConfig
    from ray.autoscaler.v2.scheduler import ResourceDemandScheduler, SchedulingRequest
    from ray.autoscaler.v2.utils import ResourceRequestUtil

    types = AutoscalingConfig(prepared(name), skip_content_hash=True).get_node_type_configs()
    reply = ResourceDemandScheduler(_Silent()).schedule(
        SchedulingRequest(
            disable_launch_config_check=True,
            node_type_configs=types,
            max_num_nodes=prepared(name)["max_workers"],
            resource_requests=ResourceRequestUtil.group_by_count(
                [ResourceRequestUtil.make({"CPU": 1, "GPU": 1})] * demands
            ),
            recoverable_resource_availabilities=dict.fromkeys(unavailable, 0.0),
        )
    )
    return {launch.instance_type: launch.count for launch in reply.to_launch}


class _Silent:
    def __getattr__(self, name):
        return lambda *args, **kwargs: None


@pytest.mark.parametrize("name", CLOUDS)
def test_the_autoscaler_takes_spot_first_and_what_there_is_otherwise(name):
    types = prepared(name)["available_node_types"]
    spot = [kind for kind, node in types.items() if is_spot(node)]
    [plain] = set(types) - set(spot) - {"head"}
    first = launched(name, 3)
    assert sum(first.values()) == 3
    assert set(first) == {max(spot, key=lambda kind: types[kind]["priority"])}
    assert launched(name, 1, unavailable=spot) == {plain: 1}
    assert sum(launched(name, 50).values()) <= prepared(name)["max_workers"]


def test_machines_of_ones_own_all_join(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    key = Path(read("local.yaml")["auth"]["ssh_private_key"]).expanduser()
    key.parent.mkdir()
    key.write_text("a key")
    [(_, count)] = launched("local", 0).items()
    assert count == len(read("local.yaml")["provider"]["worker_ips"])


@pytest.mark.parametrize("name", LAUNCHER)
def test_every_start_has_the_environment(name):
    config = read(f"{name}.yaml")
    assert config["file_mounts"] == {"~/vaesearch": "cluster"}
    starts = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
    assert all(line.startswith(". ~/vaesearch/node.sh;") for line in starts)
    [head] = [line for line in config["head_start_ray_commands"] if "ray start" in line]
    assert "--dashboard-host=127.0.0.1" in head
    assert "--num-cpus=0" in head
    assert "--autoscaling-config=~/ray_bootstrap_config.yaml" in head
    # An extra that exists, for the storage of that cloud.
    [install] = config["setup_commands"]
    assert install.split()[-1] == {"gcp": "gcs"}.get(name, "s3")


@pytest.mark.parametrize("name", LAUNCHER)
def test_flags_of_ray_start_exist(name):
    from ray.scripts.scripts import start

    known = {flag for option in start.params for flag in option.opts}
    config = read(f"{name}.yaml")
    for line in config["head_start_ray_commands"] + config["worker_start_ray_commands"]:
        for command in re.findall(r"ray start (.*)", line):
            given = {word.partition("=")[0] for word in command.split() if word.startswith("--")}
            assert given <= known


def test_google_reads_what_is_written():
    """Machines carry no other keys than those of an instance of Compute Engine."""
    keys = {"machineType", "disks", "serviceAccounts", "scheduling"}
    scheduling = {
        "provisioningModel", "instanceTerminationAction", "onHostMaintenance", "automaticRestart",
    }  # fmt: skip
    config = read("gcp.yaml")
    for kind, node in config["available_node_types"].items():
        machine = node["node_config"]
        assert set(machine) <= keys
        assert set(machine.get("scheduling", {})) <= scheduling
        [disk] = machine["disks"]
        assert config["provider"]["availability_zone"] in disk["initializeParams"]["diskType"]
        if kind != "head":  # which Ray gives an account itself
            [account] = machine["serviceAccounts"]
            assert account["email"].endswith(
                f"@{config['provider']['project_id']}.iam.gserviceaccount.com"
            )
            assert machine["scheduling"]["onHostMaintenance"] == "TERMINATE"  # as GPUs demand


def test_the_copied_folder_has_all_that_nodes_use():
    script = (FOLDER / "node.sh").read_text()
    used = set(re.findall(r"~/vaesearch/([\w.]+)", script)) - {"wheel"}
    assert {path for path in used if not (FOLDER / path).exists()} <= {".env"}  # by secrets.sh
