"""A raster is a grid of pixels in bands, with a place on the earth and a rule that says which pixels hold nothing.

This file opens rasters and reads them, and nothing else in the product does. Windows are `rasterio.windows.Window`,
in pixels of the raster from its upper left corner; those of `Raster.read` may be fractional and are never rounded.
"""

from __future__ import annotations

import dataclasses
import math
import os
import threading
import warnings
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

import numpy as np
import rasterio
from affine import Affine
from numpy.typing import NDArray
from rasterio.enums import ColorInterp, MaskFlags, Resampling
from rasterio.errors import NotGeoreferencedWarning, RasterioError
from rasterio.vrt import WarpedVRT
from rasterio.windows import Window

from rrsis_core.contract import RasterError
from rrsis_core.geo.raster_info import PIXEL_TRANSFORM, RasterInfo

CACHE_MIN_BYTES, CACHE_MAX_BYTES = 64 * 2**20, 256 * 2**20

Bands = Sequence[int]
Chip = tuple[NDArray[np.generic], NDArray[np.bool_]]


class Raster:
    """An open raster. Made by `open_raster`; everything it returns is a copy in memory.

    Every reader returns a chip (bands, height, width) that is 0 where the raster holds nothing, and validity (height,
    width), False there. A pixel holds nothing if the raster says so (nodata value, mask, alpha 0, transparent palette
    colour) or if one of the bands asked for is not finite. Bands are numbered from 1; the default is
    `info.default_bands`. All raise RasterError raster.bands, and raster.corrupt where the file breaks off.
    """

    def __init__(self, dataset: rasterio.DatasetReader | WarpedVRT, info: RasterInfo) -> None:
        self.info = info
        self._dataset = dataset
        self._lock = threading.Lock()
        self._palette = _lookup_table(dataset) if info.has_palette else None  # (colours, 4), uint8
        self._alpha = info.colorinterp.index("alpha") + 1 if "alpha" in info.colorinterp else None
        self._masked = any(MaskFlags.all_valid not in flags for flags in dataset.mask_flag_enums)
        self._floating = bool(np.issubdtype(np.dtype(info.dtype), np.floating))

    @property
    def always_valid(self) -> bool:
        """True when no pixel can be nodata, so that nobody needs to ask."""
        transparent = self._palette is not None and not self._palette[:, 3].all()
        return self._alpha is None and not (self._masked or self._floating or transparent)

    def read(self, window: Window, out_shape: tuple[int, int], bands: Bands | None = None) -> Chip:
        """Read a fractional window inside the raster, resampled to `out_shape` (height, width).

        Windows that sample the same places return the same values there, bit for bit. Overviews are not used: nobody
        knows how they were made, and neighbouring windows might be given different ones.
        """
        hull = _hull(window, out_shape, self.info)
        if out_shape == (window.height, window.width) and not any(value % 1 for value in window.flatten()):
            hull = window
        pixels, valid = self._read_at(hull, (int(hull.height), int(hull.width)), bands, Resampling.nearest)
        if hull is window:
            return pixels, valid
        return _resample(pixels, None if self.always_valid else valid, _relative(window, hull), out_shape)

    def valid(self, window: Window, bands: Bands | None = None) -> NDArray[np.bool_]:
        """Return validity (height, width) of a whole-numbered window at the raster's own resolution."""
        shape = int(window.height), int(window.width)
        if self.always_valid:
            return np.ones(shape, bool)
        if self._palette is None and not self._floating:
            return self._declared_valid(window, shape)
        return self._read_at(window, shape, bands, Resampling.nearest)[1]

    def read_decimated(self, window: Window, max_pixels: int, bands: Bands | None = None, smooth: bool = False) -> Chip:
        """Read a window of any size as about `max_pixels` pixels or fewer, from overviews where there are some.

        The values are those of single pixels, as statistics need them; `smooth` averages them instead, for the eye.
        """
        shrink = max(1.0, math.sqrt(window.height * window.width / max_pixels))
        out_shape = max(1, round(window.height / shrink)), max(1, round(window.width / shrink))
        smooth = smooth and self._palette is None  # the mean of two palette entries is a third, unrelated colour
        return self._read_at(window, out_shape, bands, Resampling.average if smooth else Resampling.nearest)

    def _read_at(self, window: Window, out_shape: tuple[int, int], bands: Bands | None, resampling: Resampling) -> Chip:
        bands = bands or self.info.default_bands
        self.info.check_bands(bands)
        unique = sorted(set(bands))
        with self._reading(window):
            if self._palette is not None:
                colours = self._palette[self._dataset.read(1, window=window, out_shape=out_shape)]
                pixels = np.moveaxis(colours, -1, 0)[[band - 1 for band in unique]]
            else:
                how = {"window": window, "resampling": resampling, "out_dtype": self.info.dtype}
                groups = [unique] if len(set(self._dataset.dtypes)) == 1 else [[band] for band in unique]
                parts = [self._dataset.read(group, out_shape=(len(group), *out_shape), **how) for group in groups]
                pixels = parts[0] if len(parts) == 1 else np.concatenate(parts)
        valid = np.ones(out_shape, bool) if self.always_valid else self._declared_valid(window, out_shape)
        if self._palette is not None:
            valid &= colours[..., 3] != 0
        if self._floating:
            valid &= np.isfinite(pixels).all(axis=0)
        pixels[:, ~valid] = 0
        return (pixels if list(bands) == unique else pixels[[unique.index(band) for band in bands]]), valid

    @contextmanager
    def _reading(self, window: Window) -> Iterator[None]:
        """One thread reads at a time, as GDAL wants it."""
        try:
            with self._lock:
                yield
        except RasterioError as error:
            raise RasterError(
                f"{self.info.path} cannot be read to its end: it is damaged or was cut off.",
                code="raster.corrupt",
                hint="Copy or download it again.",
                details=f"{window}: {error}",
            ) from error

    def _declared_valid(self, window: Window, out_shape: tuple[int, int]) -> NDArray[np.bool_]:
        with self._reading(window):
            if self._alpha is not None:
                # The band itself: GDAL's mask of a 16-bit alpha is scaled to 8 bits.
                return self._dataset.read(self._alpha, window=window, out_shape=out_shape) != 0
            return self._dataset.dataset_mask(window=window, out_shape=out_shape) != 0


@contextmanager
def open_raster(path: str | os.PathLike[str], alpha_band: int | None = None) -> Iterator[Raster]:
    """Open a file, VRT or GDAL virtual path (/vsizip/, /vsicurl/ ...) for reading.

    `alpha_band` is taken for alpha whatever the raster says of it: a band without a label may as well be near infrared.
    Raises RasterError raster.not_found, raster.bands, or raster.unreadable if it is no raster or holds complex numbers.
    A raster placed by ground control points alone is warped to their CRS while it is read.
    """
    with ExitStack() as stack:
        # People set this one for speed on object stores; it hides .msk, .ovr and .aux.xml files, so masks and places.
        stack.enter_context(rasterio.Env(GDAL_DISABLE_READDIR_ON_OPEN="FALSE"))
        dataset = stack.enter_context(_open(os.fspath(path)))
        control_points, control_crs = dataset.gcps
        source = dataset
        if dataset.crs is None and dataset.transform.is_identity and control_points and control_crs is not None:
            unmasked = all(MaskFlags.all_valid in flags for flags in dataset.mask_flag_enums)
            warp = {"src_crs": control_crs, "crs": control_crs, "add_alpha": unmasked}
            source = stack.enter_context(WarpedVRT(dataset, resampling=Resampling.bilinear, **warp))
        info = _describe(os.fspath(path), source)
        if alpha_band is not None:
            info.check_bands((alpha_band,))
            meanings = ["undefined" if meaning == "alpha" else meaning for meaning in info.colorinterp]
            meanings[alpha_band - 1] = "alpha"
            info = dataclasses.replace(info, colorinterp=tuple(meanings))
        yield Raster(source, info)


def gdal_environment(info: RasterInfo | None = None, rows: int = 0) -> rasterio.Env:
    """Return GDAL's settings for a run, to be entered with `with`; again once the raster is known.

    The block cache holds what the tiles of one tile row, `rows` raster rows high, share, so that the strips of an
    untiled raster are decoded once and not once a tile; never more than 256 MiB.
    """
    needed = 0 if info is None else 2 * rows * info.width * info.count * np.dtype(info.dtype).itemsize
    return rasterio.Env(GDAL_CACHEMAX=min(max(needed, CACHE_MIN_BYTES), CACHE_MAX_BYTES))


def _open(path: str) -> rasterio.DatasetReader:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", NotGeoreferencedWarning)  # RasterInfo.caveat says it
            dataset = rasterio.open(path)
    except RasterioError as error:
        raise _not_opened(path, error) from error
    if dataset.count and not any(name.startswith("complex") for name in dataset.dtypes):
        return dataset
    parts = dataset.subdatasets
    dataset.close()
    if parts:
        what, hint = "holds several rasters and is none itself", f"Give one of them, such as {parts[0]}"
    else:
        what, hint = "holds complex numbers", "Give a picture, such as their amplitude."
    raise RasterError(f"{path} {what}.", code="raster.unreadable", hint=hint, details="\n".join(parts))


def _not_opened(path: str, error: RasterioError) -> RasterError:
    if path.startswith("/vsi") or "://" in path:
        missing = any(sign in str(error) for sign in ("No such file", "does not exist", "404"))
    else:
        missing = not os.path.exists(path) and "<VRTDataset" not in path
    if missing:
        return RasterError(
            f"There is no raster at {path}.", code="raster.not_found", hint="Check the path.", details=str(error)
        )
    return RasterError(
        f"{path} is not a raster that can be read.",
        code="raster.unreadable",
        hint="Give a GeoTIFF, a VRT, a JPEG or another format that GDAL reads.",
        details=str(error),
    )


def _describe(path: str, dataset: rasterio.DatasetReader | WarpedVRT) -> RasterInfo:
    has_palette = dataset.count == 1 and dataset.colorinterp[0] is ColorInterp.palette
    georeferenced = not dataset.transform.is_identity
    return RasterInfo(
        path=path,
        width=dataset.width,
        height=dataset.height,
        count=3 if has_palette else dataset.count,
        dtype="uint8" if has_palette else str(np.result_type(*dataset.dtypes)),
        crs=dataset.crs if georeferenced and dataset.crs else None,
        transform=dataset.transform if georeferenced else PIXEL_TRANSFORM,
        georeferenced=georeferenced,
        nodata=dataset.nodata,
        colorinterp=tuple(meaning.name for meaning in dataset.colorinterp),
        descriptions=tuple(dataset.descriptions),
        has_palette=has_palette,
    )


def _lookup_table(dataset: rasterio.DatasetReader | WarpedVRT) -> NDArray[np.uint8]:
    # As long as the index type allows: an index without an entry is opaque black then, and no error.
    table = np.zeros((256 if dataset.dtypes[0] == "uint8" else 65536, 4), np.uint8)
    table[:, 3] = 255
    colormap = dataset.colormap(1)
    table[list(colormap)] = list(colormap.values())
    return table


def _hull(window: Window, out_shape: tuple[int, int], info: RasterInfo) -> Window:
    """Return the whole pixels that resampling a window looks at: those under it and under the rim of the filter."""
    margin_x, margin_y = (
        2 + math.ceil(max(1.0, size / count))
        for size, count in zip((window.width, window.height), out_shape[::-1], strict=True)
    )
    left, top = max(0, math.floor(window.col_off) - margin_x), max(0, math.floor(window.row_off) - margin_y)
    right = min(info.width, math.ceil(window.col_off + window.width) + margin_x)
    bottom = min(info.height, math.ceil(window.row_off + window.height) + margin_y)
    return Window(left, top, right - left, bottom - top)


def _relative(window: Window, hull: Window) -> Window:
    """Return a window as seen from its hull; a last rounding error past the hull's end is cut off."""
    left, top = window.col_off - hull.col_off, window.row_off - hull.row_off
    return Window(left, top, min(window.width, hull.width - left), min(window.height, hull.height - top))


def _resample(
    pixels: NDArray[np.generic], valid: NDArray[np.bool_] | None, window: Window, out_shape: tuple[int, int]
) -> Chip:
    """Resample a window of pixels by GDAL's bilinear filter, which widens to the pixel's footprint where it shrinks.

    GDAL does it in memory and not in the file for the sake of validity: here it weighs each pixel by 0 or 1, while in
    a file it would take alpha for a weight (and some alpha bands are near infrared), smear NaN, and drop the single
    bands of a valid pixel that happen to equal nodata. Bilinear and not average, as average depends on the window:
    measured on random pixels, 0.2 % of them change by one level at 1 / 3.2, and none by bilinear. For the same reason
    `valid` is None only for a raster that is always valid: GDAL rounds otherwise where there is a mask.
    """
    count, height, width = pixels.shape
    profile = {"driver": "MEM", "count": count, "height": height, "width": width, "dtype": pixels.dtype}
    with rasterio.open("resample", "w+", transform=Affine.scale(2), **profile) as memory:
        memory.write(pixels)
        if valid is not None:
            memory.write_mask(valid)
        chip = memory.read(window=window, out_shape=(count, *out_shape), resampling=Resampling.bilinear)
        if valid is None:
            return chip, np.ones(out_shape, bool)
        known = memory.read_masks(1, window=window, out_shape=out_shape, resampling=Resampling.bilinear) != 0
    chip[:, ~known] = 0
    return chip, known
