"""What we use of KubeRay 1.7's RayCluster and RayJob: names and types; pods are checked apart."""

POD = {"type": "object"}
WORDS = {"type": "object", "additionalProperties": {"type": "string"}}
COUNT = {"type": "integer", "minimum": 0}


def closed(required, **optional):
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": required | optional,
        "required": list(required),
        "additionalProperties": False,
    }


TEMPLATE = closed({"spec": POD}, metadata={"type": "object"})
RESOURCES = closed({}, requests={"type": "object"}, limits={"type": "object"})
HEAD = closed(
    {"template": TEMPLATE, "rayStartParams": WORDS},
    serviceType={"enum": ["ClusterIP", "NodePort", "LoadBalancer"]},
)
WORKERS = closed(
    {
        "groupName": {"type": "string", "pattern": "^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"},
        "minReplicas": COUNT,
        "maxReplicas": COUNT,
        "rayStartParams": WORDS,
        "template": TEMPLATE,
    },
    replicas=COUNT,
    priority={"type": "integer"},
    idleTimeoutSeconds=COUNT,
)
SPEC = closed(
    {
        "rayVersion": {"type": "string", "pattern": r"^\d+\.\d+\.\d+$"},
        "headGroupSpec": HEAD,
        "workerGroupSpecs": {"type": "array", "items": WORKERS, "minItems": 1},
    },
    authOptions=closed(
        {"mode": {"enum": ["disabled", "token"]}}, secretName={"type": "string", "minLength": 1}
    ),
    enableInTreeAutoscaling={"type": "boolean"},
    autoscalerOptions=closed(
        {},
        version={"enum": ["v1", "v2"]},
        upscalingMode={"enum": ["Default", "Aggressive", "Conservative"]},
        idleTimeoutSeconds=COUNT,
        resources=RESOURCES,
    ),
)


def _object(kind, spec):
    return closed(
        {
            "apiVersion": {"const": "ray.io/v1"},
            "kind": {"const": kind},
            "metadata": closed(
                {"name": {"type": "string", "maxLength": 63}}, namespace={"type": "string"}
            ),
            "spec": spec,
        }
    )


CLUSTER = _object("RayCluster", SPEC)
JOB = _object(
    "RayJob",
    closed(
        {"entrypoint": {"type": "string", "minLength": 1}, "rayClusterSpec": SPEC},
        # In the others a shell before the head's may fill in $VAESEARCH_RUNS.
        submissionMode={"enum": ["HTTPMode"]},
        backoffLimit=COUNT,
        shutdownAfterJobFinishes={"type": "boolean"},
        ttlSecondsAfterFinished=COUNT,
    ),
)
