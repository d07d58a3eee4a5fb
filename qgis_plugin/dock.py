"""The dock: raster, phrase, where, Find, review, keep. What takes time is a task or a question; it waits for none."""

from __future__ import annotations

import datetime
import json
from importlib import import_module
from pathlib import Path
from typing import Any

from qgis.core import Qgis, QgsApplication, QgsGeometry, QgsProject, QgsRasterLayer, QgsVectorLayer
from qgis.PyQt.QtCore import Qt, QTimer, QUrl
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import QFileDialog, QMenu

from . import layers, places, runs, settings
from .algorithms import HELP
from .contract import OperationCanceled, RrsisError
from .drawing import PolygonTool
from .engine import ENGINE
from .panel import Panel
from .places import DRAWN
from .spool import USUAL_GSD, Spool
from .tasks import Asker, SegmentTask
from .words import clock, explain, tr

PLAN_MS = 300  # from the last change to the question what it costs
NO_ENGINE = ("worker.not_installed", "worker.start", "worker.protocol")


class Dock(Panel):
    """The one panel of the plugin, at work."""

    def __init__(self, iface: Any) -> None:
        super().__init__(iface.mapCanvas())
        self.iface = iface
        self.task: SegmentTask | None = None
        self.plan: dict[str, Any] | None = None
        self.run: dict[str, Any] = {}
        self._live: QgsVectorLayer | None = None
        self._project = 0
        self.asker = Asker(self)
        self.asker.answered.connect(self._hear)
        self.tool = PolygonTool(self.canvas)
        self.tool.drawn.connect(self._drawn)
        self._plan_timer = QTimer(self)
        self._plan_timer.setSingleShot(True)
        self._plan_timer.setInterval(PLAN_MS)
        self._plan_timer.timeout.connect(self._ask_plan)
        self._connect()
        self.start_engine()

    def _connect(self) -> None:
        self.change.toggled.connect(self.card.setVisible)
        self.help.clicked.connect(lambda: QDesktopServices.openUrl(QUrl(HELP)))
        self.card.ready.connect(self.start_engine)
        self.raster.layerChanged.connect(self._raster_changed)
        self.canvas.extentsChanged.connect(self._changed)
        self.where.idClicked.connect(self._where_clicked)
        self.phrase.changed.connect(self._phrase_changed)
        self.phrase.searched.connect(lambda: self.find.click())
        self.advanced.changed.connect(self._changed)
        self.advanced.weights_chosen.connect(self._ask_card)
        self.advanced.samples.clicked.connect(self.make_samples)
        self.find.clicked.connect(lambda: self.search())
        self.preview.clicked.connect(lambda: self.search(preview=True))
        self.stop.clicked.connect(self.stop_run)
        self.review.revised.connect(self._revise)
        self.review.kept.connect(self.keep)
        self.review.saved.connect(lambda: self.save())
        self.restore.clicked.connect(self.restore_run)
        self.runs.itemDoubleClicked.connect(lambda _: self.restore_run())
        menu = QMenu(self.copy)
        menu.addAction(tr("Command line"), lambda: self._copy(runs.as_command))
        menu.addAction(tr("Processing call"), lambda: self._copy(runs.as_processing))
        self.copy.setMenu(menu)
        project = QgsProject.instance()
        project.cleared.connect(self._project_left)
        project.layersWillBeRemoved.connect(self._layers_go)
        self.iface.currentLayerChanged.connect(self._follow)
        self._follow(self.iface.activeLayer())
        self._raster_changed()
        self._list_runs()

    # The engine -------------------------------------------------------------------------------------------------

    def start_engine(self) -> None:
        """Start the engine beside us; what it says comes to `_hear`."""
        self.status.setText(tr("Starting the engine…"))
        self.asker.do("hello", lambda: {**ENGINE.client().ready, "weights": ENGINE.ask("weights", {})})

    def _hear(self, kind: str, answer: Any) -> None:
        failed = isinstance(answer, (RrsisError, OperationCanceled))
        if failed and isinstance(answer, RrsisError) and answer.code in NO_ENGINE:
            self._no_engine(answer)
        elif kind == "hello":
            self._engine_is_there({} if failed else answer)
        elif kind == "plan":
            self._show_plan(answer)
        elif kind == "parse":
            self.phrase.show_parse(answer)
        elif kind == "revectorise":
            self._revised(answer)
        elif kind == "card":
            fault = {"card": {"name": explain(answer)}} if isinstance(answer, RrsisError) else {}
            self.advanced.show_card(fault if failed else answer)

    def _no_engine(self, error: RrsisError) -> None:
        self.status.setText(explain(error))
        self.card.explain(error)
        self.change.setChecked(True)
        self.work.setEnabled(False)
        self.work.hide()

    def _engine_is_there(self, told: dict[str, Any]) -> None:
        self.work.setEnabled(True)
        self.work.show()
        if told:
            self.status.setText(tr("Ready: engine {version}").format(version=told["version"]))
            self.change.setChecked(False)
            self.advanced.offer(told["weights"])
        else:
            self.status.setText(tr("Ready, but there are no weights: choose a file under Advanced."))
        self._changed()
        self.phrase.ask_again()

    def _ask_card(self, name: str) -> None:
        self.asker.do("card", lambda: ENGINE.ask("weights", {"weights": name or None}))

    # What is asked for ------------------------------------------------------------------------------------------

    def _follow(self, layer: Any) -> None:
        """Take the raster that the user works with."""
        if isinstance(layer, QgsRasterLayer) and self.task is None:
            self.raster.setLayer(layer)

    def _raster_changed(self, *_: Any) -> None:
        layer = self.raster.currentLayer()
        self.about_raster.setText("" if layer is not None else tr("Add a raster to the project first."))
        self.advanced.offer_bands(layer)
        self._changed()

    def _phrase_changed(self, phrase: str) -> None:
        if phrase:
            self.asker.ask("parse", {"expression": phrase})
        self._changed()

    def _changed(self, *_: Any) -> None:
        self._plan_timer.start()

    def _where_clicked(self, where: int) -> None:
        if where == DRAWN:
            self.tool.clear()
            self.canvas.setMapTool(self.tool)
            self.cost.setText(tr("Click the corners on the map, finish with a right click."))
        else:
            self.tool.clear()
            self.canvas.unsetMapTool(self.tool)
            self._changed()

    def _drawn(self) -> None:
        self.canvas.unsetMapTool(self.tool)
        self._changed()

    def _area(self, layer: QgsRasterLayer, preview: bool) -> places.Area:
        if preview:
            return places.around_the_middle(self.canvas, layer, self._preview_side(layer))
        return places.chosen(self.where.checkedId(), self.canvas, layer, self.tool.geometry, self.iface.activeLayer())

    def _preview_side(self, layer: QgsRasterLayer) -> float:
        """Return the side of one tile, in units of the raster."""
        plan = self.plan or {}
        pixels = plan.get("tile", 512)
        if not layers.engine_path(layer):
            return pixels * (self.advanced.gsd() or USUAL_GSD)
        return pixels * (plan.get("gsd") or 1.0) / (plan.get("raster_gsd") or 1.0) * layer.rasterUnitsPerPixelX()

    def _options(self, preview: bool = False) -> tuple[dict[str, Any], Spool | None, list[QgsGeometry], Any]:
        """Return what the engine is to do. Raises ValueError with words, RrsisError."""
        layer = self.raster.currentLayer()
        if layer is None:
            raise ValueError(tr("Add a raster to the project first."))
        box, shapes, crs = self._area(layer, preview)
        options = {**self.advanced.options(), "expressions": self.phrase.phrases() or ["?"]}
        path, spool = layers.engine_path(layer), None
        if path:
            options["raster"] = path
        else:
            spool = Spool(layer, box, options.get("gsd"))
        if not shapes and box != layer.extent() and spool is None:
            options["bbox"] = [box.xMinimum(), box.yMinimum(), box.xMaximum(), box.yMaximum()]
        return options, spool, shapes, crs

    def _ask_plan(self) -> None:
        self.plan = None if self.raster.currentLayer() is None else self.plan
        if self.task is not None or not self.work.isEnabled() or self.raster.currentLayer() is None:
            return
        try:
            options, spool, shapes, crs = self._options()
        except (ValueError, RrsisError) as error:
            self.cost.setText(explain(error) if isinstance(error, RrsisError) else str(error))
            return
        if spool is not None:
            words = tr("{width} x {height} pixels will be fetched")
            self.cost.setText(words.format(width=spool.size[0], height=spool.size[1]))
            return
        if shapes:
            folder = settings.home()
            options["aoi"] = layers.write_area(shapes, crs, folder / "plan.gpkg")
        self.asker.ask("plan", {"options": options})

    def _show_plan(self, answer: Any) -> None:
        if isinstance(answer, (RrsisError, OperationCanceled)):
            self.plan = None
            self.cost.setText(explain(answer) if isinstance(answer, RrsisError) else "")
            return
        self.plan = answer
        gsd, count = answer["raster_gsd"], len(self.phrase.phrases()) or 1
        parts = [f"{gsd:.3g} m/px" if gsd else tr("ground resolution unknown")]
        parts.append(answer["crs"] or tr("no CRS"))
        parts.append(f"{answer['dtype']}, {tr('bands')} {', '.join(map(str, answer['bands']))}")
        self.about_raster.setText(" · ".join(parts))
        cost = [tr("{count} tiles").format(count=answer["tiles"])]
        speed = float(settings.get("seconds_a_tile", "0") or 0)
        if speed:
            cost.append(tr("about {time}").format(time=clock(speed * answer["tiles"] * count * _work(answer))))
        cost.append(tr("{gb:.1f} GB memory").format(gb=answer["memory_mb"] / 1000))
        if answer["tiles"] > 400:
            cost.append(tr("try a preview first"))
        self.cost.setText(" · ".join(cost))

    # Running ----------------------------------------------------------------------------------------------------

    def search(self, preview: bool = False) -> None:
        """Start a run."""
        if self.task is not None:
            return
        phrases = self.phrase.phrases()
        if not phrases:
            self.say(tr("Say what to look for."))
            self.phrase.edit.setFocus()
            return
        try:
            options, spool, shapes, crs = self._options(preview)
            folder = runs.new_folder()
            if shapes:
                options["aoi"] = layers.write_area(shapes, crs, folder / "area.gpkg")
        except (ValueError, RrsisError, OSError) as error:
            self.say(explain(error) if isinstance(error, RrsisError) else str(error))
            return
        settings.remember(phrases)
        self.phrase.fill_history()
        layer = self.raster.currentLayer()
        options.update(output=str(folder / "answer.gpkg"), probability=str(folder / "probability.tif"), overwrite=True)
        self.run = {
            "id": folder.name[-6:], "folder": str(folder), "options": options, "raster": layer.name(),
            "when": datetime.datetime.now().isoformat(timespec="seconds"), "crs": layer.crs().authid(),
            "wkt": layer.crs().toWkt(), "weights": options.get("weights") or "default",
            "probability": options["probability"], "preview": preview,
        }  # fmt: skip
        self.review.clear()
        self.review.hide()
        self.message.hide()
        self._open_live(layer)
        self._start(SegmentTask(", ".join(phrases), options, folder, spool, live=True))

    def _start(self, task: SegmentTask) -> None:
        self.task, project = task, self._project
        task.stepped.connect(self._step)
        task.noted.connect(self._note)
        task.pieces.connect(self._show_pieces)
        task.ended.connect(lambda outcome: self._ended(outcome, project))
        self._busy(True)
        self.bar.setValue(0)
        self.progress.setText(tr("Waiting for the engine…"))
        QgsApplication.taskManager().addTask(task)

    def _busy(self, busy: bool) -> None:
        for part in (self.bar, self.progress, self.stop):
            part.setVisible(busy)
        self.stop.setEnabled(busy)
        self.find.setEnabled(not busy)
        self.preview.setEnabled(not busy)

    def stop_run(self) -> None:
        """Stop, and keep what was found."""
        if self.task is not None:
            self.stop.setEnabled(False)
            self.progress.setText(tr("Stopping…"))
            self.task.cancel()

    def _step(self, body: dict[str, Any]) -> None:
        self.bar.setValue(round(100 * body["overall"]))
        if not self.stop.isEnabled():
            return
        text = f"{body['done']} / {body['total']}" if body["stage"] == "infer" else tr("Writing…")
        if body.get("eta_s"):
            text += " · " + tr("{time} left").format(time=clock(body["eta_s"]))
        self.progress.setText(text)

    def _note(self, text: str) -> None:
        if text == "spool":
            self.progress.setText(tr("Fetching the picture…"))
        else:
            self.say(text)

    def say(self, text: str) -> None:
        """Show a sentence under the buttons."""
        self.message.setText(text)
        self.message.setVisible(bool(text))

    def _open_live(self, layer: QgsRasterLayer) -> None:
        self._close_live()
        live = layers.memory_layer(tr("Being found"), layer.crs(), layers.answer_fields())
        live.setFlags(QgsVectorLayer.LayerFlag.Private)
        layers.style(live, self.run["options"]["expressions"], 0.2)
        QgsProject.instance().addMapLayer(live, False)
        QgsProject.instance().layerTreeRoot().insertLayer(0, live)
        self._live = live

    def _close_live(self) -> None:
        if self._live is not None:
            QgsProject.instance().removeMapLayer(self._live.id())
            self._live = None

    def _show_pieces(self, path: str) -> None:
        """Show pieces of the answer as tiles are done."""
        if self._live is None:
            return
        pieces = layers.piece_features(path, self.run["options"]["expressions"], self._live.fields())
        self._live.dataProvider().addFeatures(pieces)
        self._live.triggerRepaint()
        Path(path).unlink(missing_ok=True)

    def _ended(self, outcome: Any, project: int) -> None:
        """Take what a run gave, in the main thread."""
        self.task = None
        self._busy(False)
        self._close_live()
        if isinstance(outcome, RrsisError):
            self.say(explain(outcome))
            self._tell(explain(outcome), Qgis.MessageLevel.Critical, 0)
            QgsApplication.messageLog().logMessage(outcome.details or str(outcome), "Phrase Segmentation")
            if outcome.code in NO_ENGINE:
                self._no_engine(outcome)
            return
        if outcome is None:
            self.say(tr("Stopped; nothing was found by then."))
            return
        tiles = outcome.get("stopped_after") or outcome["tiles"]
        if tiles and not self.run["preview"]:
            each = outcome["seconds"] / tiles / len(outcome["found"]) / _work(outcome)
            settings.put("seconds_a_tile", str(round(each, 4)))
        self.run.update(
            {key: outcome[key] for key in ("found", "seconds", "threshold")}, stopped=outcome.get("stopped_after")
        )
        runs.store(Path(self.run["folder"]), self.run)
        self._list_runs()
        self._changed()
        if project != self._project:
            return  # another project is open by now: the run waits in the list
        self._open_review(self.run, self.run["options"]["output"])
        for item in outcome["found"]:
            if not item["polygons"]:
                self.say(
                    tr("Nothing for '{phrase}'; the surest pixel had {best:.2f}.").format(
                        phrase=item["phrase"], best=item["best"]
                    )
                )

    def _open_review(self, run: dict[str, Any], path: str) -> None:
        crs = self.canvas.mapSettings().destinationCrs()
        crs.createFromWkt(run["wkt"])
        self.review.open(run, path, crs)
        self.review.show()

    # Review, keep, save -----------------------------------------------------------------------------------------

    def _revise(self, numbers: dict[str, Any]) -> None:
        run = self.review.run
        options = {**run["options"], **numbers, "output": str(Path(run["folder"]) / "revised.gpkg"), "overwrite": True}
        for name in ("probability", "bbox", "aoi"):
            options.pop(name, None)
        self.asker.ask("revectorise", {"probability": run["probability"], "options": options})

    def _revised(self, answer: Any) -> None:
        if isinstance(answer, (RrsisError, OperationCanceled)):
            self.say(explain(answer) if isinstance(answer, RrsisError) else "")
        elif self.review.layer is not None:
            run = self.review.run
            run["options"].update(self.review.numbers())
            self.review.show_file(answer["outputs"]["output"], self.review.layer.crs())

    def keep(self) -> None:
        """Make a layer of what is shown, one a phrase, in our group."""
        count = 0
        for phrase in self.review.run["options"]["expressions"]:
            found = [f for f in self.review.shown() if f["phrase"] == phrase[: layers.PHRASE_LETTERS]]
            layers.add(layers.kept(phrase, found, self.review.layer.crs(), self._as_shown()))
            count += len(found)
        self.review.clear()
        self.review.hide()
        text = tr("{count} polygons kept as scratch layers.").format(count=count)
        self._tell(text, Qgis.MessageLevel.Success, 5)

    def save(self, path: str = "") -> None:
        """Write what is shown to a file, and add it to the project."""
        if not path:
            kinds = "GeoPackage (*.gpkg);;Shapefile (*.shp);;GeoJSON (*.geojson)"
            path, kind = QFileDialog.getSaveFileName(self, tr("Save what was found"), "", kinds)
            if not path:
                return
            if not Path(path).suffix:
                path += kind.split("*")[1].rstrip(")")
        try:
            layers.save(self.review.layer, path)
        except RrsisError as error:
            self.say(explain(error))
            return
        phrases = self.review.run["options"]["expressions"]
        layer = QgsVectorLayer(path, f"{', '.join(phrases)} ({self.review.layer.featureCount()})", "ogr")
        layers.style(layer, phrases)
        layers.describe(layer, self._as_shown())
        layer.saveDefaultMetadata()
        layers.add(layer)
        self.review.clear()
        self.review.hide()
        self._tell(tr("Saved: ") + path, Qgis.MessageLevel.Success, 5)

    def _tell(self, text: str, level: Any, seconds: int) -> None:
        self.iface.messageBar().pushMessage(tr("Phrase Segmentation"), text, level, seconds)

    def _as_shown(self) -> dict[str, Any]:
        """Return the run with the numbers of the review."""
        run = self.review.run
        numbers = {**self.review.numbers(), "min_score": self.review.slider.value() / 100}
        return {**run, "options": {**run["options"], **numbers}}

    # Runs -------------------------------------------------------------------------------------------------------

    def _list_runs(self) -> None:
        self.runs.clear()
        for run in runs.stored():
            self.runs.addItem(runs.title(run))
            self.runs.item(self.runs.count() - 1).setData(Qt.ItemDataRole.UserRole, json.dumps(run))

    def _chosen_run(self) -> dict[str, Any]:
        item = self.runs.currentItem() or self.runs.item(0)
        return json.loads(item.data(Qt.ItemDataRole.UserRole)) if item else {}

    def restore_run(self) -> None:
        """Show an earlier run again."""
        run = self._chosen_run()
        if run and self.task is None:
            self.run = run
            self.phrase.set_phrases(run["options"]["expressions"])
            self._open_review(run, run["options"]["output"])

    def make_samples(self) -> None:
        """Open the Processing dialog that makes a data set of the raster and the polygons of the active layer."""
        layer, active = self.raster.currentLayer(), self.iface.activeLayer()
        known = {"INPUT": layer.id() if layer is not None else None}
        if isinstance(active, QgsVectorLayer):
            known["OUTLINES"] = active.id()
        import_module("processing").execAlgorithmDialog("rrsis:trainingsamples", known)

    def _copy(self, words: Any) -> None:
        run = self._chosen_run() or self.run
        if run:
            QgsApplication.clipboard().setText(words(run))

    # Coming and going -------------------------------------------------------------------------------------------

    def _project_left(self) -> None:
        """Another project: what is on the map is gone; a run goes on and waits in the list."""
        self._project += 1
        self.tool.clear()

    def _layers_go(self, ids: list[str]) -> None:
        if self._live is not None and self._live.id() in ids:
            self._live = None

    def shut(self) -> None:
        """Let go of everything; the dock is about to be deleted."""
        self._plan_timer.stop()
        self.asker.close()
        if self.task is not None:
            self.task.ended.disconnect()
            self.task.cancel()
            self.task = None
        project = QgsProject.instance()
        project.cleared.disconnect(self._project_left)
        project.layersWillBeRemoved.disconnect(self._layers_go)
        self.iface.currentLayerChanged.disconnect(self._follow)
        self.canvas.extentsChanged.disconnect(self._changed)
        self.canvas.unsetMapTool(self.tool)
        self.tool.remove()
        self._close_live()
        self.review.clear()
        self.card.shut()


def _work(told: dict[str, Any]) -> int:
    """Return how many single looks a tile costs, by a plan or an outcome: two take nearly four times as long as one."""
    return 4 if told.get("looks") == 2 else 1
