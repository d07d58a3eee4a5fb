"""The Processing algorithms. They run in a background thread, wait for the engine there, and never touch the screen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qgis.core import (
    QgsFeatureSink,
    QgsProcessing,
    QgsProcessingAlgorithm,
    QgsProcessingException,
    QgsProcessingOutputString,
    QgsProcessingParameterBoolean,
    QgsProcessingParameterDefinition,
    QgsProcessingParameterExtent,
    QgsProcessingParameterFeatureSink,
    QgsProcessingParameterFeatureSource,
    QgsProcessingParameterField,
    QgsProcessingParameterFolderDestination,
    QgsProcessingParameterMultipleLayers,
    QgsProcessingParameterNumber,
    QgsProcessingParameterRasterDestination,
    QgsProcessingParameterRasterLayer,
    QgsProcessingParameterString,
    QgsProcessingUtils,
    QgsWkbTypes,
)
from qgis.PyQt.QtGui import QIcon

from . import settings
from .later import Later
from .words import explain, tr

contract, engine, jobs, layers, spool = map(Later, ("contract", "engine", "jobs", "layers", "spool"))
ICON = Path(__file__).parent / "resources" / "icon.svg"
HELP = "https://github.com/rrsis/rrsis/blob/main/docs/plugin.md"
REAL, WHOLE = QgsProcessingParameterNumber.Type.Double, QgsProcessingParameterNumber.Type.Integer
NUMBERS = (  # name, option of the engine, label, type, default, least, most
    ("GSD", "gsd", "Ground resolution in metres a pixel (empty: that of the weights)", REAL, None, 0.001, 1000.0),
    ("TILE", "tile", "Tile side in pixels (empty: that of the weights)", WHOLE, None, 64, 8192),
    ("LOOKS", "looks", "Looks at a tile, 1 or 2 (empty: 2 where its resolution is unknown or fine)", WHOLE, None, 1, 2),
    ("OVERLAP", "overlap", "Share of a tile that its neighbour sees too", REAL, 0.25, 0.0, 0.5),
    ("THRESHOLD", "threshold", "Probability that counts as found (empty: that of the weights)", REAL, None, 0.0, 1.0),
    ("MIN_AREA", "min_area_m2", "Smallest area in square metres", REAL, 0.0, 0.0, 1e12),
    ("MIN_SCORE", "min_score", "Lowest score", REAL, 0.0, 0.0, 1.0),
    ("SIMPLIFY", "simplify", "Simplify by so many pixels", REAL, 0.0, 0.0, 100.0),
    ("THREADS", "threads", "Threads of the processor (empty: one a core)", WHOLE, None, 1, 1024),
)
MAIN_NUMBERS = ("THRESHOLD", "MIN_AREA")


class Algorithm(QgsProcessingAlgorithm):
    """What the three have in common."""

    def createInstance(self) -> QgsProcessingAlgorithm:
        """Return a fresh one: Processing runs copies."""
        return type(self)()

    def icon(self) -> QIcon:
        """Return the icon."""
        return QIcon(str(ICON))

    def helpUrl(self) -> str:
        """Return where the manual is."""
        return HELP

    def tags(self) -> list[str]:
        """Return words to find it by."""
        return ["phrase", "text", "segmentation", "objects", "ai", "rrsis"]

    def _phrases(self, parameters: dict[str, Any], context: Any) -> list[str]:
        lines = self.parameterAsString(parameters, "PHRASES", context).splitlines()
        return list(dict.fromkeys(line.strip() for line in lines if line.strip()))

    def _add_options(self) -> None:
        """Add the parameters that are options of the engine."""
        for name, _, label, kind, default, least, most in NUMBERS:
            number = QgsProcessingParameterNumber(name, tr(label), kind, default, default is None, least, most)
            self._add(number, advanced=name not in MAIN_NUMBERS)
        self._add(QgsProcessingParameterBoolean("RIGHT_ANGLES", tr("Right angles"), False), advanced=True)
        weights = QgsProcessingParameterString("WEIGHTS", tr("Weights: a name or a file (empty: default)"), "")
        device = QgsProcessingParameterString("DEVICE", tr("Device: auto, cpu, cuda or mps"), "auto")
        for parameter in (weights, device):
            parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagOptional)
            self._add(parameter, advanced=True)

    def _add(self, parameter: Any, advanced: bool) -> None:
        if advanced:
            parameter.setFlags(parameter.flags() | QgsProcessingParameterDefinition.Flag.FlagAdvanced)
        self.addParameter(parameter)

    def _options(self, parameters: dict[str, Any], context: Any) -> dict[str, Any]:
        """Return the options of the engine that the parameters name."""
        options: dict[str, Any] = {"expressions": self._phrases(parameters, context), "overwrite": True}
        for name, option, _, kind, *_ in NUMBERS:
            if parameters.get(name) is None and self.parameterDefinition(name).defaultValue() is None:
                continue
            read = self.parameterAsInt if kind == WHOLE else self.parameterAsDouble
            options[option] = read(parameters, name, context)
        options["right_angles"] = self.parameterAsBool(parameters, "RIGHT_ANGLES", context)
        options["device"] = self.parameterAsString(parameters, "DEVICE", context) or "auto"
        options["weights"] = self.parameterAsString(parameters, "WEIGHTS", context) or None
        return options

    def _run(self, kind: str, body: dict[str, Any], feedback: Any) -> dict[str, Any]:
        """Run the engine; its errors become Processing's. Returns nothing where it was stopped."""
        try:
            return jobs.run(kind, body, feedback)
        except contract.RrsisError as error:
            if error.details:
                feedback.pushDebugInfo(error.details)
            raise QgsProcessingException(explain(error)) from error
        except contract.OperationCanceled:
            return {}


class SegmentByPhrase(Algorithm):
    """Polygons of what phrases name in one raster."""

    def name(self) -> str:
        """Return the name that models store; it never changes."""
        return "segmentbyphrase"

    def displayName(self) -> str:
        """Return the name that people see."""
        return tr("Segment by phrase")

    def shortHelpString(self) -> str:
        """Return the help beside the dialog."""
        return tr(
            "Finds what each phrase names in a raster, such as 'the blue roofs', and gives polygons with phrase, score "
            "and area. One phrase a line. The engine must be set up: open Phrase Segmentation in the Raster menu."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        """Declare the parameters."""
        self.addParameter(QgsProcessingParameterRasterLayer("INPUT", tr("Raster")))
        self.addParameter(
            QgsProcessingParameterString("PHRASES", tr("What are you looking for? One phrase a line"), "", True)
        )
        self.addParameter(QgsProcessingParameterExtent("EXTENT", tr("Search here only"), optional=True))
        self.addParameter(
            QgsProcessingParameterFeatureSource(
                "MASK",
                tr("Search inside these polygons only"),
                [QgsProcessing.SourceType.TypeVectorPolygon],
                optional=True,
            )
        )
        bands = QgsProcessingParameterString("BANDS", tr("Bands as red, green, blue, such as 4,3,2"), "")
        bands.setFlags(bands.flags() | QgsProcessingParameterDefinition.Flag.FlagOptional)
        self._add(bands, advanced=True)
        self._add_options()
        self.addParameter(QgsProcessingParameterFeatureSink("OUTPUT", tr("Found")))
        self._add(
            QgsProcessingParameterRasterDestination("PROB", tr("Probabilities"), optional=True, createByDefault=False),
            advanced=True,
        )

    def checkParameterValues(self, parameters: dict[str, Any], context: Any) -> Any:
        """Refuse what cannot work, before it is started."""
        if not self._phrases(parameters, context):
            return False, tr("Say what to look for.")
        return super().checkParameterValues(parameters, context)

    def prepareAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> bool:
        """Read, in the main thread, what belongs to it: layers and the project."""
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        if layer is None:
            raise QgsProcessingException(self.invalidRasterError(parameters, "INPUT"))
        self._crs, self._path, self._spool = layer.crs(), layers.engine_path(layer), None
        box = self.parameterAsExtent(parameters, "EXTENT", context, layer.crs())
        self._box = box.intersect(layer.extent()) if not box.isNull() else None
        if self._box is not None and self._box.isEmpty():
            raise QgsProcessingException(tr("The extent lies outside the raster."))
        if not self._path:
            try:
                gsd = self.parameterAsDouble(parameters, "GSD", context) if parameters.get("GSD") else None
                self._spool = spool.Spool(layer, self._box or layer.extent(), gsd)
            except contract.RrsisError as error:
                raise QgsProcessingException(explain(error)) from error
        return True

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        """Run the engine and hand its polygons to the sink."""
        folder = _scratch_folder()
        options = {**self._options(parameters, context), "output": str(folder / "answer.gpkg")}
        try:
            options["raster"] = self._spool.fetch(folder / "spool.tif", feedback) if self._spool else self._path
        except contract.OperationCanceled:
            return {}
        except contract.RrsisError as error:
            raise QgsProcessingException(explain(error)) from error
        if self._box is not None:
            options["bbox"] = [
                self._box.xMinimum(), self._box.yMinimum(), self._box.xMaximum(), self._box.yMaximum()
            ]  # fmt: skip
        bands = self.parameterAsString(parameters, "BANDS", context)
        if bands:
            options["bands"] = _numbers(bands)
        source = self.parameterAsSource(parameters, "MASK", context)
        if source is not None:
            if options.pop("bbox", None):
                feedback.pushInfo(tr("Polygons were given, so the extent is not looked at."))
            shapes = [feature.geometry() for feature in source.getFeatures()]
            options["aoi"] = layers.write_area(shapes, source.sourceCrs(), folder / "area.gpkg")
        probability = self.parameterAsOutputLayer(parameters, "PROB", context)
        if probability:
            options["probability"] = probability
        result = self._run("segment", {"options": options}, feedback)
        fields = layers.memory_layer("", self._crs, layers.answer_fields()).fields()
        sink, target = self.parameterAsSink(parameters, "OUTPUT", context, fields, QgsWkbTypes.Type.Polygon, self._crs)
        if sink is None:
            raise QgsProcessingException(self.invalidSinkError(parameters, "OUTPUT"))
        if result:
            weights, run_id = options["weights"] or "default", folder.name[:8]
            features = layers.answer_features(options["output"], weights, run_id)
            if not all(sink.addFeature(feature, QgsFeatureSink.Flag.FastInsert) for feature in features):
                raise QgsProcessingException(self.writeFeatureError(sink, parameters, "OUTPUT"))
            for item in result["found"]:
                feedback.pushInfo(tr("{phrase}: {count} found").format(phrase=item["phrase"], count=item["polygons"]))
        return {"OUTPUT": target, **({"PROB": probability} if probability and result else {})}


class SegmentBatch(Algorithm):
    """The same phrases in many rasters, a GeoPackage each."""

    def name(self) -> str:
        """Return the name that models store; it never changes."""
        return "segmentbatch"

    def displayName(self) -> str:
        """Return the name that people see."""
        return tr("Segment many rasters by phrase")

    def shortHelpString(self) -> str:
        """Return the help beside the dialog."""
        return tr("Looks for the same phrases in many raster files and writes a GeoPackage for each into a folder.")

    def initAlgorithm(self, configuration: Any = None) -> None:
        """Declare the parameters."""
        self.addParameter(
            QgsProcessingParameterMultipleLayers("INPUTS", tr("Rasters"), QgsProcessing.SourceType.TypeRaster)
        )
        self.addParameter(
            QgsProcessingParameterString("PHRASES", tr("What are you looking for? One phrase a line"), "", True)
        )
        self._add_options()
        self.addParameter(QgsProcessingParameterFolderDestination("FOLDER", tr("Folder for the GeoPackages")))

    def prepareAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> bool:
        """Read the layers in the main thread."""
        chosen = self.parameterAsLayerList(parameters, "INPUTS", context)
        self._rasters = [(layer.name(), layers.engine_path(layer)) for layer in chosen]
        lacking = [name for name, path in self._rasters if not path]
        if lacking:
            raise QgsProcessingException(tr("Only raster files can be searched many at once, not: ") + str(lacking))
        return True

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        """Run the engine once a raster."""
        folder = Path(self.parameterAsString(parameters, "FOLDER", context))
        folder.mkdir(parents=True, exist_ok=True)
        options = self._options(parameters, context)
        if not options["expressions"]:
            raise QgsProcessingException(tr("Say what to look for."))
        taken: set[str] = set()
        for number, (name, path) in enumerate(self._rasters):
            if feedback.isCanceled():
                break
            stem = Path(path).stem
            stem = stem if stem not in taken else f"{stem}_{number + 1}"
            taken.add(stem)
            feedback.pushInfo(f"{number + 1}/{len(self._rasters)} {name}")
            one = {**options, "raster": path, "output": str(folder / f"{stem}.gpkg")}
            self._run("segment", {"options": one}, feedback)
        return {"FOLDER": str(folder)}


class TrainingSamples(Algorithm):
    """A data set of a raster and the polygons that somebody drew."""

    def name(self) -> str:
        """Return the name that models store; it never changes."""
        return "trainingsamples"

    def displayName(self) -> str:
        """Return the name that people see."""
        return tr("Make training samples")

    def shortHelpString(self) -> str:
        """Return the help beside the dialog."""
        return tr(
            "Cuts a raster into tiles; the polygons of a tile with the same phrase become the mask of a record. "
            "Outline every instance: what is not outlined counts as not meant. The engine trains on it: rrsis train."
        )

    def initAlgorithm(self, configuration: Any = None) -> None:
        """Declare the parameters."""
        self.addParameter(QgsProcessingParameterRasterLayer("INPUT", tr("Raster")))
        polygons = [QgsProcessing.SourceType.TypeVectorPolygon]
        self.addParameter(QgsProcessingParameterFeatureSource("OUTLINES", tr("Polygons"), polygons))
        self.addParameter(QgsProcessingParameterField("FIELD", tr("Field with the phrase"), "phrase", "OUTLINES"))
        side = QgsProcessingParameterNumber("TILE", tr("Side of a sample in pixels"), WHOLE, 512, False, 32, 8192)
        self.addParameter(side)
        self.addParameter(QgsProcessingParameterFolderDestination("FOLDER", tr("Folder of the data set")))

    def prepareAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> bool:
        """Read the layer in the main thread."""
        layer = self.parameterAsRasterLayer(parameters, "INPUT", context)
        self._path = layers.engine_path(layer) if layer is not None else ""
        if not self._path:
            raise QgsProcessingException(tr("Training samples need a raster file."))
        return True

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        """Have the engine make the data set."""
        source = self.parameterAsSource(parameters, "OUTLINES", context)
        field = self.parameterAsString(parameters, "FIELD", context)
        folder = self.parameterAsString(parameters, "FOLDER", context)
        scratch = _scratch_folder()
        pairs = [(feature.geometry(), str(feature[field])) for feature in source.getFeatures()]
        vector = layers.write_outlines(pairs, source.sourceCrs(), scratch / "outlines.gpkg")
        tile = self.parameterAsInt(parameters, "TILE", context)
        body = {"folder": folder, "options": {"raster": self._path, "vector": vector, "tile": tile}}
        told = self._run("samples", body, feedback)
        for split, count in told.get("records", {}).items():
            feedback.pushInfo(f"{split}: {count}")
        return {"FOLDER": folder}


class EngineStatus(Algorithm):
    """What engine there is, as JSON."""

    def name(self) -> str:
        """Return the name that models store; it never changes."""
        return "enginestatus"

    def displayName(self) -> str:
        """Return the name that people see."""
        return tr("Engine status")

    def shortHelpString(self) -> str:
        """Return the help beside the dialog."""
        return tr("Tells which engine there is, its version, devices and weights.")

    def initAlgorithm(self, configuration: Any = None) -> None:
        """Declare the output."""
        self.addOutput(QgsProcessingOutputString("STATUS", tr("Status as JSON")))

    def processAlgorithm(self, parameters: dict[str, Any], context: Any, feedback: Any) -> dict[str, Any]:
        """Start the engine and ask it."""
        try:
            client = engine.ENGINE.client()
            status = {**client.ready, "weights": client.ask("weights")["names"], "folder": str(settings.home())}
        except contract.RrsisError as error:
            raise QgsProcessingException(explain(error)) from error
        feedback.pushInfo(json.dumps(status, indent=1))
        return {"STATUS": json.dumps(status)}


def _scratch_folder() -> Path:
    """Return a new folder that QGIS takes away at its end; its name is unique."""
    return Path(QgsProcessingUtils.generateTempFilename("answer.gpkg")).parent


def _numbers(text: str) -> list[int]:
    """Return the numbers of "4,3,2"."""
    try:
        return [int(part) for part in text.split(",")]
    except ValueError as error:
        raise QgsProcessingException(explain(_bad_bands(text))) from error


def _bad_bands(text: str) -> Any:
    return contract.ConfigError(f"'{text}' are no bands.", code="config.bands", hint="Give numbers with commas.")
