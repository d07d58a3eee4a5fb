"""What the QGIS plugin costs: its start, its dock, a cancel, and how long a worker outlives a QGIS that was killed.

python benchmarks/plugin.py [WEIGHTS]; needs QGIS (RRSIS_QGIS_PYTHON, default /usr/bin/python3). Prints a line each.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import rasterio

ROOT = Path(__file__).parents[1]
INSIDE = """
import os, sys, time
plugins, python, weights, scene = sys.argv[1:]
sys.path.insert(0, plugins)
from unittest.mock import MagicMock
from qgis.core import QgsApplication
from qgis.gui import QgsMapCanvas
from qgis.PyQt.QtCore import QObject, pyqtSignal
from qgis.PyQt.QtWidgets import QMainWindow
app = QgsApplication([], True)
app.initQgis()
class Iface(QObject):
    currentLayerChanged = pyqtSignal("QgsMapLayer*")
    def __init__(self):
        super().__init__()
        self.window, self.canvas = QMainWindow(), QgsMapCanvas()
        self.window.show()
    def mapCanvas(self): return self.canvas
    def mainWindow(self): return self.window
    def activeLayer(self): return None
    def addDockWidget(self, area, dock): self.window.addDockWidget(area, dock)
    def __getattr__(self, name): return MagicMock()
iface = Iface()
import qgis.utils, pathlib, json  # as QGIS itself has before it loads plugins
began, busy = time.perf_counter(), time.process_time()
from phrase_segmentation import classFactory
plugin = classFactory(iface)
plugin.initGui()
took, busy = time.perf_counter() - began, time.process_time() - busy
print(f"start of the plugin in QGIS: {1000 * took:.0f} ms, of which the processor worked {1000 * busy:.0f} ms")
from phrase_segmentation import settings
from phrase_segmentation.engine import ENGINE
settings.put("python", python)
began = time.perf_counter()
plugin.show()
app.processEvents()
print(f"from the click to the dock: {1000 * (time.perf_counter() - began):.0f} ms")
began = time.perf_counter()
client = ENGINE.client()
print(f"start of the engine: {time.perf_counter() - began:.1f} s")
def run():
    job = client.submit("segment", {"options": {"raster": scene, "expressions": ["the roofs", "the trees"],
        "weights": weights, "overlap": 0.5, "output": scene + ".gpkg", "overwrite": True}})
    while (message := job.next(0.01)) is None or message.body.get("done", 0) < 3:
        assert message is None or not message.is_terminal, message
    return job
job = run()
began = time.perf_counter()
job.cancel()
while (message := job.next(0.01)) is None or message.type != "stopping":
    pass
print(f"a cancel is acknowledged: {1000 * (time.perf_counter() - began):.0f} ms")
while (message := job.next(0.01)) is None or not message.is_terminal:
    pass
print(f"a canceled run has ended: {1000 * (time.perf_counter() - began):.0f} ms")
run()
print(f"pid {client.pid}", flush=True)
time.sleep(600)
"""


def main() -> None:
    """Print the measurements."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        weights = sys.argv[1] if sys.argv[1:] else ""
        if not weights:
            weights = str(folder / "tiny.safetensors")
            subprocess.run([sys.executable, str(ROOT / "tests/tiny_weights.py"), weights], check=True)
        subprocess.run(
            [sys.executable, str(ROOT / "qgis_plugin/package.py"), "link", name], check=True, stdout=subprocess.DEVNULL
        )
        scene = folder / "scene.tif"
        pixels = np.random.default_rng(0).integers(0, 255, (3, 2000, 2000)).astype(np.uint8)
        transform = rasterio.transform.from_origin(500000, 3060000, 0.5, 0.5)
        with rasterio.open(scene, "w", "GTiff", 2000, 2000, 3, "EPSG:32645", transform, "uint8") as target:
            target.write(pixels)
        environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "RRSIS_HOME": name}
        environment |= {"QGIS_CUSTOM_CONFIG_PATH": name, "XDG_RUNTIME_DIR": name}
        python = os.environ.get("RRSIS_QGIS_PYTHON", "/usr/bin/python3")
        # From the second start of QGIS on, Python finds its bytecode.
        environment["PYTHONPYCACHEPREFIX"] = str(folder / "bytecode")
        environment.pop("PYTHONDONTWRITEBYTECODE", None)
        subprocess.run([python, "-m", "compileall", "-q", "-r1", str(folder / "phrase_segmentation")], env=environment)
        command = [python, "-c", INSIDE, name, sys.executable]
        host = subprocess.Popen([*command, weights, str(scene)], stdout=subprocess.PIPE, text=True, env=environment)
        pid = 0
        for line in host.stdout or ():
            if line.startswith("pid "):
                pid = int(line[4:])
                break
            print(line, end="")
        host.kill()
        began = time.perf_counter()
        while pid and not _gone(pid):
            time.sleep(0.01)
        print(f"after QGIS was killed, the worker is gone: {1000 * (time.perf_counter() - began):.0f} ms")
        host.wait()


def _gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


if __name__ == "__main__":
    main()
