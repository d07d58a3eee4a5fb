"""A worker is a process that does the main job for a host, told by lines of JSON on its standard input.

`python -m rrsis_core.worker`; the messages are in `rrsis_core/contract/protocol.py`. Three threads: the reader takes
requests and cancels, the answerer tells plans and parses at any moment, the main thread does one job after the other.
"""

from __future__ import annotations

import contextlib
import os
import platform
import queue
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any, BinaryIO

import rrsis_core
from rrsis_core.contract import OperationCanceled, RrsisError, RrsisWarning, WorkerError, overall
from rrsis_core.contract.protocol import (
    HEARTBEAT_SECONDS,
    JOBS,
    PROTOCOL_VERSION,
    QUICK,
    Message,
    decode,
    encode,
)

LINES_A_SECOND = 10  # of progress, at most
LEAVE_SECONDS = 0.5  # from the end of the host to that of a worker that does not listen
_speaker = threading.local()  # .say takes the notes of what this thread is doing


class Wire:
    """The way out: messages written whole, one after the other, from any thread."""

    def __init__(self, pipe: BinaryIO) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def send(self, kind: str, job: str = "", **body: Any) -> None:
        """Write one message; when nobody listens any more, leave."""
        line = encode(Message(kind, body, job))
        with self._lock:
            try:
                self._pipe.write(line)
                self._pipe.flush()
            except OSError:
                os._exit(0)  # the host is gone, and with it every reason to go on


class Ticket:
    """A job that was asked for. It is the Progress of the run, and ends with one message."""

    def __init__(self, wire: Wire, message: Message) -> None:
        self.kind, self.name, self.body = message.type, message.job, message.body
        self.keep = False
        self._wire, self._lock = wire, threading.Lock()
        self._ended = self._canceled = False
        self._stage, self._began, self._told = "", 0.0, 0.0
        self._answered = False

    @property
    def ended(self) -> bool:
        """True once the host was told how it ended."""
        return self._ended

    @property
    def stopping(self) -> bool:
        """True where the run is to end with what it has."""
        return self._canceled and self.keep

    def cancel(self, keep: bool) -> None:
        """Take note that the host wants no more. Without `keep` this wins over an earlier one with it."""
        self.keep = keep and (self.keep or not self._canceled)
        self._canceled = True

    def is_canceled(self) -> bool:
        """Tell the run to stop at once: there is nothing to keep, or nothing is wanted."""
        return self._canceled and not (self.keep and self._answered)

    def update(self, stage: str, done: int, total: int) -> None:
        """Tell the host where the run is, ten times a second at most."""
        now = time.monotonic()
        if stage != self._stage:
            self._stage, self._began, self._told = stage, now, 0.0
        self._answered |= stage == "infer" and done > 0
        if now - self._told < 1 / LINES_A_SECOND and done < total:
            return
        self._told = now
        left = (now - self._began) / done * (total - done) if done and stage == "infer" else None
        self.say(
            "progress",
            stage=stage,
            done=done,
            total=total,
            overall=round(overall(stage, done, total), 4),
            eta_s=None if left is None else round(left, 1),
            memory_mb=memory_mb(),
        )

    def say(self, kind: str, **body: Any) -> None:
        """Send a message of this job while it is open."""
        if not self._ended:
            self._wire.send(kind, self.name, **body)

    def end(self, kind: str, **body: Any) -> None:
        """Send the last message of this job, unless it was sent."""
        with self._lock:
            if self._ended:
                return
            self._ended = True
        self._wire.send(kind, self.name, **body)


class Desk:
    """What is asked for, what is being done, and who may stop it."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.jobs: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self.questions: queue.SimpleQueue[Ticket | None] = queue.SimpleQueue()
        self._open: dict[str, Ticket] = {}

    def read(self, requests: BinaryIO) -> None:
        """Take requests until the host is gone."""
        for line in requests:
            try:
                self._take(decode(line))
            except RrsisError as error:
                self.wire.send("failed", **error.as_dict())
        self.leave()

    def leave(self) -> None:
        """Stop everything. A run that does not notice in time is left without ceremony."""
        for ticket in list(self._open.values()):
            ticket.cancel(keep=False)
        self.questions.put(None)
        self.jobs.put(None)
        timer = threading.Timer(LEAVE_SECONDS, os._exit, [0])
        timer.daemon = True
        timer.start()

    def done(self, ticket: Ticket) -> None:
        """Forget a ticket."""
        self._open.pop(ticket.name, None)

    def _take(self, message: Message) -> None:
        if message.type == "hello":
            self.wire.send("ready", **introduction())
        elif message.type == "shutdown":
            self.leave()
        elif message.type == "cancel":
            self._cancel(message)
        elif message.type in QUICK:
            self.questions.put(Ticket(self.wire, message))
        elif message.type in JOBS:
            ticket = Ticket(self.wire, message)
            ticket.say("accepted", ahead=len(self._open))
            self._open[message.job] = ticket
            self.jobs.put(ticket)
        else:
            error = WorkerError(
                f"This engine does not know '{message.type}'.",
                code="protocol.unknown_type",
                hint="Update the engine to the version of the plugin.",
            )
            Ticket(self.wire, message).end("failed", **error.as_dict())

    def _cancel(self, message: Message) -> None:
        ticket = self._open.get(message.job)
        if ticket is None:
            return  # it has ended, and its end is on the way
        ticket.cancel(bool(message.body.get("keep")))
        ticket.say("stopping")
        first = next(iter(self._open.values()), None)
        if ticket is not first:
            self.done(ticket)
            ticket.end("canceled", kept=None)


def introduction() -> dict[str, Any]:
    """Return what a worker says of itself at once."""
    return {
        "protocol": PROTOCOL_VERSION,
        "version": rrsis_core.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "pid": os.getpid(),
    }


def memory_mb() -> int | None:
    """Return the resident memory of this process, where the system tells it cheaply."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") // 2**20
    except (OSError, AttributeError, ValueError):
        return None


def work(tickets: queue.SimpleQueue[Ticket | None], desk: Desk, handlers: dict[str, Callable[[Ticket], Any]]) -> None:
    """Serve tickets until there are no more; each ends with one message, whatever happens."""
    while (ticket := tickets.get()) is not None:
        if ticket.ended:
            continue
        _speaker.say = lambda text, ticket=ticket: ticket.say("log", level="warning", text=text)
        try:
            if ticket.is_canceled():
                raise OperationCanceled
            result = handlers[ticket.kind](ticket)
            if ticket.stopping:
                ticket.end("canceled", kept=result)
            else:
                ticket.end("result", **result)
        except OperationCanceled:
            ticket.end("canceled", kept=None)
        except RrsisError as error:
            ticket.end("failed", **error.as_dict())
        except MemoryError:
            ticket.end("failed", **_no_memory())
        except Exception as error:  # noqa: BLE001 # the last door: the host gets a sentence, the worker lives on
            ticket.end("failed", **_fault(error))
        finally:
            desk.done(ticket)


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """Keep the standard pipes for messages. Whoever prints from now on prints to stderr, in C too; nobody can read.

    Standard input becomes the null device before anything heavy is imported: on Windows, libraries that look at it
    hang while another thread waits for a line there (appose found this with numpy).
    """
    requests, events = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.close(null)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return requests, events


def _beat(wire: Wire) -> None:
    parent = os.getppid()
    while True:
        time.sleep(HEARTBEAT_SECONDS / 2)
        if os.getppid() != parent:
            os._exit(0)  # the pipe can outlive the host, where another child of it holds the other end
        wire.send("heartbeat", memory_mb=memory_mb())


def _show(message: Warning | str, category: type[Warning], *where: Any, **more: Any) -> None:
    """Send what the user must see; the rest is for the log."""
    say = getattr(_speaker, "say", None)
    if issubclass(category, RrsisWarning) and say is not None:
        say(str(message))
    else:
        sys.stderr.write(f"{category.__name__}: {message}\n")


def _fault(error: Exception) -> dict[str, Any]:
    return {
        "code": "internal",
        "message": f"{type(error).__name__}: {error}",
        "hint": "This is a fault of rrsis: please report it.",
        "details": traceback.format_exc(),
    }


def _no_memory() -> dict[str, Any]:
    return {
        "code": "inference.out_of_memory",
        "message": "There is too little memory for this run.",
        "hint": "Search a smaller area, fewer phrases at once, or use a smaller tile.",
        "details": "",
    }


def main() -> None:
    """Serve one host until it is gone."""
    requests, events = take_pipes()
    wire = Wire(events)
    desk = Desk(wire)
    warnings.simplefilter("always", RrsisWarning)
    warnings.showwarning = _show
    services = import_module("rrsis_core.services")
    if sys.platform == "win32":
        services.warm_up()
    for target, arguments in ((desk.read, (requests,)), (_beat, (wire,))):
        threading.Thread(target=target, args=arguments, daemon=True).start()
    answers = threading.Thread(target=work, args=(desk.questions, desk, services.ANSWERS), daemon=True)
    answers.start()
    with contextlib.suppress(KeyboardInterrupt):
        wire.send("warm", devices=services.warm_up())
        work(desk.jobs, desk, services.WORK)


if __name__ == "__main__":
    main()
