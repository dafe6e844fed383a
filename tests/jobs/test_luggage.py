"""What travels with a command, what is refused, and what the options say then."""

import json
from pathlib import Path

import pytest

from vaesearch.errors import InputError
from vaesearch.jobs import files
from vaesearch.jobs.files import Sent, stage
from vaesearch.jobs.inner import Inner, Option
from vaesearch.jobs.luggage import packed


def command(name="bandit", **options):
    """``data_dir="x"`` is ``--data-dir x``; a tuple is an option that is repeated."""
    flags = {"warm_start": "--from", "source": "", "where": ""}
    made = []
    for key, value in options.items():
        values = value if isinstance(value, tuple) else (value,)
        made.append(Option(key, flags.get(key, "--" + key.replace("_", "-")), values))
    return Inner(name, tuple(made))


def names(luggage):
    return sorted(name for sent in luggage.sent for name, _ in sent.files)


def test_nothing_travels_where_nothing_is_named(tmp_path):
    (tmp_path / "secret.txt").write_text("x")
    (tmp_path / "tests").mkdir()
    inner = command(dataset="mnist", decoders="5", run_dir="s3://b/x")
    luggage = packed(inner, {}, tmp_path)
    assert luggage.inner == inner
    assert names(luggage) == []


def test_a_file_of_images_travels_and_is_kept(tmp_path):
    (tmp_path / "my data.npz").write_bytes(b"images")
    luggage = packed(command(dataset="my data.npz"), {}, tmp_path)
    value = luggage.inner.first("dataset")
    assert value.startswith("sent/")
    assert value.endswith("/my data.npz")
    assert luggage.kept == (value,)
    stage(luggage.sent, tmp_path / "there")
    assert (tmp_path / "there" / value).read_bytes() == b"images"
    # The place follows from the content, so that a job sent again is the same search.
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "my data.npz").write_bytes(b"images")
    again = packed(command(dataset="sub/my data.npz"), {}, tmp_path)
    assert again.inner.first("dataset") == value
    (tmp_path / "my data.npz").write_bytes(b"others")
    other = packed(command(dataset="my data.npz"), {}, tmp_path)
    assert other.inner.first("dataset") != value


def test_a_folder_of_images_travels_without_what_is_not_part_of_it(tmp_path):
    for name in ("cats/a.png", "cats/deep/b.png", "cats/.git/x", "cats/.gitignore"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x")
    luggage = packed(command(dataset="cats"), {}, tmp_path)
    value = luggage.inner.first("dataset")
    assert names(luggage) == [f"{value}/a.png", f"{value}/deep/b.png"]


def test_of_a_data_dir_the_one_archive_travels(tmp_path):
    (tmp_path / "data").mkdir()
    for name in ("mnist.npz", "huge.npz"):
        (tmp_path / "data" / name).write_bytes(b"x")
    luggage = packed(command(dataset="mnist", data_dir="data"), {}, tmp_path)
    where = luggage.inner.first("data_dir")
    assert names(luggage) == [f"{where}/mnist.npz"]
    assert luggage.own_data_dir
    with pytest.raises(InputError, match=r"no cifar10\.npz"):
        packed(command(dataset="cifar10", data_dir="data"), {}, tmp_path)
    assert packed(command(dataset="digits", data_dir="data"), {}, tmp_path).sent[0].files == ()


def test_what_a_config_file_names_travels_too(tmp_path):
    (tmp_path / "a.yaml").write_text("dataset: x.npz\ndecoders: mlp,mine:Net\n")
    (tmp_path / "x.npz").write_bytes(b"x")
    (tmp_path / "mine.py").write_text("import helper\nimport os, torch\n")
    (tmp_path / "helper.py").write_text("from deeper.still import x\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper" / "still.py").write_text("x = 1\n")
    (tmp_path / "other.py").write_text("")
    config = {"dataset": "x.npz", "decoders": "mlp,mine:Net"}
    luggage = packed(command(config="a.yaml"), config, tmp_path)
    found = names(luggage)
    assert found[:3] == ["deeper/still.py", "helper.py", "mine.py"]
    assert luggage.inner.first("config") in found
    assert luggage.inner.first("dataset") in found
    assert len(found) == 5


def test_options_of_tuning_name_files(tmp_path):
    (tmp_path / "s.yaml").write_text("decoder: [mine:Net]\n")
    (tmp_path / "e.yaml").write_text("latent_dim: 4\n")
    (tmp_path / "mine.py").write_text("")
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "ledger.jsonl").write_text("{}\n")
    (tmp_path / "old" / "big.pt").write_bytes(b"x")
    inner = command(
        "tune", space="s.yaml", enqueue=("latent_dim=2", "e.yaml", "defaults"), warm_start="old"
    )
    luggage = packed(inner, {}, tmp_path)
    enqueue = luggage.inner.get("enqueue").values
    assert (enqueue[0], enqueue[2]) == ("latent_dim=2", "defaults")
    before = luggage.inner.first("warm_start")
    assert names(luggage) == sorted(
        ["mine.py", luggage.inner.first("space"), enqueue[1], f"{before}/ledger.jsonl"]
    )
    assert luggage.kept == (before,)
    assert packed(command("tune", space="mnist"), {}, tmp_path).inner.first("space") == "mnist"


def test_absolute_paths_are_of_the_cluster(tmp_path):
    (tmp_path / "x.npz").write_bytes(b"x")
    inner = command(dataset=str(tmp_path / "x.npz"), data_dir="/data", run_dir="/runs/x")
    luggage = packed(inner, {}, tmp_path)
    assert luggage.inner == inner
    assert names(luggage) == []
    assert luggage.must_exist == (("--dataset", str(tmp_path / "x.npz")),)


@pytest.mark.parametrize(
    ("inner", "said"),
    [
        (command(run_dir="runs/x"), "--run-dir runs/x is a path of this machine"),
        (command("resume", where="runs/x"), "runs/x is a path of this machine"),
        (command("sample", where="/r", targets="a.png"), "--targets a.png is a path of this"),
        (command("evaluate", where="/r", data_dir="data"), "--data-dir data is a path of this"),
        (command(tracking_uri="sqlite:///m.db"), "would lie in the job's folder"),
        (command(tracking_uri="mlruns"), "would lie in the job's folder"),
        (command("tune", storage="sqlite:///s.db"), "would lie in the job's folder"),
        (command(dataset="gone.npz"), "--dataset gone.npz: there is nothing here"),
        (command(config="gone.yaml"), "--config gone.yaml: there is nothing here"),
        (command("tune", warm_start="gone"), "--from gone cannot be read"),
    ],
)
def test_refusals(tmp_path, inner, said):
    with pytest.raises(InputError) as caught:
        packed(inner, {}, tmp_path)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    "uri", ["none", "http://m:5000", "sqlite:////shared/m.db", "postgresql://u:p@db/x"]
)
def test_addresses_of_services_are_left_alone(tmp_path, uri):
    assert packed(command(tracking_uri=uri), {}, tmp_path).inner.first("tracking_uri") == uri


def test_too_much_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_BYTES", 1000)
    (tmp_path / "x.npz").write_bytes(b"x" * 1001)
    with pytest.raises(InputError, match="too much to go with a job"):
        packed(command(dataset="x.npz"), {}, tmp_path)
    (tmp_path / "x.npz").write_bytes(b"x" * 600)
    (tmp_path / "more").write_bytes(b"x" * 600)
    with pytest.raises(InputError, match="the files that go with this command"):
        packed(command(dataset="x.npz"), {}, tmp_path, [tmp_path / "more"])


def test_other_files_lie_as_they_lie_here(tmp_path):
    here = tmp_path / "here"
    (here / "nets").mkdir(parents=True)
    (here / "nets" / "a.py").write_text("")
    (tmp_path / "b.json").write_text(json.dumps({}))
    luggage = packed(command(), {}, here, [here / "nets", tmp_path / "b.json"])
    assert names(luggage) == ["b.json", "nets/a.py"]


@pytest.mark.parametrize("path", [".", "..", "nets/..", "../here", "../.."])
def test_the_folder_of_the_user_does_not_go_as_a_whole(tmp_path, path):
    here = tmp_path / "here"
    (here / "nets").mkdir(parents=True)
    for given in (Path(path), here / path):
        with pytest.raises(InputError, match="the folder that you are in"):
            packed(command(), {}, here, [given])


def test_other_files_are_found_by_any_way_to_them(tmp_path):
    here = tmp_path / "here"
    (here / "nets").mkdir(parents=True)
    (here / "nets" / "a.py").write_text("")
    (tmp_path / "beside").mkdir()
    (tmp_path / "beside" / "b.py").write_text("")
    (tmp_path / "link").symlink_to(here)
    ways = {
        "nets/../nets": "nets/a.py", "../here/nets": "nets/a.py", "../beside": "beside/b.py",
        str(here / "nets"): "nets/a.py", "./nets/a.py": "nets/a.py",
    }  # fmt: skip
    for way, name in ways.items():
        assert names(packed(command(), {}, here, [Path(way)])) == [name]
    assert names(packed(command(), {}, tmp_path / "link", [Path("nets")])) == ["nets/a.py"]


@pytest.mark.parametrize("name", ["/etc/x", "../x", "a/../../x"])
def test_nothing_is_put_elsewhere(tmp_path, name):
    (tmp_path / "x").write_text("")
    with pytest.raises(ValueError, match="does not lie below"):
        stage([Sent(((name, tmp_path / "x"),))], tmp_path / "there")
    assert not (tmp_path / "there").exists()
