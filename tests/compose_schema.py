"""What we use of the Compose specification; other keys are refused."""

TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT, "minItems": 1}
DURATION = {"type": "string", "pattern": r"^(\d+(ms|s|m|h))+$"}


def closed(required=(), **properties):
    """An object with these keys and no others."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def named(schema):
    """An object of such values by name."""
    return {
        "type": "object",
        "patternProperties": {r"^[a-zA-Z0-9._-]+$": schema},
        "additionalProperties": False,
    }


HEALTH = closed(
    ["test"],
    test={"type": "array", "items": {"type": "string"}, "prefixItems": [{"enum": ["CMD"]}]},
    interval=DURATION,
    timeout=DURATION,
    start_period=DURATION,
    retries={"type": "integer", "minimum": 1},
)
CONDITION = closed(
    ["condition"],
    condition={"enum": ["service_started", "service_healthy", "service_completed_successfully"]},
)
DEVICE = closed(
    ["capabilities"],
    driver=TEXT,
    count={"anyOf": [{"type": "integer"}, {"const": "all"}]},
    capabilities=TEXTS,
)
SERVICE = closed(
    image=TEXT,
    build=closed(["context"], context=TEXT, dockerfile=TEXT),
    init={"type": "boolean"},
    restart={"enum": ["no", "always", "on-failure", "unless-stopped"]},
    command=TEXTS,
    environment=named({"type": "string"}),
    volumes=TEXTS,
    ports=TEXTS,
    depends_on=named(CONDITION),
    healthcheck=HEALTH,
    shm_size={"type": "string", "pattern": r"^\d+(b|kb|mb|gb)$"},
    stop_grace_period=DURATION,
    deploy=closed(
        resources=closed(reservations=closed(devices={"type": "array", "items": DEVICE}))
    ),
)
FILE = closed(
    ["services"],
    name={"type": "string", "pattern": "^[a-z0-9][a-z0-9_-]*$"},
    services=named(SERVICE),
    volumes=named(closed()),
) | {"patternProperties": {"^x-": {}}}
