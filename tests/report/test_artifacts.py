from vaesearch.recordings import read_recording
from vaesearch.report.artifacts import write_results
from vaesearch.search.run_dir import RunDir


def test_a_finished_run_leaves_its_curves(state, events, tmp_path):
    run_dir = RunDir(tmp_path)
    write_results(run_dir, state, events)
    recording = read_recording(run_dir.curves)
    curves = recording.of_seed(7)
    assert curves["deconv"].valid == (90.0, 2.9131, 3.0)
    assert curves["deconv"].test == (None, 2.9566, None)
    assert curves["linear"].failed == "loss is nan\n  at | step 12"
    assert set(curves) == {"mlp", "deconv", "linear"}
    assert recording.manifest.dataset == "digits"
    assert "cores" in recording.manifest.hardware
    assert {"vaesearch", "python", "torch"} <= set(recording.manifest.software)
