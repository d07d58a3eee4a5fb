"""A mosaic is one raster made of several whose pixels lie on one grid: a VRT, which names them and holds no pixel.

What is found in a mosaic is exact: no seam, nothing twice. Where scenes overlap the later one is seen.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import shapely
from affine import Affine

from rrsis_core.contract import RasterError
from rrsis_core.geo.raster import open_raster
from rrsis_core.geo.raster_info import RasterInfo, carried
from rrsis_core.geo.staging import staged, write_errors

MOSAIC_SUFFIXES = (".vrt",)
OFF_GRID = 0.1  # pixels that a corner may lie beside the grid: rounding in headers, web tiles stored in degrees
GDAL_TYPES = {"uint8": "Byte", "int8": "Int8"}  # the others are called as in numpy, with a capital


@dataclass(frozen=True)
class _Scene:
    info: RasterInfo
    always_valid: bool
    column: int
    row: int
    """Of its upper left pixel, on the mosaic."""


def write_mosaic(paths: Sequence[str | os.PathLike[str]], target: str | os.PathLike[str]) -> tuple[int, int]:
    """Write rasters of one grid as one VRT; return its width and height.

    Raises RasterError raster.grid where one of them does not fit to the first (`misfit` says why), those of
    `open_raster`, and SinkError.
    """
    infos, valid = [], []
    for path in paths:
        with open_raster(path) as raster:
            infos.append(raster.info)
            valid.append(raster.always_valid)
    for info in infos:
        if why := misfit(infos[0], info):
            raise RasterError(
                f"{info.path} and {infos[0].path} do not lie on one grid: they differ in {why}.",
                code="raster.grid",
                hint="Search each of them, then put the results together with rrsis merge.",
            )
    corners = np.array([_corner(infos[0], info) for info in infos])
    corners -= corners.min(axis=0)
    scenes = [_Scene(info, sure, *corner) for info, sure, corner in zip(infos, valid, corners.tolist(), strict=True)]
    width = max(scene.column + scene.info.width for scene in scenes)
    height = max(scene.row + scene.info.height for scene in scenes)
    document = _document(scenes, width, height, Path(target).absolute().parent)
    with staged(target) as part, write_errors(Path(target)):
        ElementTree.indent(document)
        document.write(part, encoding="unicode")
    return width, height


def misfit(first: RasterInfo, other: RasterInfo) -> str:
    """Return in what two rasters differ so that they are not parts of one, in words; empty where they fit."""
    for what, differ in (
        ("place: only one of them has one, or none", not (first.georeferenced and other.georeferenced)),
        ("palettes, which may differ", first.has_palette or other.has_palette),
        ("CRS", first.crs != other.crs),
        ("bands", (first.count, first.colorinterp) != (other.count, other.colorinterp)),
        ("data type", first.dtype != other.dtype),
        ("nodata value", repr(first.nodata) != repr(other.nodata)),
    ):
        if differ:
            return what
    corners = np.array([(x, y) for x in (0.0, other.width) for y in (0.0, other.height)])
    moved = carried(carried(corners, other.transform), ~first.transform) - corners
    if np.abs(moved - np.rint(moved[0])).max() > OFF_GRID:
        return "the places of their pixels"
    return ""


def _corner(first: RasterInfo, other: RasterInfo) -> tuple[int, int]:
    column, row = ~first.transform @ (other.transform @ (0, 0))
    return round(column), round(row)


def _document(scenes: Sequence[_Scene], width: int, height: int, folder: Path) -> ElementTree.ElementTree:
    first, info = scenes[0], scenes[0].info
    transform = info.transform @ Affine.translation(-first.column, -first.row)
    root = ElementTree.Element("VRTDataset", rasterXSize=str(width), rasterYSize=str(height))
    if info.crs is not None:
        ElementTree.SubElement(root, "SRS").text = info.crs.to_wkt()
    ElementTree.SubElement(root, "GeoTransform").text = ", ".join(map(repr, transform.to_gdal()))
    for number in range(1, info.count + 1):
        band = ElementTree.SubElement(root, "VRTRasterBand", dataType=_gdal_type(info.dtype), band=str(number))
        if description := info.descriptions[number - 1]:
            ElementTree.SubElement(band, "Description").text = description
        ElementTree.SubElement(band, "ColorInterp").text = info.colorinterp[number - 1].capitalize()
        if info.nodata is not None:
            ElementTree.SubElement(band, "NoDataValue").text = repr(info.nodata)
        for scene in scenes:
            source = _source(band, scene, str(number), folder)
            if info.nodata is not None:
                ElementTree.SubElement(source, "NODATA").text = repr(info.nodata)
            elif info.colorinterp[number - 1] == "alpha":
                ElementTree.SubElement(source, "NODATA").text = "0"
            elif not scene.always_valid:
                ElementTree.SubElement(source, "UseMaskBand").text = "true"
    if info.nodata is None and "alpha" not in info.colorinterp and not _is_full(scenes, width, height):
        mask = ElementTree.SubElement(ElementTree.SubElement(root, "MaskBand"), "VRTRasterBand", dataType="Byte")
        for scene in scenes:  # what one scene does not know another may
            ElementTree.SubElement(_source(mask, scene, "mask,1", folder), "NODATA").text = "0"
    return ElementTree.ElementTree(root)


def _is_full(scenes: Sequence[_Scene], width: int, height: int) -> bool:
    """Return whether every pixel of the mosaic holds something, so that it needs no mask."""
    left, top = np.array([(scene.column, scene.row) for scene in scenes]).T
    right, bottom = np.array([(s.column + s.info.width, s.row + s.info.height) for s in scenes]).T
    covered = shapely.union_all(shapely.box(left, top, right, bottom)).area
    return covered == width * height and all(scene.always_valid for scene in scenes)


def _source(band: ElementTree.Element, scene: _Scene, number: str, folder: Path) -> ElementTree.Element:
    source = ElementTree.SubElement(band, "ComplexSource")
    path, within = scene.info.path, "0"
    if not path.startswith("/vsi") and "://" not in path:
        whole = Path(path).absolute()
        if whole.is_relative_to(folder):  # so that the folder may move
            path, within = whole.relative_to(folder).as_posix(), "1"
        else:
            path = str(whole)
    ElementTree.SubElement(source, "SourceFilename", relativeToVRT=within).text = path
    ElementTree.SubElement(source, "SourceBand").text = number
    width, height = str(scene.info.width), str(scene.info.height)
    ElementTree.SubElement(source, "SrcRect", xOff="0", yOff="0", xSize=width, ySize=height)
    place = {"xOff": str(scene.column), "yOff": str(scene.row)}
    ElementTree.SubElement(source, "DstRect", place, xSize=width, ySize=height)
    return source


def _gdal_type(dtype: str) -> str:
    return GDAL_TYPES.get(dtype, dtype.capitalize().replace("Uint", "UInt"))
