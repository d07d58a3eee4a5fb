"""One journey in the real desktop: load, type, Preview, Find, slider, Keep, Save. Run by `qgis --code`.

Environment: JOURNEY_SCENE, JOURNEY_PHRASES (a line each), JOURNEY_OUT (pictures and result.json), JOURNEY_WIDTH.
"""

import json
import os
import time
import traceback
from pathlib import Path

import qgis.utils
from qgis.core import QgsApplication, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import Qt, QTimer
from qgis.PyQt.QtTest import QTest
from qgis.PyQt.QtWidgets import QDockWidget
from qgis.utils import iface

OUT = Path(os.environ["JOURNEY_OUT"])
PHRASES = os.environ["JOURNEY_PHRASES"].splitlines()
LIMIT = float(os.environ.get("JOURNEY_LIMIT", "300"))
told = {}


def until(condition, what):
    deadline = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen: {what}")
        QTest.qWait(50)


def shot(name):
    iface.mapCanvas().waitWhileRendering()
    QTest.qWait(300)
    QgsApplication.primaryScreen().grabWindow(0).save(str(OUT / f"{name}.png"))


def journey():
    window = iface.mainWindow()
    window.resize(1280, 860)
    window.move(0, 0)
    window.findChild(QDockWidget, "Browser").hide()
    plugin = qgis.utils.plugins["phrase_segmentation"]
    layer = QgsRasterLayer(os.environ["JOURNEY_SCENE"], "scene")
    QgsProject.instance().addMapLayer(layer)
    iface.setActiveLayer(layer)
    iface.zoomToActiveLayer()
    began = time.monotonic()
    plugin.action.trigger()
    until(lambda: plugin.dock is not None and plugin.dock.isVisible(), "the dock is visible")
    told["dock_s"] = round(time.monotonic() - began, 3)
    dock = plugin.dock
    window.resizeDocks([dock], [int(os.environ.get("JOURNEY_WIDTH", "360"))], Qt.Orientation.Horizontal)
    until(lambda: "Ready" in dock.status.text(), "the engine is ready")
    QTest.keyClicks(dock.phrase.edit, PHRASES[0])
    if PHRASES[1:]:
        dock.phrase.set_phrases(PHRASES)
    dock.where.button(3).click()
    until(lambda: dock.phrase.chips.text() and dock.plan, "chips and cost")
    shot("1_typed")
    QTest.mouseClick(dock.preview, Qt.MouseButton.LeftButton)
    until(lambda: dock.task is None, "the preview ends")
    shot("2_preview")
    QTest.mouseClick(dock.find, Qt.MouseButton.LeftButton)
    until(lambda: dock.task is None or dock.bar.value() > 40, "progress")
    told["running"] = dock.task is not None
    shot("3_finding")
    until(lambda: dock.task is None, "the run ends")
    assert dock.review.layer is not None, dock.message.text()
    told["found"] = dock.review.layer.featureCount()
    shot("4_review")
    scores = sorted(feature["score"] for feature in dock.review.layer.getFeatures())
    dock.review.slider.setValue(int(100 * scores[len(scores) // 3]))
    dock.review.step(1)
    shot("5_slider")
    told["above"] = dock.review.layer.featureCount()
    QTest.mouseClick(dock.review.keep_button, Qt.MouseButton.LeftButton)
    iface.setActiveLayer(layer)
    iface.zoomToActiveLayer()
    shot("6_kept")
    group = QgsProject.instance().layerTreeRoot().findGroup("Phrase segmentation")
    told["kept"] = sum(node.layer().featureCount() for node in group.findLayers())
    dock.restore_run()
    dock.save(str(OUT / "saved.gpkg"))
    shot("7_saved")
    told["saved"] = QgsVectorLayer(str(OUT / "saved.gpkg"), "saved", "ogr").featureCount()
    told["width"] = dock.width()
    told["at_ease"] = dock.widget().widget().minimumSizeHint().width()
    told["start_of_the_plugin"] = qgis.utils.plugin_times.get("phrase_segmentation")
    told["theme"] = QgsApplication.themeName()
    told["folder"] = str(OUT)


def main():
    try:
        journey()
    except Exception:  # noqa: BLE001 # QGIS would swallow it
        told["error"] = traceback.format_exc()
        shot("error")
    (OUT / "result.json").write_text(json.dumps(told))
    QgsProject.instance().clear()
    QgsApplication.instance().quit()


QTimer.singleShot(1500, main)
