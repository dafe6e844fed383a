"""A browser on MLflow's own pages: from a finished search to its arms side by side."""

import importlib.util
import shutil
from pathlib import Path

import pytest
from mlflow_servers import MlflowServer

from vaesearch.tracking.looking import find_pages
from vaesearch.tracking.uploader import follow

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(900),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.skipif(
        not (shutil.which("chromium") and shutil.which("chromedriver")),
        reason="no Chromium with its driver here",
    ),
]
DECODERS = ("linear-deconv", "deconv", "deconv-deep", "mlp-wide", "mlp")
SCRIPT = Path(__file__).parents[2] / "docs" / "screenshots.py"


@pytest.fixture(scope="module")
def browsing():
    """The script that takes the pictures of the documentation."""
    pytest.importorskip("selenium")
    spec = importlib.util.spec_from_file_location("screenshots", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def server(tmp_path):
    server = MlflowServer(tmp_path, f"sqlite:///{tmp_path}/server.db")
    yield server.start()
    server.stop()


def test_five_decoders_are_compared_in_three_clicks(
    search, server, browsing, tmp_path, monkeypatch
):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "60")
    search.start(*DECODERS)
    for place, decoder in enumerate(DECODERS):
        search.pull(decoder, -9.0 + place, -8.5 + place)
    assert follow(search.finish("mlp").run_dir, server.address, "vaesearch", lambda _: True)
    pages = find_pages(search.run_dir, server.address, "vaesearch")
    runs = f"{server.address}/#/experiments/{pages.experiment}/runs"
    with browsing.chromium(tmp_path / "profile") as browser:
        visit = browsing.Visit(browser)  # first, since MLflow's pages remember a filter
        browsing.compare_from_experiment(visit, runs, len(DECODERS))
        visit.read("Comparing 6 Runs", *DECODERS, "best/reward")
        assert visit.clicks == 3

        visit = browsing.Visit(browser)
        browsing.compare_from_list(visit, f"{server.address}/{pages.listing}", len(DECODERS))
        text = visit.read("Comparing 5 Runs", *DECODERS, "best/reward")
        assert visit.clicks == 2
        assert "-4.5" in text

        visit = browsing.Visit(browser)
        visit.open(f"{server.address}/{pages.parent}")
        link = visit.find("a[href*='compare-runs']")  # a click would open another tab
        assert link.text == "Compare these 5 arms"
        visit.open(link.get_attribute("href"))
        visit.read("Comparing 5 Runs", *DECODERS, "best/reward")
