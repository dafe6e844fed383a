"""``ray up cluster/aws.yaml`` against a pretended AWS: roles, machines, spot."""

from copy import deepcopy
from fnmatch import fnmatchcase

import pytest
import yaml
from cluster_files import FOLDER, read

moto = pytest.importorskip("moto")
boto3 = pytest.importorskip("boto3")


@pytest.fixture
def aws(monkeypatch, tmp_path):
    """Nothing here leaves this process."""
    monkeypatch.setenv("HOME", str(tmp_path))  # ssh keys are written there
    for name, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-west-2",
    }.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".ssh").mkdir()
    with moto.mock_aws():
        yield


@pytest.fixture
def roles(aws):
    """The stack of aws-roles.yaml: {logical name: what it is called}."""
    stacks = boto3.client("cloudformation")
    stacks.create_stack(
        StackName="vaesearch", TemplateBody=(FOLDER / "aws-roles.yaml").read_text(),
        Parameters=[{"ParameterKey": "Bucket", "ParameterValue": "pictures"}],
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )  # fmt: skip
    made = stacks.describe_stack_resources(StackName="vaesearch")["StackResources"]
    return {one["LogicalResourceId"]: one["PhysicalResourceId"] for one in made}


def statements(role):
    """Those of a role's own policies and of those attached to it."""
    iam, found = boto3.client("iam"), []
    for name in iam.list_role_policies(RoleName=role)["PolicyNames"]:
        found.append(iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"])
    for policy in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        arn = policy["PolicyArn"]
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        policy = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        found.append(policy["PolicyVersion"]["Document"])
    documents = [yaml.safe_load(one) if isinstance(one, str) else one for one in found]
    return [one for document in documents for one in document["Statement"]]


def allowed(role):
    """The actions that a role may take, on some condition or on none."""
    actions = [one["Action"] for one in statements(role)]
    return {name for some in actions for name in ([some] if isinstance(some, str) else some)}


def calls(monkeypatch):
    """A set that grows by what is asked of AWS, as policies write it."""
    import botocore.client

    seen, really = set(), botocore.client.BaseClient._make_api_call

    def record(self, name, arguments):
        seen.add(f"{self.meta.service_model.service_name}:{name}")
        return really(self, name, arguments)

    monkeypatch.setattr(botocore.client.BaseClient, "_make_api_call", record)
    return seen


def test_roles_allow_what_is_needed_and_no_more(roles):
    assert boto3.client("s3").head_bucket(Bucket="pictures")
    worker, head = allowed(roles["WorkerRole"]), allowed(roles["HeadRole"])
    assert {name.partition(":")[0] for name in worker} == {"s3"}
    assert {"s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:ListBucket"} <= worker < head
    assert {"ec2:RunInstances", "ec2:TerminateInstances", "ec2:CreateTags"} <= head
    assert "iam:PassRole" in head  # or it could start no worker that has a role


def test_the_head_changes_only_machines_of_its_cluster(roles):
    ours = {"aws:ResourceTag/ray-cluster-name": "vaesearch"}
    conditions = {}
    for one in statements(roles["HeadRole"]):
        for action in [one["Action"]] if isinstance(one["Action"], str) else one["Action"]:
            equal = one.get("Condition", {}).get("StringEquals")
            conditions.setdefault(action, []).append(equal)
    assert conditions["ec2:TerminateInstances"] == conditions["ec2:StopInstances"] == [ours]
    # Else it could first make a machine of others one of its own.
    assert conditions["ec2:CreateTags"] == [{"ec2:CreateAction": "RunInstances"}, ours]


def test_a_worker_is_a_spot_machine_that_may_use_the_bucket(roles, monkeypatch):
    from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
    from ray.autoscaler._private.util import prepare_config, validate_config
    from ray.autoscaler.tags import TAG_RAY_NODE_KIND

    config = deepcopy(read("aws.yaml"))
    image = boto3.client("ec2").describe_images()["Images"][0]["ImageId"]
    for node in config["available_node_types"].values():
        assert node["node_config"]["ImageId"].startswith("resolve:ssm:/aws/service/")
        node["node_config"]["ImageId"] = image  # the pretended EC2 looks nothing up
    config = prepare_config(config)
    # As `ray up` does: looks for machine types, makes a key, a security group, subnets.
    config = AWSNodeProvider.fillout_available_node_types_resources(config)
    config = AWSNodeProvider.bootstrap_config(config)
    validate_config({key: value for key, value in config.items() if not key.endswith("_node")})

    asked = calls(monkeypatch)  # from here on it is the head that does it
    provider = AWSNodeProvider(config["provider"], config["cluster_name"])
    ids = []
    for kind, spot in (("spot_a10g", True), ("spot_l4", True), ("on_demand", False)):
        machine = config["available_node_types"][kind]["node_config"]
        made = provider.create_node(deepcopy(machine), {TAG_RAY_NODE_KIND: "worker"}, 1)
        [one] = made.values()
        ids.append(one.id)
        assert (one.instance_lifecycle == "spot") is spot
        assert one.iam_instance_profile["Arn"].endswith("/vaesearch-worker")
        tags = {tag["Key"]: tag["Value"] for tag in one.tags}
        assert tags["ray-cluster-name"] == "vaesearch"  # by which the head may end it
    assert set(provider.non_terminated_nodes({})) == set(ids)
    provider.terminate_nodes(ids)
    asked, rights = set(asked), allowed(roles["HeadRole"])
    assert {"ec2:RunInstances", "ec2:TerminateInstances"} <= asked
    assert not {name for name in asked if not any(fnmatchcase(name, one) for one in rights)}
    head = config["available_node_types"]["head"]["node_config"]
    assert head["IamInstanceProfile"] == {"Name": "vaesearch-head"}  # not the wide one of Ray


def test_only_ssh_comes_in(roles):
    from ray.autoscaler._private.aws.config import _create_default_inbound_rules

    assert "security_group" not in read("aws.yaml")["provider"]
    from_outside = [
        rule for rule in _create_default_inbound_rules({"sg-1"}) if rule.get("IpRanges")
    ]
    assert [(rule["FromPort"], rule["ToPort"]) for rule in from_outside] == [(22, 22)]
