"""Setting up an engine, broken at each step: what was there stays, and the error says which step it was."""

import json
import os
import sys
import threading
import time
from pathlib import Path

import pytest

from qgis_plugin import install
from rrsis_core.contract import OperationCanceled, RrsisError, clean_environment

UV = """#!{python}
import os, pathlib, sys, time
mode = "{mode}"
if sys.argv[1] == "venv":
    if mode == "no python":
        sys.exit("error: No interpreter found for Python >=3.11,<3.14")
    folder = pathlib.Path(sys.argv[-1], "bin")
    folder.mkdir(parents=True)
    folder.joinpath("python").symlink_to("{python}")
    folder.parent.joinpath("pyvenv.cfg").write_text("home = {home}\\n")
elif mode == "slow":
    time.sleep(60)
elif mode == "no network":
    sys.exit("error: Failed to fetch: `https://pypi.org/simple/torch/` Caused by: dns error")
elif mode == "no disk":
    sys.exit("error: failed to write: No space left on device (os error 28)")
elif mode == "changed" and "--require-hashes" in sys.argv:
    sys.exit("error: Failed to download `affine==3.0.1` cause: Hash mismatch for `affine==3.0.1`")
elif mode == "no package":
    sys.exit("error: no version of rrsis-core==9.9.9")
"""


@pytest.fixture
def before(tmp_path):
    """A home with an engine in use."""
    home = tmp_path / "home"
    (home / "engines" / "old").mkdir(parents=True)
    (home / "current.json").write_text('{"python": "/old/python"}')
    return home


@pytest.fixture
def setup(before, tmp_path):
    def make(mode="good", **more):
        uv = before / "bin" / "uv"
        uv.parent.mkdir(exist_ok=True)
        uv.write_text(UV.format(python=sys.executable, mode=mode, home=Path(sys.base_prefix) / "bin"))
        uv.chmod(0o755)
        (tmp_path / "lock").write_text("torch==1\n")
        values = {
            "home": before, "lock": tmp_path / "lock", "version": "0.1.0", "fetch": lambda address: b"",
            "environment": clean_environment(os.environ), **more,
        }  # fmt: skip
        return install.Setup(**values)

    return make


def unchanged(home):
    assert json.loads((home / "current.json").read_text())["python"] == "/old/python"
    assert [path.name for path in (home / "engines").iterdir()] == ["old"]
    assert not (home / "setup.lock").exists()


@pytest.mark.parametrize(
    ("mode", "code"),
    [
        ("no python", "setup.python"),
        ("no network", "setup.network"),
        ("no disk", "setup.disk"),
        ("changed", "setup.damaged"),
        ("no package", "setup.packages"),
        ("good", "setup.test"),  # an environment without rrsis-core, so the self-test finds nothing to start
    ],
)
def test_a_step_that_fails_changes_nothing(setup, before, mode, code):
    with pytest.raises(RrsisError) as error:
        install.set_up(setup(mode))
    assert error.value.code == code and error.value.hint
    unchanged(before)


def test_a_cancel_ends_uv_and_changes_nothing(setup, before):
    stop = threading.Event()
    threading.Timer(1.0, stop.set).start()
    began = time.monotonic()
    with pytest.raises(OperationCanceled):
        install.set_up(setup("slow", stopped=stop.is_set))
    assert time.monotonic() - began < 20
    unchanged(before)


def test_a_cancel_ends_the_self_test(tmp_path):
    slow = [sys.executable, "-c", "import time; time.sleep(60)"]
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    wanted = install.Setup(tmp_path, tmp_path, "0", clean_environment(os.environ), bytes, stopped=stop.is_set)
    began = time.monotonic()
    with pytest.MonkeyPatch.context() as patch, pytest.raises(OperationCanceled):
        patch.setattr(install, "worker_command", lambda python: slow)
        install.self_test(sys.executable, wanted)
    assert time.monotonic() - began < 20


def test_too_little_disk_is_seen_before_anything_is_fetched(setup, before, monkeypatch):
    monkeypatch.setattr(install, "NEEDED_BYTES", 10**18)
    with pytest.raises(RrsisError) as error:
        install.set_up(setup())
    assert error.value.code == "setup.disk"
    unchanged(before)


def test_a_folder_that_cannot_be(setup, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RrsisError) as error:
        install.set_up(setup(home=tmp_path / "file" / "home"))
    assert error.value.code == "setup.folder"


def test_two_at_once_and_a_mark_of_the_dead(setup, before):
    (before / "setup.lock").write_text(str(os.getpid()))
    with pytest.raises(RrsisError) as error:
        install.set_up(setup())
    assert error.value.code == "setup.busy"
    (before / "setup.lock").write_text("999999999")
    with pytest.raises(RrsisError) as error:
        install.set_up(setup())
    assert error.value.code == "setup.test"
    unchanged(before)


@pytest.mark.parametrize(
    ("page", "wheel", "code"),
    [(b"", b"", "setup.uv"), (b'<a href="https://x/uv-{version}-py3-none-{ending}#sha256=0">', b"junk", "setup.uv")],
)
def test_uv_that_is_not_listed_or_arrives_damaged(setup, before, monkeypatch, page, wheel, code):
    monkeypatch.setattr(install.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(install.sys, "platform", "linux")
    ending = install.UV_WHEELS["linux", "x86_64"][0].encode()
    page = page.replace(b"{version}", install.UV_VERSION.encode()).replace(b"{ending}", ending)
    made = setup(fetch=lambda address: page if address == install.UV_INDEX else wheel)
    (before / "bin" / "uv").unlink()
    with pytest.raises(RrsisError) as error:
        install.set_up(made)
    assert error.value.code == code
    unchanged(before)
    assert not (before / "bin" / "uv").exists()


def test_the_switch_is_made_at_the_end(setup, before, monkeypatch):
    monkeypatch.setattr(install, "self_test", lambda python, setup: {"seconds_a_tile": 1.5, "version": "0.1.0"})
    said = []
    assert install.set_up(setup(say=said.append))["seconds_a_tile"] == 1.5
    current = json.loads((before / "current.json").read_text())
    assert Path(current["python"]).exists() and "old" not in current["python"]
    assert len(list((before / "engines").iterdir())) == 1
    assert [word for word in said if not word.startswith("bytes")] == ["python", "packages", "test"]
    install.uninstall(before)
    assert not (before / "current.json").exists() and not (before / "engines").exists()


def test_the_look_before(tmp_path):
    seen = install.preflight(tmp_path / "not" / "yet")
    assert seen["disk_gb"] > 0 and seen["cores"] >= 1 and seen["writable"]
