"""Setting up an engine: a Python environment of its own, built beside the one in use and switched to when it works.

    <home>/engines/<name>/   environments, never changed once they work
    <home>/current.json      which of them is in use; replaced as a whole
    <home>/uv-cache/         what was fetched, so that a second try goes on from there; emptied at the end

uv does the work; it comes from the package index as a wheel, checked against the sums below. Nothing here knows Qt.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import urljoin

from .contract import START_FLAGS, OperationCanceled, RrsisError, WorkerClient, worker_command

NEEDED_BYTES = 3 * 10**9  # packages and their cache, without CUDA
NEEDED_BYTES_CUDA = 12 * 10**9
PYTHONS = ">=3.11,<3.14"
TORCH = ("torch==2.13.0", "torchvision==0.28.0")  # each kind of device has its own files, so no sums in the lock
UV_VERSION = "0.13.9"
UV_INDEX = "https://pypi.org/simple/uv/"
UV_WHEELS = {  # system, machine -> end of the wheel's name, its sha256
    ("linux", "x86_64"): (
        "manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
        "d7f459fe4fd247d830351c75686d3996ace3c6f3f728eb0e85a30b7ada0cef19",  # pragma: allowlist secret
    ),
    ("linux", "arm64"): (
        "manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64.whl",
        "5435c5ce14a56431208ca0996416d310f1598e8c2c8ba707688985a16bb82dbe",  # pragma: allowlist secret
    ),
    ("win32", "x86_64"): (
        "win_amd64.whl",
        "6a44b2ed8111d2f60d2b92627c5dccda3f7ed7570b18ce115e569cd68c28246b",  # pragma: allowlist secret
    ),
    ("darwin", "arm64"): (
        "macosx_11_0_arm64.whl",
        "66c512266d633bef48384a1f53003f41f2a8e7b36fe6e7fbfd3e0fd52d96fa63",  # pragma: allowlist secret
    ),
}


@dataclass
class Setup:
    """What to set up, where, from what, and who is told."""

    home: Path
    lock: Path
    """Exact versions and sums of all that the engine needs beside torch."""
    version: str
    """Version of rrsis-core."""
    environment: dict[str, str]
    fetch: Callable[[str], bytes]
    """Gets an address, through the proxy of QGIS."""
    wheels: str = ""
    """Folder with wheels, looked at before the index."""
    offline: bool = False
    """Use the folder alone."""
    cuda: bool = False
    weights: str | None = None
    """Weights of the self-test; None for the packaged ones."""
    say: Callable[[str], None] = lambda text: None
    stopped: Callable[[], bool] = lambda: False
    output: list[str] = field(default_factory=list)
    """What uv said."""


def set_up(setup: Setup) -> dict[str, Any]:
    """Build an engine, try it, switch to it; return what the self-test measured. On any failure nothing has changed.

    Raises RrsisError setup.*, and OperationCanceled.
    """
    home = setup.home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _fault("folder", f"The folder {home} cannot be made: {error.strerror}.", "Choose another.") from error
    mark = _lock(home)
    folder = home / "engines" / f"{setup.version}-{time.strftime('%Y%m%d%H%M%S')}-{os.getpid()}"
    try:
        _check_disk(setup)
        uv = _get_uv(setup)
        setup.say("python")
        _uv(setup, uv, "venv", "--no-project", "--python", PYTHONS, str(folder))
        python = python_of(folder)
        setup.say("packages")
        source = [*(["--find-links", setup.wheels] if setup.wheels else []), *(["--no-index"] if setup.offline else [])]
        backend = [] if setup.wheels else ["--torch-backend", "auto" if setup.cuda else "cpu"]
        common = ["pip", "install", "--python", python, *source]
        common += ["--only-binary", ":all:"]
        _uv(setup, uv, *common, "--no-deps", "--require-hashes", "-r", str(setup.lock))
        _uv(setup, uv, *common, *backend, *TORCH)
        _uv(setup, uv, *common, "--no-deps", f"rrsis-core=={setup.version}")
        setup.say("test")
        measured = self_test(python, setup)
        _switch(home, {"python": python, "version": setup.version, **measured})
        _tidy(home, folder)
        return measured
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    finally:
        mark.unlink(missing_ok=True)


def self_test(python: str, setup: Setup) -> dict[str, Any]:
    """Start the engine of an interpreter and measure it; without weights only the start is tried."""
    client = WorkerClient(worker_command(python), setup.environment, str(setup.home), client="setup")
    stop: Any = SimpleNamespace(is_set=setup.stopped)  # what the client asks of an event
    try:
        ready = client.start(stop=stop)
        names = client.ask("weights", stop=stop)["names"]
        if not names and not setup.weights:
            return {"version": ready["version"], "seconds_a_tile": None}
        measured = client.ask("measure", {"weights": setup.weights}, stop=stop)
        return {"version": ready["version"], **measured}
    except RrsisError as error:
        raise _fault("test", f"The new engine does not work: {error.message}", error.hint, error.details) from error
    finally:
        client.close()


def uninstall(home: Path) -> None:
    """Take away all engines and what was fetched for them. Runs and weights stay."""
    (home / "current.json").unlink(missing_ok=True)
    for name in ("engines", "uv-cache", "bin"):
        shutil.rmtree(home / name, ignore_errors=True)


def python_of(folder: Path) -> str:
    """Return the interpreter of an environment."""
    return str(folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python"))


def gpu() -> str:
    """Return the name of the NVIDIA GPU and its driver, or ""."""
    program = shutil.which("nvidia-smi")
    if not program:
        return ""
    try:
        told = subprocess.run(  # a list, no shell  # nosec B603
            [program, "--query-gpu=name,driver_version,memory.total", "--format=csv,noheader"],
            capture_output=True,
            text=True,
            timeout=10,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return told.stdout.splitlines()[0].strip() if told.returncode == 0 and told.stdout.strip() else ""


def preflight(home: Path) -> dict[str, Any]:
    """Return what matters before anything is fetched: GPU, cores, memory and free disk in GB."""
    place = next((p for p in (home, *home.parents) if p.exists()), Path(home.anchor))
    memory = None
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        memory = round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    return {
        "gpu": gpu(),
        "cores": os.cpu_count() or 1,
        "memory_gb": memory,
        "disk_gb": round(shutil.disk_usage(place).free / 1e9, 1),
        "writable": os.access(place, os.W_OK),
    }


def bytes_in(folder: Path) -> int:
    """Return how much a folder holds: what was fetched and unpacked so far."""
    total = 0
    for path, _, files in os.walk(folder):
        for name in files:
            try:
                total += os.lstat(os.path.join(path, name)).st_size
            except OSError:
                continue  # it was moved a moment ago
    return total


def _check_disk(setup: Setup) -> None:
    free, needed = shutil.disk_usage(setup.home).free, NEEDED_BYTES_CUDA if setup.cuda else NEEDED_BYTES
    if free < needed:
        raise _fault(
            "disk",
            f"{setup.home} has {free / 1e9:.1f} GB free, {needed / 1e9:.0f} GB are needed.",
            "Free some space, or choose another folder.",
        )


def _lock(home: Path) -> Path:
    """Keep a second QGIS from setting up in the same folder at the same time."""
    mark = home / "setup.lock"
    for _ in range(2):
        try:
            handle = os.open(mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY)
        except FileExistsError:
            if time.time() - mark.stat().st_mtime < 3600 and _runs(mark):
                break
            mark.unlink(missing_ok=True)
            continue
        except OSError as error:
            raise _fault("folder", f"{home} cannot be written: {error.strerror}.", "Choose another folder.") from error
        os.write(handle, str(os.getpid()).encode())
        os.close(handle)
        return mark
    raise _fault("busy", "The engine is being set up by another window.", f"Wait for it, or remove {mark}.")


def _runs(mark: Path) -> bool:
    try:
        pid = int(mark.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return False
    if pid == os.getpid() or os.name == "nt":
        return True  # on Windows a signal 0 would end the process
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _get_uv(setup: Setup) -> str:
    """Return a uv: ours, that of the folder of wheels, or the one of the package index."""
    target = setup.home / "bin" / ("uv.exe" if os.name == "nt" else "uv")
    if target.is_file():
        return str(target)
    machine = platform.machine().lower().replace("amd64", "x86_64").replace("aarch64", "arm64")
    if (sys.platform, machine) not in UV_WHEELS:
        raise _fault("uv", f"There is no uv for {sys.platform} on {machine}.", "Use a Python that has rrsis-core.")
    ending, digest = UV_WHEELS[sys.platform, machine]
    setup.say("uv")
    near = sorted(Path(setup.wheels).glob(f"uv-{UV_VERSION}-*{ending}")) if setup.wheels else []
    if near:
        data = near[0].read_bytes()
    elif setup.offline:
        raise _fault("uv", f"{setup.wheels} holds no uv-{UV_VERSION}-*{ending}.", "Put it there.")
    else:
        name = f"uv-{UV_VERSION}-py3-none-{ending}"
        link = re.search(f'href="([^"#]*{re.escape(name)})', setup.fetch(UV_INDEX).decode("utf-8", "replace"))
        if link is None:
            raise _fault("uv", f"The package index does not list {name}.", "Try again later.")
        data = setup.fetch(urljoin(UV_INDEX, link[1]))
    if hashlib.sha256(data).hexdigest() != digest:
        raise _fault("uv", f"uv {UV_VERSION} arrived damaged.", "Try again; a proxy may have changed it.")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(BytesIO(data)) as wheel:
        name = next(name for name in wheel.namelist() if name.endswith(f"/scripts/{target.name}"))
        beside = target.with_suffix(".tmp")
        beside.write_bytes(wheel.read(name))
    beside.chmod(0o700)
    os.replace(beside, target)
    return str(target)


def _uv(setup: Setup, uv: str, *arguments: str) -> None:
    """Run uv, telling every second how much there is; a stop ends it at once."""
    environment = {
        **setup.environment,
        "UV_CACHE_DIR": str(setup.home / "uv-cache"),
        "UV_PYTHON_INSTALL_DIR": str(setup.home / "python"),
        "UV_NO_CONFIG": "1",
        "UV_SYSTEM_CERTS": "1",
        **({"UV_OFFLINE": "1"} if setup.offline else {}),
    }
    log = setup.home / "setup.log"
    with open(log, "wb") as file:
        process = subprocess.Popen(  # a list, no shell  # nosec B603
            [uv, *arguments], stdout=file, stderr=subprocess.STDOUT, env=environment, cwd=setup.home, **START_FLAGS
        )
        while process.poll() is None:
            if setup.stopped():
                _kill(process)
                raise OperationCanceled
            setup.say(f"bytes {bytes_in(setup.home / 'uv-cache')}")
            try:
                process.wait(1.0)
            except subprocess.TimeoutExpired:
                continue
    told = log.read_text(encoding="utf-8", errors="replace")
    setup.output.append(told)
    if process.returncode:
        raise _blame(told)


def _kill(process: subprocess.Popen[bytes]) -> None:
    if os.name == "nt":
        process.kill()
    else:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def _blame(told: str) -> RrsisError:
    """Return the error that what uv said stands for."""
    low = told.lower()
    if "no space left" in low or "disk full" in low:
        return _fault("disk", "The disk is full.", "Free some space, or choose another folder.", told)
    if "hash mismatch" in low:
        what = "A package is not the one that this version of the plugin was made with."
        return _fault("damaged", what, "Try again; a proxy or the folder may hold another file.", told)
    signs = (
        "dns error",
        "error sending request",
        "connection refused",
        "timed out",
        "failed to fetch",
        "tunnel",
        "407",
    )
    if any(sign in low for sign in signs):
        return _fault("network", "The package index cannot be reached.", "Check network and proxy.", told)
    if "no interpreter found" in low or "no python" in low:
        return _fault("python", "No Python from 3.11 to 3.13 was found or fetched.", "Install one.", told)
    last = [line.strip() for line in told.splitlines() if line.strip()][-3:]
    return _fault("packages", f"The packages cannot be installed: {' '.join(last)}", "Try again.", told)


def _switch(home: Path, current: dict[str, Any]) -> None:
    """Use another engine from now on, all at once."""
    beside = home / "current.tmp"
    beside.write_text(json.dumps(current, indent=1), encoding="utf-8")
    os.replace(beside, home / "current.json")


def _tidy(home: Path, used: Path) -> None:
    """Take away engines before this one, and the cache."""
    for folder in (home / "engines").iterdir():
        if folder != used:
            shutil.rmtree(folder, ignore_errors=True)
    shutil.rmtree(home / "uv-cache", ignore_errors=True)


def _fault(code: str, message: str, hint: str, details: str = "") -> RrsisError:
    return RrsisError(message, code=f"setup.{code}", hint=hint, details=details[-4000:])
