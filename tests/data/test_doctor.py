"""The doctor names what is missing, damaged and odd, and draws a sheet."""

import numpy as np
import pytest

from rrsis_core.data.doctor import check_dataset, sample_cells
from rrsis_core.data.drawing import TRUTH, Cell, contact_sheet, heat, overlay, row_sheet
from rrsis_core.data.opening import open_dataset


def checked(root, max_tokens=20, size=480):
    return check_dataset(open_dataset(root), lambda text: len(text.split()) + 2, max_tokens, size)


@pytest.fixture(scope="module")
def broken(make, tmp_path_factory):
    return checked(make.rrsisd(tmp_path_factory.mktemp("broken"), broken=True))


def test_what_keeps_a_set_from_training_is_named(broken):
    train = broken.splits["train"]
    assert [name[-9:] for name in (*train.missing, *train.damaged)] == ["00005.jpg", "00006.jpg"]
    assert not broken.trainable
    assert len(broken.faults) == 2


def test_what_is_odd_is_told(broken):
    train = broken.splits["train"]
    assert (train.records, train.published) == (6, 12181)
    assert train.sizes == {"800 x 800": 3, "801 x 800": 1}
    assert (train.other_size, train.vanishing, train.empty) == (["3"], ["2"], [])
    assert (train.longest, train.cut) == (25, 1)
    assert train.categories == {"storagetank": 2, "tenniscourt": 2, "ship": 2}
    assert broken.shared["train and test"] == {"by name": 0, "by content": 1, "with the same expression": 0}
    assert any("published are 12,181" in remark for remark in broken.remarks)
    assert any("(16.7%) are cut at 20 tokens" in remark for remark in broken.remarks)


def test_empty_masks_and_shared_pictures_are_no_faults(make, tmp_path):
    root = make.risbench(tmp_path)
    with (root / "output_phrase_val.txt").open("a") as file:
        file.write("train_0_0.png The ship\n")
    report = checked(root)
    assert report.trainable
    assert report.splits["test"].empty == ["3"]
    assert report.shared["train and val"]["by name"] == 1


def test_a_set_without_validation_cannot_be_trained_on(make, tmp_path):
    root = make.refsegrs(tmp_path)
    (root / "output_phrase_val.txt").unlink()
    assert checked(root).faults == ["Split val has no records."]


def test_a_sheet_shows_the_samples_that_can_be_read(make, tmp_path):
    dataset = open_dataset(make.rrsisd(tmp_path, broken=True))
    cells = sample_cells(dataset, count=50)
    assert len(cells) == 9
    sheet = np.asarray(contact_sheet(cells, columns=4, side=64))
    assert sheet.shape[1] == 4 * (64 + 12) + 12
    assert (sheet == TRUTH).all(axis=2).any()


def test_small_masks_stay_visible_on_a_sheet():
    mask = np.zeros((900, 900), bool)
    mask[450, 450] = True
    sheet = np.asarray(contact_sheet([Cell(np.zeros((900, 900, 3), np.uint8), mask, "a dot")], columns=1, side=64))
    assert (sheet == TRUTH).all(axis=2).sum() >= 8


def test_overlays_tint_the_mask_and_draw_its_rim():
    image, mask = np.full((20, 20, 3), 100, np.uint8), np.zeros((20, 20), bool)
    mask[8:12, 8:12] = True
    painted = overlay(image, mask)
    assert (painted[10, 10] == (156, 151, 86)).all()
    assert (painted[7, 10] == TRUTH).all()
    assert (painted[2, 2] == 100).all()


def test_heat_goes_from_dark_to_bright_and_rows_are_labelled():
    ramp = heat(np.full((1, 9, 3), 128, np.uint8), np.linspace(0, 1, 9, dtype=np.float32)[None])
    brightness = ramp[0].astype(float) @ (0.299, 0.587, 0.114)
    assert (np.diff(brightness) > 0).all()
    sheet = row_sheet([("title", [("one", ramp), ("two", ramp)])], side=50)
    assert sheet.size == (2 * 62 + 12, 28 + 50 + 24 + 12)
