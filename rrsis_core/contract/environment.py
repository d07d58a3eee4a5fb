"""The environment of a child process: what a host like QGIS sets for itself and a worker must not inherit.

Each name here has broken somebody's worker: a foreign PROJ_LIB hides the database of ours, LD_LIBRARY_PATH brings in
another GDAL, PYTHONHOME another standard library.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from typing import Any

FOREIGN = frozenset(
    """
    PYTHONHOME PYTHONPATH PYTHONSTARTUP PYTHONUSERBASE PYTHONEXECUTABLE PYTHONPLATLIBDIR VIRTUAL_ENV CONDA_PREFIX
    PIP_USER PIP_TARGET PIP_PREFIX PIP_REQUIRE_VIRTUALENV
    QGIS_PREFIX_PATH QGIS_PLUGINPATH QGIS_CUSTOM_CONFIG_PATH QT_PLUGIN_PATH QT_QPA_PLATFORM_PLUGIN_PATH
    GDAL_DATA GDAL_DRIVER_PATH GDAL_DISABLE_READDIR_ON_OPEN PROJ_LIB PROJ_DATA GISBASE GISRC
    LD_LIBRARY_PATH LD_PRELOAD
    """.split()
)
CERTIFICATES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")

# A process group of its own, so that a kill reaches its children and Ctrl-C in the host's terminal does not reach it.
if sys.platform == "win32":
    START_FLAGS: dict[str, Any] = {"creationflags": subprocess.CREATE_NO_WINDOW | subprocess.CREATE_NEW_PROCESS_GROUP}
else:
    START_FLAGS: dict[str, Any] = {"start_new_session": True}


def clean_environment(environ: Mapping[str, str], host_folders: Sequence[str] = ()) -> dict[str, str]:
    """Return an environment for a child that is not part of its host.

    Certificate files are kept unless they are missing or lie in one of the `host_folders`: those of an installation
    of QGIS know less than the system.
    """
    kept = {name: value for name, value in environ.items() if name not in FOREIGN and not name.startswith("DYLD_")}
    for name in CERTIFICATES:
        value = kept.get(name)
        if value and (not os.path.exists(value) or _inside(value, host_folders)):
            del kept[name]
    return {**kept, "PYTHONNOUSERSITE": "1", "PYTHONIOENCODING": "utf-8", "HF_HUB_OFFLINE": "1"}


def worker_command(python: str) -> list[str]:
    """Return the command that starts a worker with an interpreter, isolated from everything around it."""
    return [python, "-I", "-X", "utf8", "-u", "-m", "rrsis_core.worker"]


def _inside(path: str, folders: Sequence[str]) -> bool:
    real = os.path.realpath(path)
    return any(folder and real.startswith(os.path.join(os.path.realpath(folder), "")) for folder in folders)
