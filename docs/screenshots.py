"""Take the pictures of ``docs/compare.md``: a server, a small search, a browser.

::

    python docs/screenshots.py [FOLDER]        # default docs/images

Needs MLflow, selenium, Chromium and its driver. Everything is started here and ended here.
"""

import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SEARCH = [
    "bandit", "--dataset", "digits", "--backend", "local", "--image-size", "16",
    "--width", "0.2", "--decoders", "5", "--train-limit", "600", "--epochs", "40",
]  # fmt: skip
SIZE = (1500, 900)  # pixels of the window
PATIENCE = 120.0  # seconds until something is on the page; the machine may be busy
ROWS = ".ag-pinned-left-cols-container .ag-row"


@contextmanager
def chromium(folder: Path) -> Iterator[Any]:
    """A browser without a window, whose profile is in ``folder``."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    for flag in (
        "headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
        "disable-background-networking", "disable-component-update", "disable-sync",
        "disable-dev-shm-usage", f"window-size={SIZE[0]},{SIZE[1]}", f"user-data-dir={folder}",
    ):  # fmt: skip
        options.add_argument(f"--{flag}")
    browser = webdriver.Chrome(options, Service(shutil.which("chromedriver")))
    try:
        yield browser
    finally:
        browser.quit()


class Visit:
    """A person before MLflow's pages, who waits for what is to be clicked; counts the clicks."""

    def __init__(self, browser: Any) -> None:
        self.browser = browser
        self.clicks = 0

    def open(self, address: str) -> None:
        """Go to a page, which is loaded anew."""
        self.browser.get("about:blank")
        self.browser.get(address)

    def find(self, selector: str) -> Any:
        """The first element that a CSS selector finds, once there is one."""
        return self.until(lambda: self._seen(selector))

    def _seen(self, selector: str) -> Any:
        """What is drawn goes first; a box of one's own look lies over one that is not."""
        found = self.browser.find_elements("css selector", selector)
        return next((element for element in found if element.is_displayed()), (found or [None])[0])

    def click(self, selector: str) -> None:
        """Click on it."""
        self.until(lambda: self._pressed(self.find(selector)))
        self.clicks += 1

    def _pressed(self, element: Any) -> bool:
        if element.is_enabled():
            element.click()
            return True
        return False

    def read(self, *words: str) -> str:
        """The text of the page, once all ``words`` are in it."""
        return str(self.until(lambda: self._text_with(words)))

    def _text_with(self, words: tuple[str, ...]) -> str:
        text = self.browser.find_element("tag name", "body").text
        return text if all(word in text for word in words) else ""

    def until(self, holds: Callable[[], Any]) -> Any:
        """What ``holds`` returns once it is true."""
        from selenium.common.exceptions import WebDriverException

        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                if found := holds():
                    return found
            except WebDriverException:  # the page is being drawn anew
                pass
            if time.monotonic() > deadline:
                raise TimeoutError(f"it is not on {self.browser.current_url}")
            time.sleep(0.2)

    def close_assistant(self) -> None:
        """The panel at the right, which a new browser opens by itself."""
        for button in self.browser.find_elements("css selector", "button[aria-label*=lose]"):
            if button.is_displayed() and button.location["x"] > SIZE[0] * 2 / 3:
                button.click()
                return


def compare_from_list(visit: Visit, listing: str, arms: int) -> None:
    """Select all arms in their list, and press "Compare": two clicks."""
    visit.open(listing)
    visit.until(lambda: len(visit.browser.find_elements("css selector", ROWS)) == arms)
    visit.click("input[aria-label='Select all runs']")
    visit.click("[data-testid=runs-compare-button]")


def compare_from_experiment(visit: Visit, runs_page: str, children: int) -> None:
    """Unfold the search, select all, and press "Compare": three clicks."""
    visit.open(runs_page)
    visit.click("[data-component-id*=runnamecellrenderer]")
    visit.until(lambda: len(visit.browser.find_elements("css selector", ROWS)) > children)
    visit.click("input[aria-label='Select all runs']")
    visit.click("[data-testid=runs-compare-button]")


@contextmanager
def mlflow_server(folder: Path) -> Iterator[str]:
    """An MLflow server on this machine; its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", str(folder / "artifacts"),
        "--host", "127.0.0.1", "--port", port, "--workers", "1",
    ]  # fmt: skip
    with (folder / "server.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    try:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                socket.create_connection(("127.0.0.1", int(port)), 1.0).close()
                break
            except OSError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def take(folder: Path) -> None:
    """Run the search, look at it, and write the pictures into ``folder``."""
    from vaesearch.search.run_dir import RunDir
    from vaesearch.tracking.looking import find_pages

    with tempfile.TemporaryDirectory() as scratch, mlflow_server(Path(scratch)) as server:
        run = Path(scratch, "five-decoders")
        command = [sys.executable, "-m", "vaesearch", *SEARCH, "--run-dir", str(run)]
        subprocess.run([*command, "--tracking-uri", server], check=True)
        subprocess.run([sys.executable, "-m", "vaesearch", "sync", str(run)], check=True)
        pages = find_pages(RunDir(run), server, "vaesearch")
        if pages is None:
            raise SystemExit("the search did not arrive")
        names = [arm["name"] for arm in json.loads((run / "results.json").read_text())["arms"]]
        with chromium(Path(scratch, "profile")) as browser:
            visit = Visit(browser)
            visit.open(f"{server}/{pages.listing}")
            visit.read(*names)
            visit.close_assistant()
            visit.click("input[aria-label='Select all runs']")
            visit.find("[data-testid=runs-compare-button]")
            time.sleep(1.0)  # for what fades in
            browser.save_screenshot(str(folder / "compare-select.png"))
            visit.click("[data-testid=runs-compare-button]")
            visit.read("Comparing 5 Runs")
            visit.close_assistant()
            time.sleep(3.0)  # for the plot
            browser.save_screenshot(str(folder / "compare-runs.png"))
            visit.open(f"{server}/{pages.parent}")
            visit.read("Compare these 5 arms")
            visit.close_assistant()
            time.sleep(1.0)
            browser.save_screenshot(str(folder / "compare-search.png"))


if __name__ == "__main__":
    take(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent / "images")
