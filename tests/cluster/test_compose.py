"""The compose file: its form, its secrets, and that nothing is open to others."""

import re

import jsonschema
import pytest
from box import COMPOSE, SECRETS, filled
from cluster_files import FOLDER, read, read_all
from compose_schema import FILE

GPU = read("compose.gpu.yaml")
SERVICES = COMPOSE["services"]


@pytest.mark.parametrize("file", [COMPOSE, GPU])
def test_compose_takes_it(file):
    jsonschema.Draft202012Validator(FILE).validate(file)


def test_the_schema_refuses_a_slip():
    slipped = COMPOSE | {"services": {"mlflow": SERVICES["mlflow"] | {"port": ["1:1"]}}}
    with pytest.raises(jsonschema.ValidationError, match="'port' was unexpected"):
        jsonschema.Draft202012Validator(FILE).validate(slipped)


def test_ports_are_of_the_loopback():
    ports = [port for service in SERVICES.values() for port in service.get("ports", [])]
    assert all(port.startswith("127.0.0.1:") for port in ports)
    assert {port.split(":")[1] for port in ports} == {"5000", "8265", "8080"}
    assert "ports" not in SERVICES["postgres"]


def test_gpus_are_apart():
    assert set(GPU["services"]) == {"head"}
    assert not [name for name, service in SERVICES.items() if "deploy" in service]


def variables():
    """(service, variable, value) of all environments."""
    for name, service in SERVICES.items():
        for variable, value in service.get("environment", {}).items():
            yield name, variable, value


SECRET = [one for one in variables() if re.search("PASSWORD|_TOKEN|SECRET", one[1])]


@pytest.mark.parametrize(("service", "variable", "value"), SECRET)
def test_no_secret_has_a_default(service, variable, value):
    with pytest.raises(KeyError, match=r"run sh cluster/secrets\.sh"):
        filled(value, {})
    assert filled(value, SECRETS) in SECRETS.values()


def test_the_example_names_every_variable():
    lines = (FOLDER / ".env.example").read_text().splitlines()
    given = dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")
    asked = {name for _, _, value in variables() for name in re.findall(r"\$\{(\w+)", value)}
    assert set(given) == asked
    assert {name for name, value in given.items() if value} == {"MLFLOW_TRACKING_USERNAME"}


def test_who_waits_for_whom_is_healthy_at_some_time():
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert how == {"condition": "service_healthy"}
            assert "healthcheck" in SERVICES[other]


def test_volumes_and_files_exist():
    for service in SERVICES.values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            there = (
                (FOLDER / source).is_file() if source[0] == "." else source in COMPOSE["volumes"]
            )
            assert there, source
        if "build" in service:
            assert (
                FOLDER / service["build"]["context"] / service["build"]["dockerfile"]
            ).is_file()


def test_containers_find_each_other():
    """Names of hosts in addresses are names of services."""
    texts = [word for service in SERVICES.values() for word in service.get("command", [])]
    texts += [value for _, _, value in variables()]
    texts.append((FOLDER / "kubernetes" / "mlflow-auth.ini").read_text())
    hosts = {host for text in texts for host in re.findall(r"://(?:\w+@)?([a-z]+)[:/]", text)}
    assert hosts == {"postgres", "mlflow"}
    made = re.findall(r"CREATE DATABASE (\w+);", (FOLDER / "kubernetes/databases.sql").read_text())
    used = {name for text in texts for name in re.findall(r"@postgres/(\w+)", text)}
    assert used == set(made)


def test_kubernetes_runs_the_same_server():
    """The same MLflow, but for where artifacts go and who may call it."""
    documents = read_all("kubernetes/mlflow.yaml")
    [deployment] = [one for one in documents if one["kind"] == "Deployment"]
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    apart = ("--artifacts-destination", "--allowed-hosts")
    here, there = (
        [word for word in command if not word.startswith(apart)]
        for command in (SERVICES["mlflow"]["command"], container["command"])
    )
    assert here == there
