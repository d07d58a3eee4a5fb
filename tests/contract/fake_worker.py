"""A worker of forty lines that behaves as its first argument says. Started by tests as a process of its own."""

import os
import sys
import threading
import time

from rrsis_core.contract.protocol import Message, decode, encode

mode = sys.argv[1] if len(sys.argv) > 1 else "good"
canceled = threading.Event()
lock = threading.Lock()


def send(kind, job="", **body):
    version = 99 if mode == "new" else 0 if mode == "old" else 1
    with lock:
        sys.stdout.buffer.write(encode(Message(kind, body, job, version)))
        sys.stdout.buffer.flush()


def segment(message):
    send("accepted", message.job, ahead=0)
    if mode == "garbage":
        sys.stdout.buffer.write(b"libfoo: warning\n\xff\xfe\x00{[\n" + b"[" * 100_000 + b"\n{}\nnull\n")
    if mode == "crash":
        sys.stderr.write("about to die\n")
        sys.stderr.flush()
        os._exit(3)
    for done in range(int(message.body.get("steps", 3))):
        if canceled.is_set():
            return send("canceled", message.job, kept=None)
        send("progress", message.job, stage="infer", done=done, total=3)
        time.sleep(float(message.body.get("pause", 0)))
    if mode in ("mute", "deaf"):
        time.sleep(600)
    send("result", message.job, echo=message.body)
    return send("result", message.job, echo="a second end")


if mode == "slow":
    time.sleep(3)
if mode == "stillborn":
    sys.exit("No module named 'torch'")
for line in sys.stdin.buffer:
    message = decode(line)
    if message.type == "hello":
        send("ready", pid=os.getpid(), version="0.0.1", protocol=99 if mode == "new" else 0 if mode == "old" else 1)
        if mode != "deaf":
            send("warm", devices=["cpu"])
    elif message.type == "segment":
        threading.Thread(target=segment, args=(message,), daemon=True).start()
    elif message.type == "cancel" and mode != "deaf":
        canceled.set()
    elif message.type == "shutdown" and mode != "deaf":
        break
    elif message.type == "parse":
        send("result", message.job, words=message.body["expression"].split())
