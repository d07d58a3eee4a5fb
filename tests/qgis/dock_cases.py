"""Unit tests of the dock, run by QGIS's Python with the plugin of a profile and the real engine."""

import json
import os
import sys
import tempfile
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from unittest.mock import MagicMock, patch

import numpy as np
from osgeo import gdal
from qgis.core import (
    QgsApplication,
    QgsCoordinateReferenceSystem,
    QgsFeature,
    QgsGeometry,
    QgsProject,
    QgsRasterLayer,
    QgsRectangle,
    QgsVectorLayer,
)
from qgis.gui import QgsMapCanvas, QgsMessageBar
from qgis.PyQt.QtCore import QBuffer, QIODevice, QObject, Qt, pyqtSignal
from qgis.PyQt.QtGui import QImage
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QMainWindow

sys.path.insert(0, os.environ["RRSIS_PLUGINS"])
QgsApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts, True)
APP = QgsApplication([], True)
APP.initQgis()

from phrase_segmentation import classFactory, install, layers, runs, settings  # noqa: E402 # after the application
from phrase_segmentation.engine import ENGINE  # noqa: E402

SCENE, WEIGHTS, SHOTS = sys.argv[1], sys.argv[2], Path(sys.argv[3])
sys.argv[1:] = sys.argv[4:]
PYTHON = os.environ["RRSIS_ENGINE_PYTHON"]
PHRASES = ["the buildings", "the trees"]


class Iface(QObject):
    """As much of QGIS's interface as the plugin uses."""

    currentLayerChanged = pyqtSignal("QgsMapLayer*")

    def __init__(self):
        super().__init__()
        self.window, self.canvas, self.bar, self.active = QMainWindow(), QgsMapCanvas(), QgsMessageBar(), None
        self.canvas.resize(400, 300)
        self.window.setCentralWidget(self.canvas)

    def mapCanvas(self):
        return self.canvas

    def mainWindow(self):
        return self.window

    def messageBar(self):
        return self.bar

    def activeLayer(self):
        return self.active

    def addDockWidget(self, area, dock):
        self.window.addDockWidget(area, dock)

    def removeDockWidget(self, dock):
        self.window.removeDockWidget(dock)

    def __getattr__(self, name):
        return MagicMock()


def until(condition, seconds=300.0, what=""):
    """Let QGIS work until something is so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen in {seconds} s: {what or condition}")
        QTest.qWait(20)


class DockCase(unittest.TestCase):
    warm = False

    def setUp(self):
        settings.put("python", PYTHON)
        settings.put("weights", WEIGHTS)
        self.iface = Iface()
        self.plugin = classFactory(self.iface)
        self.plugin.initGui()
        self.layer = QgsRasterLayer(SCENE, "scene")
        QgsProject.instance().addMapLayer(self.layer)
        self.iface.active = self.layer
        self.iface.canvas.setDestinationCrs(self.layer.crs())
        self.iface.canvas.setLayers([self.layer])
        self.iface.canvas.setExtent(self.layer.extent())
        self.iface.window.resize(900, 900)
        self.iface.window.show()
        self.plugin.show()
        self.dock = self.plugin.dock

    def tearDown(self):
        if self.warm:
            ENGINE.close = lambda: None  # the next test need not start one
        self.plugin.unload()
        vars(ENGINE).pop("close", None)
        QgsProject.instance().clear()
        self.iface.window.close()
        QTest.qWait(20)

    def ready(self):
        until(lambda: "Ready" in self.dock.status.text(), what="the engine is ready")

    def find(self, phrases=PHRASES, where=3, **more):
        """Search in the whole layer and wait for the end."""
        self.dock.phrase.set_phrases(phrases)
        self.dock.where.button(where).setChecked(True)
        self.dock.advanced.threads.setValue(1)
        self.dock.search(**more)
        until(lambda: self.dock.task is None, what="the run ends")

    def count(self):
        return self.dock.review.layer.featureCount()

    def shot(self, name):
        QTest.qWait(100)
        self.dock.grab().save(str(SHOTS / f"{name}.png"))


class Journey(DockCase):
    warm = True

    def test_from_phrase_to_layer(self):
        self.ready()
        self.dock.phrase.set_phrases(["the largest blue roof near the river"])
        until(lambda: "largest" in self.dock.phrase.chips.text(), what="chips")
        self.dock.where.button(3).click()
        until(lambda: "tiles" in self.dock.cost.text(), what="cost")
        self.assertIn("EPSG:32645", self.dock.about_raster.text())
        self.find()
        all_of_them = self.count()
        self.assertGreater(all_of_them, 10)
        self.assertEqual(sum(self.dock.review.histogram.counts), all_of_them)
        self.assertGreater(float(settings.get("seconds_a_tile")), 0)
        scores = sorted(f["score"] for f in self.dock.review.layer.getFeatures())
        percent = int(100 * scores[len(scores) // 2])
        self.dock.review.slider.setValue(percent)
        self.assertEqual(self.count(), sum(score >= percent / 100 for score in scores))
        self.dock.review.slider.setValue(0)
        self.dock.review.step(1)
        self.assertTrue(self.dock.review.drop.isEnabled())
        self.dock.review.drop_shown()
        self.assertEqual(self.count(), all_of_them - 1)
        self.dock.keep()
        group = QgsProject.instance().layerTreeRoot().findGroup("Phrase segmentation")
        kept = [node.layer() for node in group.findLayers()]
        self.assertEqual(sorted(layer.name().split(" (")[0] for layer in kept), sorted(PHRASES))
        self.assertEqual(sum(layer.featureCount() for layer in kept), all_of_them - 1)
        self.assertIn("threshold", kept[0].metadata().abstract())
        self.assertIsNone(self.dock.review.layer)

    def test_other_numbers_need_no_new_run_and_a_run_can_be_restored(self):
        self.ready()
        self.find()
        first, usual = self.count(), self.dock.review.threshold.value()
        self.dock.review.threshold.setValue(0.9)
        until(lambda: self.count() != first, what="new polygons")
        self.dock.review.threshold.setValue(usual)
        until(lambda: self.count() == first, what="the old polygons")
        QgsProject.instance().clear()
        self.assertIsNone(self.dock.review.layer)
        self.dock.runs.setCurrentRow(0)
        self.dock.restore_run()
        self.assertEqual(self.count(), first)
        run = self.dock._chosen_run()
        self.assertIn("rrsis segment", runs.as_command(run))
        self.assertIn("rrsis:segmentbyphrase", runs.as_processing(run))
        self.iface.active = None
        after_a_restart = type(self.dock)(self.iface)
        after_a_restart.restore_run()
        self.assertEqual(after_a_restart.review.layer.featureCount(), first)
        after_a_restart.shut()

    def test_both_formats(self):
        self.ready()
        for suffix in (".gpkg", ".shp"):
            self.find()
            target = SHOTS / f"saved{suffix}"
            count = self.count()
            self.dock.save(str(target))
            saved = QgsVectorLayer(str(target), "saved", "ogr")
            self.assertEqual(saved.featureCount(), count)
            names = [field.name() for field in saved.fields()]
            self.assertTrue({"phrase", "score", "area_m2", "weights", "run_id"} <= set(names), names)

    def test_where(self):
        self.ready()
        box = self.layer.extent()
        part = QgsRectangle(box.xMinimum(), box.yMinimum(), box.center().x(), box.center().y())
        self.iface.canvas.setExtent(part)
        self.find(where=0)
        whole = self.iface.canvas.extent().buffered(1)
        for feature in self.dock.review.layer.getFeatures():
            self.assertTrue(whole.contains(feature.geometry().boundingBox()))
        self.dock.where.button(1).click()
        corners = QgsGeometry.fromRect(part).asPolygon()[0]
        self.dock.tool.finish(corners[:3])
        triangle = QgsGeometry(self.dock.tool.geometry).buffer(1, 4)
        self.find(where=1)
        self.assertGreater(self.count(), 0)
        for feature in self.dock.review.layer.getFeatures():
            self.assertTrue(triangle.contains(feature.geometry()))
        chosen = QgsVectorLayer("Polygon?crs=EPSG:4326", "chosen", "memory")
        feature = QgsFeature()
        shape = QgsGeometry.fromRect(part)
        shape.transform(layers.QgsCoordinateTransform(self.layer.crs(), chosen.crs(), QgsProject.instance()))
        feature.setGeometry(shape)
        chosen.dataProvider().addFeatures([feature])
        QgsProject.instance().addMapLayer(chosen)
        chosen.selectAll()
        self.iface.active = chosen
        self.find(where=2)
        self.assertGreater(self.count(), 0)
        self.iface.active = self.layer
        self.find(preview=True)
        self.assertGreater(self.count(), 0)

    def test_help_the_card_of_the_weights_the_options_and_samples(self):
        self.ready()
        advanced = self.dock.advanced
        until(lambda: "256" in advanced.card.text(), what="the card of the weights")
        advanced.setCollapsed(False)
        advanced.more.click()
        self.assertTrue(advanced.card.isVisibleTo(advanced))
        self.shot("advanced")
        settings.put("weights", "/nowhere.safetensors")
        advanced.offer({"names": []})
        until(lambda: "not there" in advanced.card.text(), what="weights that are not there")
        settings.put("weights", WEIGHTS)
        with patch("phrase_segmentation.dock.QDesktopServices") as services:
            QTest.keyClick(self.dock.phrase.edit, Qt.Key.Key_F1)
        services.openUrl.assert_called_once()
        processing = MagicMock()
        with patch.dict(sys.modules, processing=processing):
            advanced.samples.click()
        processing.execAlgorithmDialog.assert_called_once_with("rrsis:trainingsamples", {"INPUT": self.layer.id()})
        page = self.plugin.options.createWidget(None)
        for python, words in (("/nowhere/python", "There is no engine yet"), (PYTHON, "Ready")):
            page.python.setFilePath(python)
            page.apply()
            until(lambda words=words: words in self.dock.status.text(), what=words)


class Trouble(DockCase):
    warm = True

    def begin(self):
        self.ready()
        self.dock.phrase.set_phrases(PHRASES)
        self.dock.where.button(3).setChecked(True)
        self.dock.advanced.overlap.setValue(0.5)
        self.dock.search()
        until(lambda: self.dock.bar.value() > 5, what="progress")

    def test_stop_keeps_what_is_found(self):
        self.begin()
        self.dock.stop.click()
        until(lambda: self.dock.task is None, what="stopped")
        self.assertTrue(self.dock.review.run["stopped"])
        self.assertIn("stopped", self.dock.review.title.text())

    def test_a_crash_is_told_and_the_next_run_works(self):
        self.begin()
        os.kill(ENGINE._client.pid, 9)
        until(lambda: self.dock.task is None, what="the end of the run")
        self.assertIn("broke down", self.dock.message.text())
        self.find()
        self.assertGreater(self.count(), 10)

    def test_a_project_closed_in_the_middle(self):
        self.begin()
        QgsProject.instance().clear()
        until(lambda: self.dock.task is None, what="the end of the run")
        self.assertIsNone(self.dock.review.layer)
        self.assertEqual(self.dock._chosen_run()["options"]["expressions"], PHRASES)

    def test_the_plugin_switched_off_in_the_middle(self):
        self.begin()
        process = ENGINE._client._process
        self.plugin.unload()
        until(lambda: process.poll() is not None, 5, "the engine is gone")

    def test_no_engine_an_old_one_a_broken_one(self):
        self.ready()
        broken = Path(tempfile.mkdtemp()) / "python"
        broken.write_text("#!/bin/sh\nexit 3\n")
        broken.chmod(0o755)
        old = broken.with_name("old")
        told = json.dumps({"v": 1, "type": "ready", "body": {"protocol": 0, "version": "0.0.1"}})
        old.write_text(f"#!/bin/sh\nread line\necho '{told}'\nread line\n")
        old.chmod(0o755)
        for name, python, words in (
            ("none", "", "There is no engine yet"),
            ("missing", "/nowhere/python", "There is no engine yet"),
            ("broken", str(broken), "does not start"),
            ("old", str(old), "do not fit"),
        ):
            settings.put("python", python)
            self.dock.start_engine()
            until(lambda words=words: words in self.dock.status.text(), what=words)
            self.assertTrue(self.dock.card.isVisible())
            until(lambda: "free disk" in self.dock.card.about.text(), what="what this computer has")
            self.assertFalse(self.dock.work.isEnabled())
            self.shot(f"trouble_{name}")
        card = self.dock.card
        for name, change, words in (
            ("disk", {"NEEDED_BYTES": 10**18}, "Free some"),
            ("network", {"UV_INDEX": "http://127.0.0.1:9/"}, "cannot be reached"),
        ):
            with patch.multiple(install, **change):
                card.start.click()
                until(lambda: card.task is None, what="the set-up ends")
            self.assertIn(words, card.state.text())
            self.shot(f"trouble_{name}")
        self.dock.card.python.setFilePath(PYTHON)
        self.dock.card.use.click()
        self.ready()
        self.assertTrue(self.dock.work.isEnabled())


class Tiles(BaseHTTPRequestHandler):
    """Every tile shows the same roofs and trees."""

    def do_GET(self):
        pixels = np.ascontiguousarray(gdal.Open(SCENE).ReadAsArray(0, 0, 240, 240).transpose(1, 2, 0))
        image = QImage(pixels.tobytes(), 240, 240, 720, QImage.Format.Format_RGB888).scaled(256, 256)
        buffer = QBuffer()
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        image.save(buffer, "PNG")
        self.send_response(200)
        self.send_header("Content-Type", "image/png")
        self.end_headers()
        self.wfile.write(bytes(buffer.data()))

    def log_message(self, *arguments):
        pass


class Spooled(DockCase):
    def test_an_xyz_layer(self):
        server = ThreadingHTTPServer(("127.0.0.1", 0), Tiles)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/%7Bz%7D/%7Bx%7D/%7By%7D.png"
        layer = QgsRasterLayer(f"type=xyz&url={address}&zmin=0&zmax=19", "tiles", "wms")
        self.assertTrue(layer.isValid())
        self.assertEqual(layers.engine_path(layer), "")
        QgsProject.instance().addMapLayer(layer)
        self.ready()
        self.dock.raster.setLayer(layer)
        self.iface.canvas.setDestinationCrs(QgsCoordinateReferenceSystem("EPSG:3857"))
        self.iface.canvas.setExtent(QgsRectangle(9500000, 3200000, 9500200, 3200150))
        self.find(["the trees"], where=0)
        self.assertGreater(self.count(), 0, self.dock.message.text())
        self.assertEqual(self.dock.review.layer.crs().authid(), "EPSG:3857")
        self.find(["the trees"], where=3)
        self.assertIn("more than a map service", self.dock.message.text())
        server.shutdown()
        server.server_close()


if __name__ == "__main__":
    result = unittest.main(exit=False, verbosity=2, failfast=True).result
    ENGINE.close()
    os._exit(0 if result.wasSuccessful() else 1)  # without the teardown of Qt, which may trip over Python's
