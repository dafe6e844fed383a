"""As many arms as one likes, from recorded learning curves."""

from itertools import cycle, islice
from pathlib import Path

from vaesearch.recordings import Recording, read_recording
from vaesearch.records import EpochReport

CURVES = Path(__file__).parents[1] / "curves"
RECORDED = CURVES / "digits-settings.json.gz"
LENGTH = 30  # epochs of each


def reports(count: int, name: str = "arm-{:03d}") -> dict[str, list[EpochReport]]:
    """The curves of ``count`` arms: those of recorded settings, once more where they run out.

    Each time they are a thousandth of a bit/dim worse, so that no two arms are equal.
    """
    recording = read_recording(RECORDED)
    whole = [curve for curve in recording.curves if len(curve.valid) == LENGTH]
    return {
        name.format(number): [
            _report(recording, epoch, metric + 0.001 * (number // len(whole)), seconds)
            for epoch, (metric, seconds) in enumerate(
                zip(curve.valid, curve.seconds, strict=True), start=1
            )
        ]
        for number, curve in enumerate(islice(cycle(whole), count))
    }


def _report(recording: Recording, epoch: int, metric: float, seconds: float) -> EpochReport:
    return EpochReport(epoch, recording.reward(metric), seconds, {"bpd": metric})
