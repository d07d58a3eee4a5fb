"""Every layout is read as its traps ask for, and what is no data set is refused."""

import json
import pickle
import shutil

import numpy as np
import pytest
from PIL import Image

from rrsis_core.contract import InputError
from rrsis_core.data.datasets import usable
from rrsis_core.data.opening import find_layout, open_dataset
from rrsis_core.data.records import MaskFile, MaskOutline, MaskRuns, Record, filled, missing_files, read_mask
from rrsis_core.data.refer import in_split, read_refs


def code_of(call, *arguments, **options):
    with pytest.raises(InputError) as caught:
        call(*arguments, **options)
    return caught.value.code


@pytest.fixture(scope="module")
def rrsisd(make, tmp_path_factory):
    return make.rrsisd(tmp_path_factory.mktemp("sets") / "RRSIS-D")


def test_rrsisd(rrsisd):
    dataset = open_dataset(rrsisd)
    assert (dataset.name, dataset.max_tokens, dataset.problems) == ("rrsisd", 22, ())
    assert {split: len(records) for split, records in dataset.splits.items()} == {"train": 6, "val": 2, "test": 3}
    assert dataset.published == {"train": 12181, "val": 1740, "test": 3481}
    record = dataset.records("train")[3]
    assert (record.key, record.image.name) == ("4", "00004.jpg")
    assert (record.expression, record.category) == ("The white storage tank on the left", "storagetank")
    mask = read_mask(record)
    assert mask.shape == (800, 800) and mask[300, 200] and not mask[300, 600]
    other = dataset.records("train")[2]
    with Image.open(other.image) as picture:
        assert picture.size != read_mask(other).shape[::-1]  # the trap: 801 by 800


@pytest.mark.parametrize("given", [".", "rrsisd", "rrsisd/refs(unc).p"])
def test_the_refer_layout_is_found_from_any_of_its_folders(rrsisd, given):
    dataset = open_dataset(rrsisd / given)
    assert dataset.name == "rrsisd"
    assert missing_files(dataset.records("test")) == []


def test_rrsisd_with_other_places_of_its_pictures(rrsisd, tmp_path):
    flat = tmp_path / "RRSIS-D"
    shutil.copytree(rrsisd / "images/rrsisd/JPEGImages", flat / "images/JPEGImages")
    for name in ("refs(unc).p", "instances.json"):
        shutil.copy(rrsisd / "rrsisd" / name, flat)
    dataset = open_dataset(flat)
    assert dataset.name == "rrsisd"
    assert missing_files(dataset.records("train")) == []


def test_references_without_an_annotation_are_told(rrsisd, tmp_path):
    root = shutil.copytree(rrsisd / "rrsisd", tmp_path / "rrsisd")
    instances = json.loads((root / "instances.json").read_text())
    del instances["annotations"][0]
    (root / "instances.json").write_text(json.dumps(instances))
    dataset = open_dataset(root)
    assert len(dataset.records("train")) == 5
    assert len(dataset.problems) == 1 and "1" in dataset.problems[0]
    (root / "instances.json").write_text("{}")
    assert code_of(open_dataset, root) == "data.json"


def test_refcoco_has_polygons_several_sentences_and_two_tests(make, tmp_path):
    dataset = open_dataset(make.refcoco(tmp_path))
    counts = {split: len(records) for split, records in dataset.splits.items()}
    assert counts == {"train": 2, "val": 2, "test": 4, "testA": 2, "testB": 2}
    record = dataset.records("testA")[1]
    assert (record.expression, record.category) == ("red box 1", "box")
    mask = read_mask(record)
    assert mask.shape == (48, 64)
    assert mask[17, 25], "the overlap of two parts belongs to the mask"
    assert mask.sum() == 19 * 9 + 19 * 9 - 9 * 4


def test_splits_are_told_as_refer_does():
    assert in_split("testA", "test") and in_split("testA", "testA") and not in_split("testB", "testA")
    assert in_split("train", "train") and not in_split("train+restval", "train")


def test_refsegrs(make, tmp_path):
    dataset = open_dataset(make.refsegrs(tmp_path))
    assert (dataset.name, dataset.max_tokens) == ("refsegrs", 20)
    assert dataset.published == {"train": 2172, "val": 431, "test": 1817}
    train = dataset.records("train")
    assert [record.image.name for record in train] == ["11.tif", "12.tif", "13.tif", "13.tif", "14.tif"]
    assert len({record.key for record in train}) == 5
    assert [record.category for record in train[:3]] == ["road", "vehicle", "road marking"]
    assert read_mask(train[0]).mean() == pytest.approx(0.075, abs=0.01)


def test_the_grey_of_a_refsegrs_mask_decides(tmp_path):
    Image.fromarray(np.array([[0, 50, 51, 255]], np.uint8)).save(tmp_path / "m.tif")
    record = Record("1", tmp_path / "i.tif", "road", MaskFile(tmp_path / "m.tif", above=50))
    assert read_mask(record).tolist() == [[False, False, True, True]]


def test_risbench(make, tmp_path):
    dataset = open_dataset(make.risbench(tmp_path))
    assert (dataset.name, dataset.max_tokens) == ("risbench", 50)
    assert [record.image.name for record in dataset.records("val")] == ["train_3_0.png", "train_4_0.png"]
    first, as_rgb, empty = dataset.records("test")
    assert read_mask(first).any() and read_mask(as_rgb).any() and not read_mask(empty).any()
    assert read_mask(as_rgb).shape == (512, 512)
    assert as_rgb.category in ("storage tank", "tennis court", "ship")


def test_json_lines(make, tmp_path):
    root = make.jsonlines(tmp_path)
    dataset = open_dataset(root)
    assert {split: len(records) for split, records in dataset.splits.items()} == {"train": 4, "val": 2, "test": 2}
    assert read_mask(dataset.records("val")[0]).shape == (256, 256)
    with (root / "datainfo/rrsisd_val.jsonl").open("a") as file:
        file.write('\n{"sent": "a ship"}\nnot json\n')
    dataset = open_dataset(root)
    assert len(dataset.records("val")) == 2
    assert len(dataset.problems) == 2


def test_lines_without_a_phrase_are_told(make, tmp_path):
    root = make.refsegrs(tmp_path)
    (root / "output_phrase_val.txt").write_text("15 \r\n\n16 bus \r\n")
    dataset = open_dataset(root)
    assert [record.expression for record in dataset.records("val")] == ["bus"]
    assert len(dataset.problems) == 1


class Evil:
    def __reduce__(self):
        return (print, ("run",))


@pytest.mark.parametrize("content", [[Evil()], {"a": 1}, [{"ref_id": 1}], np.zeros(2)])
def test_pickles_that_hold_more_than_references_are_refused(tmp_path, content, capsys):
    path = tmp_path / "refs(unc).p"
    path.write_bytes(pickle.dumps(content))
    assert code_of(read_refs, path) == "data.pickle"
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\x80\x04]\x94(", b"cos\nsystem\n(S'true'\ntR."])
def test_damaged_pickles_are_refused(tmp_path, data):
    path = tmp_path / "refs(unc).p"
    path.write_bytes(data)
    assert code_of(read_refs, path) == "data.pickle"


def test_the_real_references_load(shared):
    refs = read_refs(shared / "text/rrsisd/refs_unc_50_all.p")
    assert len(refs) == 17402
    splits = [ref["split"] for ref in refs]
    assert [splits.count(split) for split in ("train", "val", "test")] == [12181, 1740, 3481]
    assert all(len(ref["sentences"]) == 1 for ref in refs)


def test_what_is_no_data_set_is_refused(tmp_path):
    assert code_of(open_dataset, tmp_path / "none") == "data.not_found"
    assert code_of(open_dataset, tmp_path) == "data.layout"
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "refs(unc).p").write_bytes(b"")
    assert find_layout(tmp_path) == "refer"
    assert code_of(open_dataset, tmp_path) == "data.layout"


def test_missing_files_are_refused_or_skipped(make, tmp_path):
    dataset = open_dataset(make.rrsisd(tmp_path, broken=True))
    assert code_of(usable, dataset, "train") == "data.missing"
    kept = usable(dataset, "train", skip_missing=True)
    assert [record.key for record in kept] == ["1", "2", "3", "4", "6"]
    assert code_of(dataset.records, "testA") == "data.split"
    shutil.rmtree(tmp_path / "images")
    assert code_of(usable, dataset, "val", skip_missing=True) == "data.missing"


def test_masks_that_cannot_be_are_refused(tmp_path):
    image = tmp_path / "i.png"
    Image.new("RGB", (4, 3)).save(image)
    parts = (MaskRuns([6, 6], 3, 4), MaskRuns([4], 2, 2))
    assert code_of(read_mask, Record("1", image, "x", parts)) == "data.mask"
    assert code_of(read_mask, Record("1", image, "x", (MaskRuns([5], 3, 4),))) == "data.mask"
    assert code_of(read_mask, Record("1", image, "x", MaskFile(tmp_path / "none.png"))) == "data.mask"
    assert read_mask(Record("1", image, "x", (MaskOutline([0, 0, 2, 0, 2, 3, 0, 3]),))).sum() == 6
    assert not read_mask(Record("1", image, "x", ())).any()


def test_an_outline_is_filled_by_pixel_centres():
    triangle = filled([0, 0, 7.9, 0, 0, 7.9], (8, 8))
    assert triangle.sum() == 28  # 7 + 6 + ... + 1
    assert triangle[0, 6] and not triangle[0, 7] and not triangle[7].any()
