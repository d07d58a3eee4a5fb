import pytest

from rrsis_core.contract import NullProgress, OperationCanceled, overall, track


class Recorder:
    def __init__(self, stop_after=99):
        self.seen = []
        self.stop_after = stop_after

    def update(self, stage, done, total):
        self.seen.append((stage, done, total))

    def is_canceled(self):
        return len(self.seen) > self.stop_after


def test_track_reports_every_step():
    progress = Recorder()
    assert list(track("abc", progress, "infer")) == ["a", "b", "c"]
    assert progress.seen == [("infer", 0, 3), ("infer", 1, 3), ("infer", 2, 3), ("infer", 3, 3)]


def test_track_stops_between_items():
    done = []
    with pytest.raises(OperationCanceled):
        done.extend(track("abc", Recorder(stop_after=0), "infer"))
    assert done == []
    assert not NullProgress().is_canceled()


def test_overall_rises_from_zero_to_one():
    values = [overall(stage, done, 4) for stage in ("read", "infer", "write") for done in range(5)]
    assert values == sorted(values)
    assert values[0] == 0
    assert values[-1] == pytest.approx(1)
