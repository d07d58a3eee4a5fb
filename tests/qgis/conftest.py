"""Real QGIS, with the zip installed into an empty profile and the Python of these tests as the engine."""

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import geopandas
import pytest
import rasterio
import shapely
from rasterio.transform import from_origin

from qgis_plugin.package import pack
from rrsis_core.contract import clean_environment
from rrsis_core.data.rendered import render_scene
from rrsis_core.weights.store import DEFAULT, weight_files

HERE = Path(__file__).parent
QGIS_PYTHON = os.environ.get("RRSIS_QGIS_PYTHON", "/usr/bin/python3")
APT = "QGIS is not installed. On Debian or Ubuntu: sudo apt-get install qgis python3-qgis xvfb"
INI = """[PythonPlugins]
phrase_segmentation=true
processing=true
grassprovider=false
sagaprovider=false
otbprovider=false
db_manager=false
MetaSearch=false

[core]
NewsFeed\\httpsfeedqgisorg\\disabled=true

[qgis]
askToSaveProjectChanges=false
askToSaveMemoryLayers=false
checkVersion=false

[app]
askToSaveProjectChanges=false

[rrsis]
home={home}
python={python}
weights={weights}
"""


@pytest.fixture(scope="session")
def qgis():
    """The QGIS of this computer. Without one the tests fail, and say how to get it."""
    if not all(shutil.which(program) for program in (QGIS_PYTHON, "qgis", "qgis_process.bin", "Xvfb")):
        pytest.fail(APT)
    command = [QGIS_PYTHON, "-c", "import qgis.core"]
    if subprocess.run(command, capture_output=True, env=clean_environment(os.environ)).returncode:
        pytest.fail(APT)


@pytest.fixture(scope="session")
def weights(tmp_path_factory):
    """The packaged default weights where they are, else untrained ones."""
    if DEFAULT in weight_files():
        return str(weight_files()[DEFAULT])
    path = tmp_path_factory.mktemp("weights") / "tiny.safetensors"
    subprocess.run([sys.executable, str(HERE.parent / "tiny_weights.py"), str(path)], check=True)
    return str(path)


@pytest.fixture(scope="session")
def zipped(tmp_path_factory):
    return pack(tmp_path_factory.mktemp("zip") / "phrase_segmentation.zip")


class Profile:
    """A profiles folder with the plugin in it, and how QGIS is started with it."""

    def __init__(self, folder, zipped, weights, python=sys.executable):
        self.folder, self.home = folder, folder / "home"
        self.home.mkdir(parents=True)
        default = folder / "profiles" / "default"
        plugins = default / "python" / "plugins"
        plugins.mkdir(parents=True)
        with zipfile.ZipFile(zipped) as archive:
            archive.extractall(plugins)
        (default / "QGIS").mkdir()
        (default / "QGIS" / "QGIS3.ini").write_text(INI.format(home=self.home, python=python, weights=weights))
        self.plugins = plugins
        runtime = folder / "run"
        runtime.mkdir(mode=0o700)
        self.environment = {
            **clean_environment(os.environ),
            "QGIS_CUSTOM_CONFIG_PATH": str(folder),
            # QGIS takes the first python3 on PATH for its own, and without its modules asks what to do in a dialog.
            "PATH": f"{Path(QGIS_PYTHON).parent}{os.pathsep}{os.environ['PATH']}",
            "XDG_RUNTIME_DIR": str(runtime),
            "QT_QPA_PLATFORM": "offscreen",
            "OMP_NUM_THREADS": "1",
            "PYTHONFAULTHANDLER": "1",
        }

    def process(self, *arguments, timeout=600):
        """Run qgis_process: its .bin, as Debian's wrapper passes an option that it does not know."""
        return _ended(["qgis_process.bin", *arguments], timeout, self.environment)

    def cases(self, script, *arguments, timeout=600, **environment):
        """Run unit tests inside QGIS's Python; fail with what they say."""
        command = [QGIS_PYTHON, str(HERE / script), *map(str, arguments)]
        environment = {
            **self.environment,
            "RRSIS_PLUGINS": str(self.plugins),
            "RRSIS_HOME": str(self.home),
            **environment,
        }
        run = _ended(command, timeout, environment)
        assert run.returncode == 0, f"{run.stdout[-4000:]}\n{run.stderr[-6000:]}"
        return run

    def desktop(self, script, timeout=600, theme="", **environment):
        """Run a script in the real desktop, on a screen of its own; return what QGIS said."""
        ini = self.folder / "profiles" / "default" / "QGIS" / "QGIS3.ini"
        ini.write_text(f"{ini.read_text()}\n[UI]\nUITheme={theme or 'default'}\n")
        told, tell = os.pipe()
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", str(tell), "-screen", "0", "1280x860x24", "-nolisten", "tcp"],
            pass_fds=[tell], stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(tell)
        with os.fdopen(told) as number:
            display = f":{number.readline().strip()}"
        environment = {**self.environment, "QT_QPA_PLATFORM": "xcb", "DISPLAY": display, **environment}
        command = ["qgis", "--noversioncheck", "--nologo", "--profiles-path", self.folder, "--code", HERE / script]
        try:
            run = _ended(command, timeout, environment)
        finally:
            screen.terminate()
            screen.wait(20)
        return run.stdout + run.stderr


def _ended(command, timeout, environment):
    """Run a command to its end. One that does not come to it is killed, and the test fails with what it said."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:  # pipes could be held open by a grandchild
        process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment
        )
        try:
            code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            code = None
        finally:
            process.kill()
            process.wait()
        said = []
        for file in (out, err):
            file.seek(0)
            said.append(file.read().decode(errors="replace"))
    if code is None:
        pytest.fail(f"{command[0]} did not end in {timeout} s. It said:\n{said[0][-4000:]}\n{said[1][-6000:]}")
    return subprocess.CompletedProcess(command, code, *said)


@pytest.fixture
def profile(qgis, tmp_path, zipped, weights):
    return Profile(tmp_path / "qgis", zipped, weights)


@pytest.fixture(scope="session")
def scene(tmp_path_factory):
    """A rendered suburb of 320 x 240 pixels at 0.5 m: something to find for good weights as for untrained ones."""
    pixels = render_scene(3, (240, 320), 0.5, "suburb").image.transpose(2, 0, 1)
    path = tmp_path_factory.mktemp("scene") / "scene.tif"
    with rasterio.open(
        path, "w", "GTiff", 320, 240, 3, "EPSG:32645", from_origin(500000, 3060000, 0.5, 0.5), "uint8"
    ) as target:
        target.write(pixels)
    return path


PHRASES = ("the buildings", "the trees")


def _shapes(path):
    parts = geopandas.read_file(path).explode(index_parts=False)
    return sorted(zip(parts.phrase, shapely.to_wkb(shapely.normalize(parts.geometry.values)), strict=True))


@pytest.fixture(scope="session")
def by_command_line(scene, weights, tmp_path_factory):
    """What the command line finds in the scene: what all doors must find."""
    target = tmp_path_factory.mktemp("command_line") / "found.gpkg"
    words = ["segment", scene, *PHRASES, "-o", target, "--threads", "1", "--weights", weights, "-q"]
    subprocess.run([sys.executable, "-m", "rrsis_core", *map(str, words)], check=True, cwd=target.parent)
    return _shapes(target)


@pytest.fixture
def shapes():
    """Returns phrases and normalised geometries of a file, sorted."""
    return _shapes


@pytest.fixture
def phrases():
    return PHRASES
