import numpy as np
import pytest
from PIL import Image

from vaesearch.data.sources import find_source
from vaesearch.errors import DataError, InputError


@pytest.fixture
def find(tmp_path):
    return lambda dataset: find_source(str(dataset), data_dir=tmp_path, image_size=8)


def test_a_path_to_an_archive(find, save_npz, images):
    train = images((4, 5, 5))
    source = find(save_npz("a b/ünï 画像.NPZ.npz", x_train=train))
    assert source.name == "ünï 画像.NPZ"
    np.testing.assert_array_equal(source.read()[0], train)


@pytest.mark.parametrize("name", ["mnist", "foo", "two words"])
def test_an_archive_in_the_data_folder_is_found_by_name(find, save_npz, images, name):
    path = save_npz(f"{name}.npz", x_train=images((4, 5, 5)))
    assert (find(name).name, find(name).label) == (name, str(path))


def test_a_folder_with_a_nasty_name(find, save_folder):
    source = find(save_folder(3, name="a b/[ünï] 画像*"))
    assert source.name == "[ünï] 画像*"
    assert source.read()[0].shape == (3, 1, 8, 8)


def test_names_of_the_catalogue_win_over_bare_folders(find, save_folder, tmp_path, monkeypatch):
    save_folder(3, name="digits")
    save_folder(3, name="faces")
    monkeypatch.chdir(tmp_path)
    assert find("digits").label == "digits"
    assert find("digits").identity == "catalogue digits"
    assert find("./digits").identity.startswith("folder ")
    assert find("faces").identity.startswith("folder ")
    assert find(".").name == tmp_path.name


def test_home_is_expanded(find, save_npz, images, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    save_npz("mine.npz", x_train=images((4, 5, 5)))
    assert find("~/mine.npz").label == str(tmp_path / "mine.npz")


def test_identities_follow_contents(find, save_folder):
    folder = save_folder(3)
    first = find(folder).identity
    assert find(folder).identity == first
    Image.new("L", (9, 9)).save(folder / "new.png")
    assert find(folder).identity != first


@pytest.mark.parametrize(
    ("dataset", "complaint"),
    [
        ("none.npz", r"no file none\.npz"),
        ("./none", "none does not exist"),
        ("nowhere/none", "does not exist"),
        ("~nobody-of-that-name/x", "does not exist"),
        ("a" * 300, "File name too long"),
    ],
)
def test_missing_paths_are_named(find, dataset, complaint):
    with pytest.raises(DataError, match=complaint):
        find(dataset)


def test_other_files_are_refused(find, tmp_path):
    path = tmp_path / "images.zip"
    path.write_text("")
    with pytest.raises(DataError, match=r"images\.zip is a file: give PATH\.npz, a folder"):
        find(path)


@pytest.mark.parametrize("dataset", ["mnits", "", "foo", "nul\0l"])
def test_unknown_names_are_refused_with_help(find, save_npz, dataset):
    save_npz("mine.npz")
    with pytest.raises(InputError, match=r"(?s)unknown dataset.*digits, fash.*mine.*folder"):
        find(dataset)


def test_the_nearest_name_is_suggested(find):
    with pytest.raises(InputError, match="did you mean 'mnist'"):
        find("mnits")
