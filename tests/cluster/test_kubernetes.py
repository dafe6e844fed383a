"""Manifests: core objects by Kubernetes' schemas, KubeRay's by a schema of what we use of it."""

import shlex
import shutil
import subprocess

import jsonschema
import pytest
import yaml
from cluster_files import FOLDER, pins, read, read_all
from kuberay_schema import CLUSTER, JOB

kubernetes = pytest.importorskip("kubernetes_validate")

PLACE = "kubernetes/"
KUBERNETES = "1.33"
LISTED = read(PLACE + "kustomization.yaml")["resources"]
CORE = [
    document
    for name in LISTED
    for document in read_all(PLACE + name)
    if not document["apiVersion"].startswith("ray.io")
]
RAY_CLUSTER = read(PLACE + "raycluster.yaml")
RAY_JOB = read(PLACE + "rayjob.yaml")


def named(document):
    return f"{document['kind']}-{document['metadata']['name']}"


def pods():
    """Every pod there may be, as (name, its specification)."""
    for document in CORE:
        if "template" in document.get("spec", {}):
            yield named(document), document["spec"]["template"]["spec"]
    spec = RAY_CLUSTER["spec"]
    yield "head", spec["headGroupSpec"]["template"]["spec"]
    for group in spec["workerGroupSpecs"]:
        yield group["groupName"], group["template"]["spec"]


PODS = dict(pods())


@pytest.mark.parametrize("document", CORE, ids=named)
def test_kubernetes_takes_core_objects(document):
    kubernetes.validate(document, KUBERNETES, strict=True)


@pytest.mark.parametrize("name", PODS)
def test_kubernetes_takes_pods(name):
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": PODS[name]}
    kubernetes.validate(pod, KUBERNETES, strict=True)


@pytest.mark.parametrize(("document", "schema"), [(RAY_CLUSTER, CLUSTER), (RAY_JOB, JOB)])
def test_kuberay_takes_its_objects(document, schema):
    jsonschema.Draft202012Validator(schema).validate(document)


def test_the_schema_refuses_what_kuberay_does_not_know():
    changed = yaml.safe_load(yaml.safe_dump(RAY_CLUSTER))
    changed["spec"]["workerGroupSpecs"][0]["maxWorkers"] = 3
    with pytest.raises(jsonschema.ValidationError, match="maxWorkers"):
        jsonschema.Draft202012Validator(CLUSTER).validate(changed)


def test_the_job_makes_the_same_cluster():
    assert RAY_JOB["spec"]["rayClusterSpec"] == RAY_CLUSTER["spec"]
    assert "clusterSelector" not in RAY_JOB["spec"]  # with which no lost head is replaced
    assert RAY_JOB["spec"]["backoffLimit"] > 0


def test_a_resubmitted_job_goes_on_with_its_run():
    words = shlex.split(RAY_JOB["spec"]["entrypoint"])
    assert "--or-resume" in words
    run_dir = words[words.index("--run-dir") + 1]
    assert run_dir.startswith("$VAESEARCH_RUNS/")  # one that outlives the cluster
    assert words[words.index("--address") + 1] == "auto"


def test_ray_is_the_same_everywhere():
    assert RAY_CLUSTER["spec"]["rayVersion"] == pins()["ray"]


def test_workers_come_from_nothing_spot_first():
    groups = {group["groupName"]: group for group in RAY_CLUSTER["spec"]["workerGroupSpecs"]}
    for group in groups.values():
        assert group["replicas"] == group["minReplicas"] == 0
        assert 0 < group["maxReplicas"] <= 8
    order = sorted(groups, key=lambda name: -groups[name]["priority"])
    assert order == ["gpu-spot", "gpu", "cpu"]
    for name, group in groups.items():
        [container] = group["template"]["spec"]["containers"]
        gpus = container["resources"]["limits"].get("nvidia.com/gpu", 0)
        assert gpus == (0 if name == "cpu" else 1)
        assert ("affinity" in group["template"]["spec"]) == (name == "gpu-spot")
    assert RAY_CLUSTER["spec"]["headGroupSpec"]["rayStartParams"]["num-cpus"] == "0"


@pytest.mark.parametrize("name", PODS)
def test_pods_are_bounded_and_not_root(name):
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"]
    for container in pod["containers"]:
        assert "memory" in container["resources"]["limits"]
        assert {"cpu", "memory"} <= set(container["resources"]["requests"])
        assert not container["securityContext"]["allowPrivilegeEscalation"]


def test_the_object_store_fits_into_its_memory():
    groups = [RAY_CLUSTER["spec"]["headGroupSpec"], *RAY_CLUSTER["spec"]["workerGroupSpecs"]]
    for group in groups:
        store = int(group["rayStartParams"]["object-store-memory"])
        [shm] = [v for v in group["template"]["spec"]["volumes"] if v["name"] == "shm"]
        assert store < int(shm["emptyDir"]["sizeLimit"].removesuffix("Gi")) * 2**30


def test_nothing_is_published():
    services = [document for document in CORE if document["kind"] == "Service"]
    assert {service["spec"].get("type", "ClusterIP") for service in services} == {"ClusterIP"}
    assert RAY_CLUSTER["spec"]["headGroupSpec"]["serviceType"] == "ClusterIP"
    assert not [document for document in CORE if document["kind"] == "Ingress"]


def test_what_has_no_login_listens_to_its_own_pod_only():
    pod = PODS["Deployment-optuna-dashboard"]
    [container] = pod["containers"]
    assert "--host=127.0.0.1 --port=8080" in container["command"][-1]
    assert "ports" not in container
    # The kubelet does not come in from outside the pod, either.
    assert "exec" in container["readinessProbe"]
    services = {one["metadata"]["name"] for one in CORE if one["kind"] == "Service"}
    assert services == {"postgres", "mlflow"}


def test_only_who_needs_it_comes_to_the_database():
    [policy] = [one["spec"] for one in CORE if one["kind"] == "NetworkPolicy"]
    labels = {
        one["metadata"]["name"]: one["spec"]["template"]["metadata"]["labels"]
        for one in CORE
        if "template" in one.get("spec", {})
    }
    assert policy["podSelector"]["matchLabels"] == labels["postgres"]
    [rule] = policy["ingress"]
    [port] = rule["ports"]
    [container] = PODS["StatefulSet-postgres"]["containers"]
    assert port["port"] in [each["name"] for each in container["ports"]]
    let_in = [one["podSelector"]["matchLabels"] for one in rule["from"]]
    # Pods of Ray get this label from the operator.
    assert let_in == [labels["mlflow"], labels["optuna-dashboard"], {"ray.io/is-ray-node": "yes"}]


def references(value):
    """Every name and key of a Secret or ConfigMap that something asks for."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in ("secretKeyRef", "configMapKeyRef"):
                yield inner["name"], inner["key"]
            elif key in ("secretRef", "configMap"):
                yield inner["name"], None
            else:
                yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_what_pods_refer_to_exists():
    asked = set(references([*PODS.values(), RAY_CLUSTER]))
    keys = [
        line.partition("=")[0]
        for line in (FOLDER / ".env.example").read_text().splitlines()
        if "=" in line
    ]
    made = {one["name"] for one in read(PLACE + "kustomization.yaml")["configMapGenerator"]}
    for name, key in asked:
        assert name in made or (name == "vaesearch" and key in (None, *keys))
    accounts = {one["metadata"]["name"] for one in CORE if one["kind"] == "ServiceAccount"}
    assert {pod.get("serviceAccountName", "vaesearch") for pod in PODS.values()} <= accounts
    # Services and the pods they lead to.
    labels = [
        one["spec"]["template"]["metadata"]["labels"]
        for one in CORE
        if "template" in one.get("spec", {})
    ]
    for service in (one for one in CORE if one["kind"] == "Service"):
        assert service["spec"]["selector"] in labels


def test_files_are_all_listed():
    there = {path.name for path in (FOLDER / "kubernetes").glob("*.yaml")}
    assert there - {"kustomization.yaml", "rayjob.yaml"} == set(LISTED)
    for one in read(PLACE + "kustomization.yaml")["configMapGenerator"]:
        assert all((FOLDER / "kubernetes" / name).exists() for name in one["files"])


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_kustomize_puts_it_together():
    command = ["kubectl", "kustomize", str(FOLDER / "kubernetes")]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 0, said.stderr
    documents = list(yaml.safe_load_all(said.stdout))
    assert {"RayCluster", "StatefulSet", "Deployment", "ConfigMap"} <= {
        d["kind"] for d in documents
    }
    spaces = {d["metadata"].get("namespace") for d in documents if d["kind"] != "Namespace"}
    assert spaces == {"vaesearch"}
    # What the README's `sed` puts the address of the image in place of.
    ours = [line for line in said.stdout.splitlines() if line.strip().endswith("image: vaesearch")]
    assert len(ours) == 6
