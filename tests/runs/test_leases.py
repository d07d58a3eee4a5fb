"""rrsis_core.runs.leases: one holder at a time, and the dead hold nothing."""

import json
import os
import subprocess
import sys
import time

import pytest

from rrsis_core.runs.leases import Leases


@pytest.fixture
def leases(tmp_path):
    """Make the leases of a worker; what it inherits is on its list."""

    def make(seconds=60.0):
        inherited = []
        made = Leases(tmp_path, seconds, inherited.append)
        made.inherited = inherited
        return made

    return make


def forge(folder, **holder):
    me = {"host": os.uname().nodename, "pid": os.getpid(), "token": "another"}
    (folder / "u.lease").write_text(json.dumps(me | holder))


def test_one_at_a_time_and_free_after(leases, tmp_path):
    first, second = leases(), leases()
    with first.claim("u") as ours:
        assert ours
        forge(tmp_path, pid=os.getppid())  # a process that lives
        with second.claim("u") as theirs:
            assert not theirs
    assert (tmp_path / "u.lease").exists()  # it is not ours any more
    (tmp_path / "u.lease").unlink()
    with second.claim("u") as theirs:
        assert theirs
    assert not list(tmp_path.iterdir())


def test_the_dead_of_this_computer_hold_nothing(leases, tmp_path):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (ended.pid, os.getpid()):
        forge(tmp_path, pid=pid)
        worker = leases()
        with worker.claim("u") as ours:
            assert ours
        assert worker.inherited == ["u"]


def test_elsewhere_silence_is_death(leases, tmp_path):
    forge(tmp_path, host="elsewhere")
    worker, start = leases(0.4), time.monotonic()
    while True:
        with worker.claim("u") as ours:
            if ours:
                break
        time.sleep(0.05)
    assert time.monotonic() - start > 0.4
    assert worker.inherited == ["u"]


def test_who_lives_is_heard(leases, tmp_path):
    holder, other = leases(0.4), leases(0.4)
    with holder.claim("u") as ours:
        assert ours
        mine = json.loads((tmp_path / "u.lease").read_text())
        (tmp_path / "u.lease").write_text(json.dumps(mine | {"host": "elsewhere"}))
        for _ in range(20):
            with other.claim("u") as theirs:
                assert not theirs
            time.sleep(0.05)
