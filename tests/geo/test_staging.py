"""Outputs are checked before the run, and appear whole or not at all."""

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from rrsis_core.contract import SinkError
from rrsis_core.geo.staging import check_output, staged


@contextmanager
def refused(code):
    with pytest.raises(SinkError) as error:
        yield error
    assert error.value.code == code
    assert error.value.hint


def test_good_paths_pass(tmp_path):
    assert check_output(tmp_path / "new.gpkg", (".gpkg", ".shp")) == tmp_path / "new.gpkg"
    assert check_output(f"{tmp_path}/UPPER.GPKG", (".gpkg",)) == tmp_path / "UPPER.GPKG"
    (tmp_path / "old.gpkg").touch()
    assert check_output(tmp_path / "old.gpkg", (".gpkg",), overwrite=True)
    assert list(tmp_path.iterdir()) == [tmp_path / "old.gpkg"], "the check leaves nothing"


def test_suffix_that_stands_for_nothing(tmp_path):
    for name in ("answer.xls", "answer"):
        with refused("output.suffix") as error:
            check_output(tmp_path / name, (".gpkg", ".shp"))
        assert ".gpkg" in error.value.hint


def test_folder_that_is_missing_or_a_file(tmp_path):
    (tmp_path / "file").touch()
    for folder in ("nowhere", "file"):
        with refused("output.folder"):
            check_output(tmp_path / folder / "answer.gpkg", (".gpkg",))
        with refused("output.folder"), staged(tmp_path / folder / "answer.gpkg"):
            pass


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that nobody can write to")
def test_folder_that_cannot_be_written_to():
    with refused("output.folder"):
        check_output("/proc/self/answer.gpkg", (".gpkg",))


def test_existing_outputs_and_inputs(tmp_path):
    old = tmp_path / "old.tif"
    old.touch()
    with refused("output.exists"):
        check_output(old, (".tif",))
    with refused("output.exists"):
        check_output(old, (".tif",), overwrite=True, inputs=[f"{tmp_path}/../{tmp_path.name}/old.tif"])
    assert check_output(old, (".tif",), overwrite=True, inputs=["/vsizip/other.zip/old.tif"])
    (tmp_path / "folder.tif").mkdir()
    with refused("output.exists"):
        check_output(tmp_path / "folder.tif", (".tif",), overwrite=True)


def test_file_appears_at_the_end(tmp_path):
    target = tmp_path / "answer.txt"
    target.write_text("old")
    with staged(target) as part:
        part.write_text("new")
        assert target.read_text() == "old"
        assert part.name == "answer.txt"
    assert target.read_text() == "new"
    assert os.listdir(tmp_path) == ["answer.txt"]


@pytest.mark.parametrize("failure", [ValueError, KeyboardInterrupt, SinkError])
def test_failure_leaves_what_was_there(tmp_path, failure):
    target = tmp_path / "answer.txt"
    target.write_text("old")
    arguments = {"code": "output.write"} if failure is SinkError else {}
    with pytest.raises(failure), staged(target) as part:
        part.write_text("half")
        Path(f"{part}-journal").write_text("more")
        raise failure("stop", **arguments)
    assert target.read_text() == "old"
    assert os.listdir(tmp_path) == ["answer.txt"]


def test_nothing_written_is_an_error(tmp_path):
    with refused("output.write"), staged(tmp_path / "answer.txt"):
        pass
    assert not os.listdir(tmp_path)


def test_parts_of_a_shapefile_move_together_and_stale_ones_go(tmp_path):
    for ending in (".shp", ".dbf", ".qix"):
        (tmp_path / f"[a].b{ending}").write_text("old")
    (tmp_path / "[a].c.dbf").write_text("another file")
    with staged(tmp_path / "[a].b.shp") as part:
        for ending in (".shp", ".shx", ".dbf", ".prj", ".cpg"):
            part.with_suffix(ending).write_text("new")
    texts = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert texts.pop("[a].c.dbf") == "another file"
    assert texts == {f"[a].b{ending}": "new" for ending in (".shp", ".shx", ".dbf", ".prj", ".cpg")}


def test_journals_of_a_replaced_geopackage_go(tmp_path):
    for ending in ("", "-wal", "-shm"):
        (tmp_path / f"answer.gpkg{ending}").write_text("old")
    with staged(tmp_path / "answer.gpkg") as part:
        part.write_text("new")
    assert os.listdir(tmp_path) == ["answer.gpkg"]
