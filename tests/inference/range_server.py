"""A server of the files of a folder that gives parts of them when asked, as the stores of clouds do.

    python range_server.py FOLDER LOG

It prints its port and notes in LOG how many bytes it gave each time. A program of its own, as GDAL does not let other
threads of Python run while it opens a file.
"""

import functools
import http.server
import re
import sys
from pathlib import Path


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers HEAD and GET, the latter in part where the request names a range."""

    def __init__(self, folder, log, *arguments):
        self.folder, self.log = folder, log
        super().__init__(*arguments)

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, with_body):
        file = self.folder / self.path.lstrip("/")
        if not file.is_file():
            self.send_error(404)
            return
        data = file.read_bytes()
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        first, last = (int(part[1]), min(int(part[2] or len(data)), len(data) - 1)) if part else (0, len(data) - 1)
        if first > last:
            self.send_error(416)
            return
        self.send_response(206 if part else 200)
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Length", str(last + 1 - first))
        if part:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.end_headers()
        if with_body:
            with self.log.open("a") as log:
                log.write(f"{last + 1 - first}\n")
            self.wfile.write(data[first : last + 1])

    def log_message(self, *arguments):
        """Say nothing."""


if __name__ == "__main__":
    folder, log = map(Path, sys.argv[1:])
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, folder, log)) as server:
        print(server.server_port, flush=True)  # noqa: T201 # how the tests learn it
        server.serve_forever()
