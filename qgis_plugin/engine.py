"""The engine is a Python of its own with rrsis-core; this file keeps one worker of it warm for a session of QGIS."""

from __future__ import annotations

import os
import threading
from typing import Any

from qgis.core import Qgis, QgsApplication

from . import settings
from .contract import NEVER, WorkerClient, WorkerError, clean_environment, worker_command


class Engine:
    """The one worker that dock and Processing share. Safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._client: WorkerClient | None = None
        self._python = ""

    def client(self, stop: threading.Event = NEVER) -> WorkerClient:
        """Return a worker that runs; start one if needed, which takes seconds. Raises WorkerError."""
        with self._lock:
            python = settings.engine_python()
            if self._client is not None and self._client.alive and python == self._python:
                return self._client
            if not python:
                raise WorkerError("There is no engine.", code="worker.not_installed", hint="Set it up in the dock.")
            if self._client is not None:
                self._client.kill()
            folder = settings.home()
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise WorkerError(
                    f"The folder {folder} cannot be made: {error.strerror}.",
                    code="worker.start",
                    hint="Choose another folder.",
                ) from error
            self._client = WorkerClient(
                worker_command(python), environment(), str(folder), client=f"qgis {Qgis.QGIS_VERSION_INT}"
            )
            self._python = python
            self._client.start(stop=stop)
            return self._client

    def ask(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Ask something that is answered at once, or after the start. Raises RrsisError."""
        return self.client().ask(kind, body)

    def close(self, seconds: float = 0.5) -> None:
        """End the worker, if there is one."""
        client, self._client = self._client, None
        if client is not None:
            client.close(seconds)


def environment() -> dict[str, str]:
    """Return the environment for a child of QGIS: nothing of QGIS's own, its proxy, and one core left for it."""
    environ = clean_environment(os.environ, [QgsApplication.prefixPath()])
    environ["RRSIS_HOME"] = str(settings.home())
    return {**environ, **proxy_variables()}


def proxy_variables() -> dict[str, str]:
    """Return QGIS's own proxy as the variables that programs look at."""
    saved = settings.QgsSettings()
    if str(saved.value("proxy/proxyEnabled", "false")).lower() != "true" or not saved.value("proxy/proxyHost", ""):
        return {}
    user, password = saved.value("proxy/proxyUser", ""), saved.value("proxy/proxyPassword", "")
    who = f"{_quoted(user)}:{_quoted(password)}@" if user else ""
    kind = "socks5" if saved.value("proxy/proxyType", "") == "Socks5Proxy" else "http"
    url = f"{kind}://{who}{saved.value('proxy/proxyHost')}:{saved.value('proxy/proxyPort', '8080')}"
    skipped = saved.value("proxy/noProxyUrls") or []
    found = {"HTTP_PROXY": url, "HTTPS_PROXY": url}
    return {**found, "NO_PROXY": ",".join(skipped)} if skipped else found


def _quoted(text: str) -> str:
    return "".join(letter if letter.isalnum() else "".join(f"%{b:02X}" for b in letter.encode()) for letter in text)


ENGINE = Engine()
