"""A tuned search, its best trial trained again, measured, and the search gone on with."""

import json
from dataclasses import replace

import pytest
import tiny

from vaesearch import findings
from vaesearch.search.run_dir import RunDir
from vaesearch.search.tuning.findings import handed_out
from vaesearch.trained import open_trained, read_state

OPTIONS = [
    "--space", "digits", "--backend", "local", "--image-size", "8", "--width", "0.05",
    "--decoders", "mlp", "--encoders", "mlp", "--tracking-uri", "none", "--trials", "8",
    "--objective", "bpd", "--objective", "consistency", "--max-epochs-per-arm", "4",
]  # fmt: skip


@pytest.mark.slow
def test_a_tuned_search_hands_out_what_can_be_used(tmp_path):
    data, path = tiny.write_dataset(tmp_path), tmp_path / "run"
    run = tiny.run("tune", "--dataset", data, *OPTIONS, "--epochs", 14, "--run-dir", path,
                   cache=tmp_path)  # fmt: skip
    assert run.returncode == 0, run.stderr
    state = read_state(RunDir(path))
    found = findings(state)
    content = json.loads((path / "results.json").read_text())
    assert content["best_values"] == found.best_values
    assert len(content["front"]) == len(found.front) >= 1
    for report in state.arms[found.best.arm].reports:
        assert {"bpd", "consistency"} <= set(report.metrics)
    appraised = {name for name, arm in state.arms.items() if arm.test}
    assert appraised == handed_out(state)
    for name in appraised:
        assert open_trained(path, name).epoch == state.arms[name].best.epoch
    assert "equally would have taken" not in run.stdout

    again = tiny.run("bandit", "--config", path / "best.yaml", "--epochs", 2, "--run-dir",
                     tmp_path / "again", cache=tmp_path)  # fmt: skip
    assert again.returncode == 0, again.stderr
    settings = read_state(RunDir(tmp_path / "again")).arms["mlp"].arm.settings
    # The space names components, so the prior is the mixture that was found for the codes.
    best = state.arms[found.best.arm].arm.settings
    assert replace(settings, prior="") == replace(best, prior="")

    longer = tiny.run("resume", path, "--epochs", 20, "--trials", 12, cache=tmp_path)
    assert longer.returncode == 0, longer.stderr
    assert read_state(RunDir(path)).history.spent == 20
