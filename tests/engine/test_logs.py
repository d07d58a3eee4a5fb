"""What a run leaves for people: JSON lines, TensorBoard's file, and curves."""

import json
import struct

import numpy as np
import pytest
from PIL import Image

from rrsis_core.engine.curves import COLORS, draw_comparison, draw_curves, smoothed, ticks
from rrsis_core.engine.logbook import Logbook, read_log
from rrsis_core.engine.tensorboard import checksum, record


def test_the_checksum_is_crc32c():
    assert checksum(b"123456789") == 0xE3069283  # the check value of every catalogue of checksums
    assert checksum(bytes(32)) == 0x8A9136AA  # RFC 3720, B.4


def unframed(data):
    """Yield the records of an event file, their checksums checked by framing them again."""
    while data:
        (length,) = struct.unpack("<Q", data[:8])
        body = data[12 : 12 + length]
        assert record(body) == data[: 16 + length]
        yield body
        data = data[16 + length :]


def fields(message):
    """Yield number and value of the fields of a protocol-buffer message."""
    at = 0
    while at < len(message):
        key, at = varint(message, at)
        if key & 7 == 0:
            value, at = varint(message, at)
        elif key & 7 == 2:
            length, at = varint(message, at)
            value, at = message[at : at + length], at + length
        else:
            form, size = {1: ("<d", 8), 5: ("<f", 4)}[key & 7]
            (value,), at = struct.unpack(form, message[at : at + size]), at + size
        yield key >> 3, value


def varint(data, at):
    value = shift = 0
    while True:
        value |= (data[at] & 127) << shift
        shift, at = shift + 7, at + 1
        if not data[at - 1] & 128:
            return value, at


def scalars(path):
    """Return (step, tag, value) of everything in an event file."""
    found = []
    for body in list(unframed(path.read_bytes()))[1:]:
        event = dict(fields(body))
        for _, entry in fields(event[5]):
            value = dict(fields(entry))
            found.append((event[2], value[1].decode(), pytest.approx(value[2])))
    return found


def test_a_logbook_writes_lines_and_events(tmp_path):
    log = Logbook(tmp_path, 0, 0)
    log.write(1, {"loss": 0.5, "lr": 1e-3})
    log.write(300, {"val_mIoU": 0.25, "epoch": 1})
    assert [line["iteration"] for line in read_log(log.path)] == [1, 300]
    [events] = (tmp_path / "tensorboard").iterdir()
    assert scalars(events) == [(1, "train/loss", 0.5), (1, "train/lr", 1e-3), (300, "val/mIoU", 0.25)]


def test_lines_that_a_killed_run_wrote_too_much_are_dropped(tmp_path):
    log = Logbook(tmp_path, 0, 0)
    for iteration in (1, 2, 3):
        log.write(iteration, {"loss": iteration / 10})
    log.write(3, {"val_mIoU": 0.1, "epoch": 1})
    with log.path.open("a") as file:
        file.write('{"iteration": 4, "lo')
    again = Logbook(tmp_path, 3, 0)  # the state was saved before the epoch was scored
    assert [line.get("loss") for line in read_log(again.path)] == [0.1, 0.2, 0.3]
    [events] = (tmp_path / "tensorboard").iterdir()
    assert [step for step, _, _ in scalars(events)] == [1, 2, 3]


def test_curves_show_the_loss_and_both_scores(tmp_path):
    lines = [{"iteration": i, "loss": 1 / i} for i in range(1, 200)]
    lines += [{"iteration": i, "val_mIoU": i / 400, "val_oIoU": i / 300} for i in (50, 100, 199)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, lines)))
    draw_curves(tmp_path / "log.jsonl", tmp_path / "curves.png")
    with Image.open(tmp_path / "curves.png") as picture:
        pixels = np.asarray(picture)
    left, right = np.split(pixels, 2, axis=1)
    for half, color in ((left, COLORS[0]), (right, COLORS[0]), (right, COLORS[1])):
        assert (half == color).all(axis=2).any()


def test_runs_are_compared_in_one_picture(tmp_path):
    logs = {}
    for number, name in enumerate(("crobim", "btdnet", "lavt")):
        lines = [{"iteration": i, "loss": 1 - i / 500 + number} for i in range(1, 100)]
        lines += [{"iteration": i, "val_mIoU": i / 400 + number / 5} for i in (50, 99)]
        logs[name] = tmp_path / f"{name}.jsonl"
        logs[name].write_text("\n".join(map(json.dumps, lines)))
    draw_comparison(logs, tmp_path / "both.png")
    with Image.open(tmp_path / "both.png") as picture:
        halves = np.split(np.asarray(picture), 2, axis=1)
    assert all((half == color).all(axis=2).any() for half in halves for color in COLORS)


def test_curves_of_a_run_that_has_just_begun(tmp_path):
    draw_curves(tmp_path / "log.jsonl", tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 0


def test_smoothing_keeps_the_mean_and_ticks_are_round():
    across, up = smoothed([(i, float(i % 2)) for i in range(1000)])
    assert len(up) == 100 and set(up) == {0.5} and across[0] == 4.5
    assert ticks(0, 1) == pytest.approx([0, 0.2, 0.4, 0.6, 0.8, 1.0])
    assert ticks(0, 13000) == [0, 5000, 10000]
