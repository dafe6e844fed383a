import sys

import pytest

from vaesearch.doctor.processes import ProbeError, ask, run


def test_a_command_that_hangs_is_ended():
    with pytest.raises(ProbeError, match="no answer within"):
        run([sys.executable, "-c", "import time; time.sleep(600)"], 0.2)


def test_a_command_that_is_missing():
    with pytest.raises(ProbeError, match="No such file"):
        run(["/no/such/command"], 5)


def test_a_module_that_crashes(tmp_path):
    (tmp_path / "crashes.py").write_text("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(ProbeError, match="killed by signal 11"):
        ask("crashes", limit=30, environ={"PYTHONPATH": str(tmp_path)})


def test_a_module_that_answers(tmp_path):
    (tmp_path / "answers.py").write_text("print('a remark'); print('[1, 2]')")
    assert ask("answers", limit=30, environ={"PYTHONPATH": str(tmp_path)}) == [1, 2]
