"""The client with a fake worker that dies, babbles, sleeps and disobeys: every job still ends exactly once."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from rrsis_core.contract import OperationCanceled, RrsisError, WorkerClient, WorkerError, client
from rrsis_core.contract.environment import clean_environment, worker_command

FAKE = Path(__file__).with_name("fake_worker.py")


@pytest.fixture
def start():
    clients = []

    def begin(mode="good", **how):
        made = WorkerClient([sys.executable, str(FAKE), mode])
        clients.append(made)
        made.start(**how)
        return made

    yield begin
    for made in clients:
        made.kill()


def ends(job, seconds=10.0):
    """Return all messages of a job until none comes for a moment after its end."""
    messages, deadline = [], time.monotonic() + seconds
    while time.monotonic() < deadline:
        message = job.next(0.2)
        if message is not None:
            messages.append(message)
        elif messages and messages[-1].is_terminal:
            return messages
    raise AssertionError(f"no end: {messages}")


def test_a_job_from_start_to_end(start):
    worker = start()
    assert worker.ready["version"] == "0.0.1" and worker.alive
    messages = ends(worker.submit("segment", {"a": 1}))
    assert [m.type for m in messages] == ["accepted", "progress", "progress", "progress", "result"]
    assert messages[-1].body == {"echo": {"a": 1}}
    assert worker.ask("parse", {"expression": "the blue roofs"}) == {"words": ["the", "blue", "roofs"]}
    assert worker.devices == ["cpu"]


def test_jobs_side_by_side_get_their_own_messages(start):
    worker = start()
    jobs = [worker.submit("segment", {"number": number, "pause": 0.01}) for number in range(20)]
    for number, job in enumerate(jobs):
        assert job.wait()["echo"]["number"] == number


def test_cancel(start):
    worker = start()
    job = worker.submit("segment", {"steps": 1000, "pause": 0.01})
    job.next(1)
    job.cancel()
    assert ends(job)[-1].type == "canceled"
    assert worker.alive
    stop = threading.Event()
    threading.Timer(0.3, stop.set).start()
    with pytest.raises(OperationCanceled):
        start().ask("segment", {"steps": 1000, "pause": 0.01}, stop=stop)


def test_garbage_on_the_pipe_costs_nothing(start):
    worker = start("garbage")
    messages = ends(worker.submit("segment"))
    assert [m.type for m in messages if m.is_terminal] == ["result"]
    assert "libfoo" in worker.stderr_tail()


def test_a_worker_that_dies_fails_its_jobs_once_each(start):
    worker = start("crash")
    jobs = [worker.submit("segment") for _ in range(3)]
    for job in jobs:
        *_, last = ends(job)
        assert last.type == "failed" and last.body["code"] == "worker.crashed"
        assert "exit code 3" in last.body["message"] and "about to die" in last.body["details"]
    assert not worker.alive
    with pytest.raises(RrsisError) as error:
        worker.ask("parse", {"expression": "x"})
    assert error.value.code == "worker.crashed"


def test_kill_minus_nine(start):
    worker = start()
    job = worker.submit("segment", {"steps": 1000, "pause": 0.05})
    job.next(1)
    os.kill(worker.pid, signal.SIGKILL)
    last = ends(job)[-1]
    assert (last.type, last.body["code"]) == ("failed", "worker.crashed")
    assert "killed" in last.body["message"]


def test_a_silent_worker_is_stopped(start):
    worker = start("mute")
    deadline = time.monotonic() + 5
    while worker.patience != client.SILENCE_SECONDS and time.monotonic() < deadline:
        time.sleep(0.01)
    worker.patience = 0.5
    last = ends(worker.submit("segment"))[-1]
    assert (last.type, last.body["code"]) == ("failed", "worker.silent")
    assert not worker.alive


def test_silence_before_torch_is_loaded_is_patience(start):
    worker = start("deaf")
    assert worker.patience == client.START_SECONDS


def test_a_cancel_that_nobody_obeys_ends_in_a_kill(start, monkeypatch):
    monkeypatch.setattr(client, "KILL_SECONDS", 0.5)
    worker = start("deaf")
    job = worker.submit("segment")
    job.next(1)
    job.cancel()
    messages = ends(job)
    assert messages[-1].body == {"kept": None, "killed": True}
    assert [m.type for m in messages if m.is_terminal] == ["canceled"]
    assert not worker.alive


def test_a_slow_start_is_waited_for(start):
    began = time.monotonic()
    assert start("slow").alive
    assert time.monotonic() - began >= 2.5


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (["/nowhere/python"], "worker.not_installed"),
        ([sys.executable, "-c", "raise SystemExit(\"No module named 'rrsis_core'\")"], "worker.not_installed"),
        ([sys.executable, str(FAKE), "stillborn"], "worker.start"),
        ([sys.executable, "-c", "print('hello')"], "worker.start"),
        ([sys.executable, str(FAKE), "old"], "worker.protocol"),
        ([sys.executable, str(FAKE), "new"], "worker.protocol"),
    ],
)
def test_starts_that_fail(command, code):
    worker = WorkerClient(command)
    with pytest.raises(WorkerError) as error:
        worker.start(timeout=20)
    assert error.value.code == code
    assert error.value.hint
    assert not worker.alive


def test_an_old_engine_is_told_the_command_that_updates_it():
    with pytest.raises(WorkerError) as error:
        WorkerClient([sys.executable, str(FAKE), "old"]).start()
    assert f"{sys.executable} -m pip install --upgrade rrsis-core" in error.value.hint


def test_a_start_that_takes_too_long_or_is_stopped():
    with pytest.raises(WorkerError) as error:
        WorkerClient([sys.executable, str(FAKE), "slow"]).start(timeout=0.3)
    assert error.value.code == "worker.start"
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(OperationCanceled):
        WorkerClient([sys.executable, str(FAKE), "slow"]).start(stop=stop)


@pytest.mark.parametrize("mode", ["good", "deaf"])
def test_close_leaves_no_process(start, mode):
    worker = start(mode)
    job = worker.submit("segment", {"steps": 1000, "pause": 0.01})
    job.next(1)
    worker.close(timeout=0.5)
    assert not worker.alive
    assert ends(job)[-1].body["code"] == "worker.closed"
    worker.close()


def test_a_child_inherits_nothing_of_its_host(tmp_path):
    inside = tmp_path / "certificates.pem"
    inside.write_text("")
    host = {
        "PATH": "/bin", "LD_LIBRARY_PATH": "/usr/lib/grass82/lib", "PYTHONPATH": "/q", "PROJ_LIB": "/q/proj",
        "GDAL_DATA": "/q", "DYLD_LIBRARY_PATH": "/q", "HTTPS_PROXY": "http://proxy:1", "GISBASE": "/usr/lib/grass82",
        "SSL_CERT_FILE": str(inside), "CURL_CA_BUNDLE": "/nowhere.pem", "HOME": "/root",
    }  # fmt: skip
    child = clean_environment(host, [str(tmp_path)])
    assert set(child) - {"PYTHONNOUSERSITE", "PYTHONIOENCODING", "HF_HUB_OFFLINE"} == {"PATH", "HTTPS_PROXY", "HOME"}
    assert clean_environment(host)["SSL_CERT_FILE"] == str(inside)


def test_the_worker_is_started_apart_from_everything():
    assert worker_command("/x/python") == ["/x/python", "-I", "-X", "utf8", "-u", "-m", "rrsis_core.worker"]
