"""A worker client starts a worker process, sends it jobs, and sees to it that every job ends exactly once.

Whatever happens to the process (it dies, falls silent, writes garbage), each open job then ends with a `failed` that
this client makes itself. It knows no Qt: threads of QGIS, tests and scripts use the same class.
"""

from __future__ import annotations

import collections
import contextlib
import itertools
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .environment import START_FLAGS, clean_environment
from .errors import OperationCanceled, RrsisError, WorkerError
from .protocol import PROTOCOL_VERSION, Message, decode, encode

START_SECONDS = 180.0  # a first import of torch from a slow disk
SILENCE_SECONDS = 30.0  # heartbeats come every two
KILL_SECONDS = 5.0  # from a cancel that nobody answers to the kill
POLL_SECONDS = 0.1
STDERR_LINES = 200
NEVER = threading.Event()


class Job:
    """One request and what comes back for it. Made by `WorkerClient.submit`; read by one thread."""

    def __init__(self, client: WorkerClient, name: str) -> None:
        self.name = name
        self._client = client
        self._inbox: queue.SimpleQueue[Message] = queue.SimpleQueue()
        self._ended = False
        self._ending = threading.Lock()
        self._waited = 0.0
        self._cancel_waited: float | None = None

    def next(self, timeout: float = POLL_SECONDS) -> Message | None:
        """Return the next message of this job, or None if none comes in time.

        To be called until the message is terminal: it is here that a silent worker is noticed and killed, and one that
        does not obey a cancel without `keep`.
        """
        start = time.monotonic()
        try:
            message = self._inbox.get(timeout=timeout)
        except queue.Empty:
            # At most a second a call: a computer that slept has not been silent.
            self._grow_impatient(min(1.0, time.monotonic() - start))
            return None
        self._waited = 0.0
        return message

    def wait(
        self, on_message: Callable[[Message], None] | None = None, stop: threading.Event = NEVER
    ) -> dict[str, Any]:
        """Return the body of the job's result; raise RrsisError where it failed, OperationCanceled where it stopped.

        Setting `stop` cancels the job.
        """
        asked = False
        while True:
            if stop.is_set() and not asked:
                asked = True
                self.cancel()
            message = self.next()
            if message is None:
                continue
            if on_message is not None and not message.is_terminal:
                on_message(message)
            if message.type == "result":
                return message.body
            if message.type == "failed":
                raise failure(message.body)
            if message.type == "canceled":
                raise OperationCanceled

    def cancel(self, keep: bool = False) -> None:
        """Ask the worker to stop; with `keep`, what was found so far comes with `canceled`."""
        if not keep:
            self._cancel_waited = 0.0
        self._client.send(Message("cancel", {"keep": keep}, self.name))

    def put(self, message: Message) -> None:
        """Hand a message to the job; after its terminal one nothing is taken any more."""
        with self._ending:
            if self._ended:
                return
            self._ended = message.is_terminal
            self._inbox.put(message)

    def _grow_impatient(self, seconds: float) -> None:
        if self._cancel_waited is not None:
            self._cancel_waited += seconds
            if self._cancel_waited >= KILL_SECONDS:
                self.put(Message("canceled", {"kept": None, "killed": True}, self.name))
                self._client.kill()
                return
        self._waited += seconds
        if self._waited >= self._client.patience and self._client.quiet_for >= self._client.patience:
            self._client.kill(
                WorkerError(
                    f"The engine has said nothing for {self._client.patience:.0f} seconds, so it was stopped.",
                    code="worker.silent",
                    hint="Try again; if it happens again, restart the computer or use smaller tiles.",
                    details=self._client.stderr_tail(),
                )
            )


class WorkerClient:
    """A worker process and the pipe to it. Start it once, use it from any thread, close it."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str] | None = None,
        folder: str | None = None,
        client: str = "rrsis",
    ) -> None:
        self.ready: dict[str, Any] = {}
        """What the worker said of itself."""
        self.devices: list[str] = []
        """Devices, once torch is loaded."""
        self.patience = START_SECONDS
        self._command, self._folder, self._name = list(command), folder, client
        self._environment = clean_environment(os.environ) if environment is None else dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._jobs: dict[str, Job] = {}
        self._lock = threading.Lock()
        self._sending = threading.Lock()
        self._numbers = itertools.count(1)
        self._stderr: collections.deque[str] = collections.deque(maxlen=STDERR_LINES)
        self._heard = time.monotonic()
        self._end: RrsisError | None = None
        self._greeted = threading.Event()
        self._gone = threading.Event()

    @property
    def alive(self) -> bool:
        """True while the process runs and its pipe is open."""
        return self._process is not None and self._process.poll() is None and not self._gone.is_set()

    @property
    def pid(self) -> int | None:
        """The process, if there is one."""
        return self._process.pid if self._process else None

    @property
    def quiet_for(self) -> float:
        """Seconds since the last message of any kind."""
        return time.monotonic() - self._heard

    def start(self, timeout: float = START_SECONDS, stop: threading.Event = NEVER) -> dict[str, Any]:
        """Start the process and wait for its `ready`; return its body.

        Raises WorkerError worker.not_installed, worker.start, worker.protocol, and OperationCanceled.
        """
        try:
            self._process = subprocess.Popen(  # a list, no shell  # nosec B603
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=self._environment,
                cwd=self._folder,
                **START_FLAGS,
            )
        except OSError as error:
            raise _not_installed(f"The engine's Python cannot be started: {error}", repr(self._command)) from error
        for target in (self._read_events, self._read_stderr):
            threading.Thread(target=target, name=f"rrsis-{target.__name__}", daemon=True).start()
        self.send(Message("hello", {"protocol": PROTOCOL_VERSION, "client": self._name}))
        deadline = time.monotonic() + timeout
        while not self._greeted.wait(POLL_SECONDS):
            if stop.is_set():
                self.kill()
                raise OperationCanceled
            if self._gone.is_set() and not self._greeted.is_set():
                raise self._end or self._died()
            if time.monotonic() > deadline:
                self.kill()
                raise WorkerError(
                    f"The engine did not start within {timeout:.0f} seconds.",
                    code="worker.start",
                    hint="Try again: the first start after an installation is the slowest.",
                    details=self.stderr_tail(),
                )
        self._check_version()
        return self.ready

    def submit(self, kind: str, body: Mapping[str, Any] | None = None) -> Job:
        """Send a request; its messages come through the job. On a worker that is gone the job fails at once."""
        job = Job(self, f"{kind}-{next(self._numbers)}")
        with self._lock:
            self._jobs[job.name] = job
        if self._gone.is_set():
            self._fail_all()
        else:
            self.send(Message(kind, dict(body or {}), job.name))
        return job

    def ask(self, kind: str, body: Mapping[str, Any] | None = None, stop: threading.Event = NEVER) -> dict[str, Any]:
        """Send a request and wait for its result. Raises RrsisError."""
        return self.submit(kind, body).wait(stop=stop)

    def send(self, message: Message) -> None:
        """Write one message. A broken pipe is no error here: the reader sees the end and ends the jobs."""
        process = self._process
        if process is None or process.stdin is None:
            return
        with self._sending:
            try:
                process.stdin.write(encode(message))
                process.stdin.flush()
            except (OSError, ValueError):
                self._gone.wait(POLL_SECONDS)

    def close(self, timeout: float = 2.0) -> None:
        """Ask the worker to leave, close its pipe, wait a moment, then kill it."""
        process = self._process
        if process is None:
            return
        self._end = self._end or WorkerError("The engine was closed.", code="worker.closed", hint="Run it again.")
        self.send(Message("shutdown"))
        self._hang_up()
        try:
            process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self, reason: RrsisError | None = None) -> None:
        """End the process and all it started, now. Open jobs fail with the reason."""
        self._end = self._end or reason
        process = self._process
        if process is None or process.poll() is not None:
            return
        try:
            if sys.platform == "win32":
                process.kill()
            else:
                os.killpg(process.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):
            process.kill()
        process.wait()

    def stderr_tail(self, lines: int = 20) -> str:
        """Return the last lines that the worker wrote for people."""
        return "\n".join(list(self._stderr)[-lines:])

    def _read_events(self) -> None:
        process = self._process
        if process is None or process.stdout is None:
            return
        with process.stdout:
            for line in process.stdout:
                self._heard = time.monotonic()
                try:
                    message = decode(line)
                except WorkerError as error:
                    self._stderr.append(f"(on the pipe) {error.details}")
                    continue
                self._take(message)
        process.wait()
        self._hang_up()
        self._gone.set()
        self._fail_all()

    def _hang_up(self) -> None:
        """Close the worker's input."""
        with self._sending, contextlib.suppress(OSError):  # it may have left already
            if self._process is not None and self._process.stdin is not None:
                self._process.stdin.close()

    def _take(self, message: Message) -> None:
        if message.type == "ready":
            self.ready = {**message.body, "v": message.version}
            self._greeted.set()
        elif message.type == "warm":
            self.devices = list(message.body.get("devices", []))
            self.patience = SILENCE_SECONDS
        with self._lock:
            job = self._jobs.get(message.job)
            if job is not None and message.is_terminal:
                del self._jobs[message.job]
        if job is not None:
            job.put(message)

    def _read_stderr(self) -> None:
        process = self._process
        if process is None or process.stderr is None:
            return
        with process.stderr:
            for line in process.stderr:
                self._stderr.append(line.decode("utf-8", "replace").rstrip())

    def _fail_all(self) -> None:
        """End what is open: the process is gone."""
        error = self._end or self._died()
        with self._lock:
            open_jobs = list(self._jobs.values())
            self._jobs.clear()
        for job in open_jobs:
            job.put(Message("failed", error.as_dict(), job.name))

    def _died(self) -> WorkerError:
        code = self._process.poll() if self._process else None
        time.sleep(POLL_SECONDS)  # its last words are still on the way
        tail = self.stderr_tail()
        if not self._greeted.is_set():
            if "No module named" in tail and "rrsis_core" in tail:
                return _not_installed("This Python has no rrsis-core.", tail)
            return WorkerError(
                f"The engine ended while it started ({_exit_words(code)}).",
                code="worker.start",
                hint="Repair the engine, or set it up anew.",
                details=tail,
            )
        return WorkerError(
            f"The engine broke down ({_exit_words(code)}). Your project is not touched.",
            code="worker.crashed",
            hint="Run it again; if it happens again, use smaller tiles or another device.",
            details=tail,
        )

    def _check_version(self) -> None:
        theirs = self.ready.get("protocol", self.ready["v"])
        if theirs == PROTOCOL_VERSION:
            return
        self.kill()
        older = theirs < PROTOCOL_VERSION
        raise WorkerError(
            f"The engine ({self.ready.get('version', 'unknown')}) speaks protocol {theirs}, this program speaks "
            f"{PROTOCOL_VERSION}: {'the engine is too old' if older else 'this program is older than the engine'}.",
            code="worker.protocol",
            hint=f"Update it: {self._command[0]} -m pip install --upgrade rrsis-core"
            if older
            else "Update the plugin in Plugins > Manage and Install Plugins.",
        )


def failure(body: Mapping[str, Any]) -> RrsisError:
    """Return the error that a `failed` tells of."""
    return RrsisError(
        str(body.get("message", "The engine failed.")),
        code=str(body.get("code", "internal")),
        hint=str(body.get("hint", "")),
        details=str(body.get("details", "")),
    )


def _not_installed(message: str, details: str) -> WorkerError:
    return WorkerError(
        message, code="worker.not_installed", hint="Set up the engine, or choose another Python.", details=details
    )


def _exit_words(code: int | None) -> str:
    """Say how a process ended."""
    if code is None:
        return "its pipe broke"
    if code == -9 or code == 137:
        return "killed, perhaps for lack of memory"
    return f"signal {-code}" if code < 0 else f"exit code {code:#x}" if code > 255 else f"exit code {code}"
