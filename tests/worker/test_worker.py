"""The real worker process: same answers as the library, and good manners when stopped, killed or fed garbage."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas
import pytest
import shapely

from rrsis_core import __version__
from rrsis_core.contract import RrsisError, SegmentOptions, worker_command
from rrsis_core.contract.protocol import Message, encode
from rrsis_core.inference import load_predictor, segment_raster

PHRASES = ["the blue roofs", "the river"]


def gone(pid, seconds):
    """Tell whether a process is gone, or a zombie, within some time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z":
                return True
        except FileNotFoundError:
            return True
        time.sleep(0.02)
    return False


def geometries(path):
    frame = geopandas.read_file(path)
    return sorted(zip(frame.phrase, shapely.to_wkb(shapely.normalize(frame.geometry.values)), strict=True))


@pytest.fixture
def options(scene, tiny_weights, tmp_path):
    def make(**more):
        return {"raster": scene, "expressions": PHRASES, "weights": tiny_weights, "threads": 1,
                "output": str(tmp_path / "out.gpkg"), "overwrite": True, **more}  # fmt: skip

    return make


def test_a_worker_says_who_it_is(worker):
    assert worker.ready["version"] == __version__
    assert worker.ready["pid"] == worker.pid


def test_its_polygons_are_those_of_the_library(steady, options, tmp_path, tiny_weights):
    seen = []
    told = steady.submit("segment", {"options": options()}).wait(seen.append)
    here = SegmentOptions.from_dict(options(output=str(tmp_path / "here.gpkg")))
    result = segment_raster(here, load_predictor(tiny_weights))
    assert geometries(tmp_path / "out.gpkg") == geometries(tmp_path / "here.gpkg")
    assert len(geometries(tmp_path / "out.gpkg")) > 20
    assert [item["polygons"] for item in told["found"]] == [item.polygons for item in result.found]
    assert {message.type for message in seen} == {"accepted", "progress"}
    steps = [message.body for message in seen if message.type == "progress"]
    assert [step["overall"] for step in steps] == sorted(step["overall"] for step in steps)
    assert any(step["eta_s"] is not None for step in steps) and steps[-1]["overall"] == 1.0


def test_pieces_come_while_tiles_are_done(steady, options, tmp_path):
    seen = []
    folder = tmp_path / "pieces"
    folder.mkdir()
    steady.submit("segment", {"options": options(), "partials": str(folder)}).wait(seen.append)
    pieces = [json.loads(Path(m.body["path"]).read_text()) for m in seen if m.type == "partial"]
    assert pieces
    index, outlines, scores = zip(*(piece for file in pieces for piece in file), strict=True)
    assert set(index) == {0, 1} and min(scores) >= 0.5 and max(scores) <= 1
    final = shapely.STRtree(geopandas.read_file(tmp_path / "out.gpkg").geometry.values)
    near, _ = final.query(shapely.from_wkb(outlines), "dwithin", 5)
    assert set(near) == set(range(len(outlines)))


def test_quick_questions_are_answered_before_torch_and_during_a_job(worker, options):
    plan = worker.ask("plan", {"options": options()})
    assert (plan["tiles"], plan["gsd"], plan["tile"]) == (130, 0.5, 64)
    assert not worker.devices, "torch was there already: nothing is proven"
    job = worker.submit("segment", {"options": options(overlap=0.5)})
    while (message := job.next(1)) is None or message.type != "progress":
        pass
    assert worker.ask("plan", {"options": options()})["tiles"] == 130
    assert worker.ask("parse", {"expression": "the florble roofs"})["unknown"] == ["florble"]
    understood = worker.ask("parse", {"expression": "the largest blue roof near the river"})
    assert understood["query"]["target"] == "roof" and understood["query"]["superlative"] == "largest"
    slots = [chip["slot"] for chip in understood["chips"]]
    assert slots == ["target", "attribute", "number", "superlative", "relation"]
    assert worker.ask("weights", {"weights": options()["weights"]})["card"]["name"] == "tiny"
    assert job.wait()["tiles"] > 130
    assert worker.devices[-1] == "cpu"


def test_polygons_made_anew(steady, options, tmp_path):
    stored, anew = str(tmp_path / "p.tif"), str(tmp_path / "anew.gpkg")
    steady.ask("segment", {"options": options(probability=stored, threshold=0.8)})
    again = {"probability": stored, "options": options(output=anew, threshold=0.8)}
    assert steady.ask("revectorise", again)["found"]
    assert geometries(tmp_path / "out.gpkg") == geometries(anew)


def test_the_speed_is_measured(steady, tiny_weights):
    told = steady.ask("measure", {"weights": tiny_weights})
    assert (told["device"], told["tile"]) == ("cpu", 64) and told["seconds_a_tile"] > 0


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        ("segment", {}, "config.options"),
        ("segment", {"options": {"raster": "/none.tif", "expressions": ["the roofs"], "output": "/tmp/o.gpkg"}}, None),
        ("segment", {"options": {"raster": "/none.tif", "expressions": []}}, "config.expressions"),
        ("segment", {"options": {"raster": "/none.tif", "expressions": ["a"], "zoom": 1}}, "config.zoom"),
        ("parse", {"expression": ""}, "expression.empty"),
        ("parse", {"expression": "florble gnarx"}, "expression.unknown"),
        ("parse", {}, "config.expression"),
        ("weights", {"weights": "/none.safetensors"}, "weights.not_found"),
        ("revectorise", {"probability": "/none.tif", "options": {"raster": "-", "expressions": ["a"]}},
         "raster.not_found"),
        ("dance", {}, "protocol.unknown_type"),
    ],
)  # fmt: skip
def test_errors_cross_the_wire_and_the_worker_lives(steady, kind, body, code, tiny_weights):
    with pytest.raises(RrsisError) as error:
        steady.ask(kind, body)
    assert error.value.code == (code or "weights.not_found") or error.value.code == "raster.not_found"
    assert error.value.hint
    assert steady.ask("weights", {"weights": tiny_weights})["names"] is not None
    assert steady.alive


def test_notes_for_the_user_arrive(steady, options):
    seen = []
    asked = options(expressions=["the florble roofs", "the largest roof"], reference="tile")
    steady.submit("segment", {"options": asked}).wait(seen.append)
    texts = [message.body["text"] for message in seen if message.type == "log"]
    assert any("florble" in text for text in texts) and any("tile by tile" in text for text in texts)


def test_cancel_keeps_nothing_or_what_was_found(steady, options, tmp_path):
    job = steady.submit("segment", {"options": options(overlap=0.5, batch_size=1)})
    while (message := job.next(1)) is None or message.body.get("done", 0) < 5:
        pass
    began = time.monotonic()
    job.cancel(keep=True)
    told = []
    while not told or not told[-1].is_terminal:
        if (message := job.next(1)) is not None:
            told.append(message)
    kinds = [message.type for message in told]
    assert "stopping" in kinds and kinds[-1] == "canceled"
    assert time.monotonic() - began < 5
    kept = told[-1].body["kept"]
    assert 5 <= kept["stopped_after"] < kept["tiles"]
    assert len(geometries(tmp_path / "out.gpkg")) == sum(item["polygons"] for item in kept["found"])
    before = (tmp_path / "out.gpkg").stat().st_mtime
    job = steady.submit("segment", {"options": options(overlap=0.5)})
    while (message := job.next(1)) is None or message.body.get("done", 0) < 5:
        pass
    job.cancel()
    while (message := job.next(1)) is None or not message.is_terminal:
        pass
    assert (message.type, message.body["kept"]) == ("canceled", None)
    assert (tmp_path / "out.gpkg").stat().st_mtime == before
    assert steady.alive


def test_a_second_job_waits_and_can_be_canceled_there(steady, options, tmp_path):
    first = steady.submit("segment", {"options": options(overlap=0.5)})
    second = steady.submit("segment", {"options": options(output=str(tmp_path / "second.gpkg"))})
    third = steady.submit("segment", {"options": options(output=str(tmp_path / "third.gpkg"))})
    assert second.next(5).body["ahead"] >= 1  # what an earlier test canceled may still be on its way out
    second.cancel()
    assert [second.next(5).type for _ in range(2)] == ["stopping", "canceled"]
    assert first.wait()["tiles"] and third.wait()["tiles"]
    assert not (tmp_path / "second.gpkg").exists() and (tmp_path / "third.gpkg").exists()


def test_kill_minus_nine_of_the_worker_leaves_no_half_file(worker, options, tmp_path):
    job = worker.submit("segment", {"options": options(overlap=0.5)})
    while (message := job.next(1)) is None or message.body.get("done", 0) < 5:
        pass
    os.kill(worker.pid, signal.SIGKILL)
    with pytest.raises(RrsisError) as error:
        job.wait()
    assert error.value.code == "worker.crashed"
    assert not (tmp_path / "out.gpkg").exists()


HOST = """
import sys, time
from rrsis_core.contract import WorkerClient, worker_command
client = WorkerClient(worker_command(sys.executable))
client.start()
job = client.submit("segment", {"options": %r})
while (message := job.next(1)) is None or message.body.get("done", 0) < 3:
    pass
print(client.pid, flush=True)
time.sleep(600)
"""


def test_kill_minus_nine_of_the_host_ends_a_busy_worker(options, tmp_path):
    host = subprocess.Popen(
        [sys.executable, "-c", HOST % options(overlap=0.5)], stdout=subprocess.PIPE, start_new_session=True
    )
    pid = int(host.stdout.readline())
    assert not gone(pid, 0.1)
    host.kill()
    host.wait()
    host.stdout.close()
    assert gone(pid, 5)


def test_an_idle_worker_ends_with_its_pipe(worker):
    worker.ask("parse", {"expression": "the roofs"})
    worker.close(timeout=10)
    assert worker._process.returncode == 0


def test_garbage_on_its_input_is_answered_and_survived(steady):
    for line in (
        b"\n",
        b"\xff\xfe\x00\n",
        b"[" * 50_000 + b"\n",
        b'{"v": 1}\n',
        b'{"v":1,"type":"cancel","job":"x"}\n',
    ):
        steady._process.stdin.write(line + b"\n")
    steady._process.stdin.flush()
    assert steady.ask("parse", {"expression": "the roofs"})["words"] == ["the", "roofs"]


def test_prints_cannot_spoil_the_stream():
    code = """
import os, sys, runpy
import rrsis_core.services as services
def noisy(request):
    print("python says hello"); os.system("echo the shell too"); os.write(1, b"and C\\n")
    return {"read": sys.stdin.read() if sys.stdin else "", "fd": os.read(0, 10).decode()}
services.ANSWERS["parse"] = noisy
import rrsis_core.worker as worker
worker.main()
"""
    lines = encode(Message("hello")) + encode(Message("parse", {}, "a"))
    process = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    process.stdin.write(lines)
    process.stdin.flush()
    said = [json.loads(process.stdout.readline()) for _ in range(2)]
    while not any(message["job"] == "a" for message in said):
        said.append(json.loads(process.stdout.readline()))
    rest, errors = process.communicate(timeout=60)
    assert [m["body"] for m in said if m["job"] == "a"] == [{"read": "", "fd": ""}]
    assert all(json.loads(line) for line in rest.splitlines())
    for text in (b"python says hello", b"the shell too", b"and C"):
        assert text in errors


def test_it_starts_from_any_folder_without_this_checkouts_path(tmp_path):
    command = worker_command(sys.executable)
    run = subprocess.run(command, input=encode(Message("hello")), capture_output=True, cwd=tmp_path, timeout=120)
    assert json.loads(run.stdout.splitlines()[0])["type"] == "ready"


def test_a_hundred_jobs_do_not_grow(steady, options):
    def memory():
        return int(Path(f"/proc/{steady.pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    small = options(bbox=(500000, 3059950, 500050, 3060000))
    for number in range(100):
        assert steady.ask("segment", {"options": small})["tiles"] == 4
        if number == 29:
            early = memory()
    assert memory() - early < 15
    assert not steady._jobs
