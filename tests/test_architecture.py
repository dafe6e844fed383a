"""What importing costs: in a fresh interpreter, because a parent package may import too much."""

import subprocess
import sys

import pytest

HEAVY = ("torch", "ray", "mlflow", "optuna", "torchvision", "sklearn", "matplotlib", "scipy")


def loaded(statement):
    """Names of heavy modules that ``statement`` loads."""
    code = f"import sys\n{statement}\nprint(*[m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("vaesearch", set()),
        ("vaesearch.bandits.projected", set()),
        ("vaesearch.catalogue", set()),
        ("vaesearch.config", set()),
        ("vaesearch.space", set()),
        ("vaesearch.data", set()),
        ("vaesearch.search.state", set()),
        ("vaesearch.integrations.book", set()),
        ("vaesearch.tracking.core", set()),
        ("vaesearch.cli.app", set()),
        ("vaesearch.watching", set()),
        ("vaesearch.report.tables", set()),
        ("vaesearch.models.vae", {"torch"}),
        ("vaesearch.tracking.evaluations", set()),
        ("vaesearch.assessment", {"torch", "sklearn", "scipy"}),
        ("vaesearch.pull", {"torch", "sklearn", "scipy"}),
        ("vaesearch.search.backends.local", {"torch", "sklearn", "scipy"}),
    ],
)
def test_a_layer_loads_no_more_than_it_needs(module, allowed):
    assert loaded(f"import {module}") <= allowed


@pytest.mark.parametrize("missing", ["ray", "mlflow", "optuna"])
def test_the_local_backend_needs_no_service(missing):
    code = f"import sys; sys.modules['{missing}'] = None; import vaesearch.api, vaesearch.pull"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_listing_needs_none_of_them():
    statement = "from vaesearch.cli.app import app\napp(['list'], standalone_mode=False)"
    code = f"{statement}\nimport sys\nassert not set({HEAVY}) & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)


def test_the_public_names():
    import vaesearch

    assert vaesearch.__all__ == [
        "Config", "Subject", "TuneConfig", "__version__", "evaluate", "findings", "load_model",
        "measure", "resume", "run_bandit", "run_search", "tune_mixtures",
    ]  # fmt: skip
    for name in vaesearch.__all__:
        assert getattr(vaesearch, name) is not None
    with pytest.raises(AttributeError, match="nothing"):
        vaesearch.nothing  # noqa: B018
