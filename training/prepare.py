"""Bring the real imagery to scenes: `python training/prepare.py ../shared/data cache`.

Writes cache/<part>/<source>/*.scene for the parts train and calibration. The validation set (dubai tile 8, banepa
tiles with 386693, harvey 7677, annotated chips whose number leaves 3 when divided by 7) is never written;
validate.py asks for it. The calibration part is cut out of the rest: dubai tile 1, banepa column 386695, chips whose
number leaves 5.
"""

import json
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import rasterio
from PIL import Image, ImageDraw
from rasterio.features import rasterize, shapes, sieve

from rrsis_core.data.colors import color_name
from rrsis_core.data.scenes import Scene, SceneObject, object_from_mask, write_scene
from rrsis_core.text.lexicon import NOUNS, color_of

PIECE = 768
DRAWN = Path(__file__).with_name("drawn.json")
NEVER_THERE = frozenset(("airplane", "runway", "sea", "boat", "baseball diamond", "golf course", "bunker", "taxiway"))
DUBAI = {"building": 0x3C1098, "bare soil": 0x8429F6, "road": 0x6EC1E4, "vegetation": 0xFEDD3A, "water": 0xE2A929}
HARVEY = {
    1: "building", 2: "shed", 3: "swimming pool", 4: "vehicle", 5: "grass", 6: "tree", 7: "building", 8: "building",
    10: "building", 14: "road", 18: "parking lot", 21: "forest", 22: "water", 23: "water", 24: "boat",
}  # fmt: skip
CHIP_NAMES = {
    "trees": "tree", "pond": "lake", "cart path": "path", "trailer": "truck", "infield grass": "grass",
    "grass field": "grass", "ship": "boat", "pitcher's mound": "mound", "baseball field": "baseball diamond",
    "canal": "river",
}  # fmt: skip
CITY = (
    "building vehicle airplane boat storage_tank tennis_court swimming_pool runway baseball_diamond parking_lot "
    "bridge pier"
)
FLIGHT, GOLF, SHORE = "airplane runway taxiway", "bunker green fairway", "boat pier sea"
WEAK_CHIPS = {
    "forest": ("forest", "green", CITY + " sea sand bunker"),
    "agricultural": ("field", None, CITY + " sea sand bunker forest river"),
    "chaparral": (None, None, CITY + " sea bunker river grass"),
    "freeway": (None, None, "airplane boat storage_tank tennis_court swimming_pool runway sea pier bunker"),
    "runway": (None, None, "boat storage_tank tennis_court swimming_pool sea pier bunker bridge parking_lot river"),
    "beach": (None, None, "airplane storage_tank tennis_court runway baseball_diamond parking_lot bunker"),
    "airplane": (None, None, f"{SHORE} {GOLF} river swimming_pool tennis_court baseball_diamond forest bridge"),
    "baseballdiamond": (None, None, f"{FLIGHT} {SHORE} storage_tank bunker"),
    "buildings": (None, None, f"{FLIGHT} {SHORE} {GOLF} baseball_diamond storage_tank field forest river"),
    "denseresidential": (None, None, f"{FLIGHT} {SHORE} bunker fairway baseball_diamond storage_tank field river"),
    "golfcourse": (None, None, f"{FLIGHT} {SHORE} storage_tank baseball_diamond truck"),
    "harbor": (None, None, f"{FLIGHT} {GOLF} field forest storage_tank baseball_diamond tennis_court river"),
    "intersection": (None, None, f"{FLIGHT} {SHORE} river bunker fairway field forest storage_tank baseball_diamond"),
    "mediumresidential": (None, None, f"{FLIGHT} {SHORE} bunker fairway baseball_diamond storage_tank field river"),
    "mobilehomepark": (None, None, f"{FLIGHT} {SHORE} {GOLF} baseball_diamond storage_tank field river"),
    "overpass": (None, None, f"{FLIGHT} {SHORE} {GOLF} storage_tank baseball_diamond swimming_pool tennis_court"),
    "parkinglot": ("parking lot", None, f"{FLIGHT} {SHORE} {GOLF} river field forest storage_tank baseball_diamond"),
    "river": (None, None, f"{FLIGHT} sea bunker fairway storage_tank baseball_diamond parking_lot tennis_court"),
    "sparseresidential": (None, None, f"{FLIGHT} {SHORE} storage_tank bunker fairway baseball_diamond"),
    "storagetanks": (None, None, f"{FLIGHT} {GOLF} baseball_diamond tennis_court swimming_pool forest"),
    "tenniscourt": (None, None, f"{FLIGHT} {SHORE} storage_tank bunker fairway"),
}


def median_color(image: np.ndarray, mask: np.ndarray) -> str | None:
    """Name the median colour of a mask's pixels."""
    return color_name(np.median(image[mask], axis=0)) if mask.any() else None


def components(category: str, mask: np.ndarray, image: np.ndarray, smallest: int, colored: bool) -> list[SceneObject]:
    """Split a mask (H, W) bool into its connected parts, 4-connected, dropping parts below `smallest` pixels."""
    parts = []
    for geometry, _ in shapes(mask.astype(np.uint8), mask=mask):
        part = rasterize([geometry], mask.shape, dtype=np.uint8).astype(bool)
        if part.sum() >= smallest:
            parts.append(object_from_mask(category, median_color(image, part) if colored else None, part))
    return parts


def pieces(image: np.ndarray) -> list[tuple[slice, slice]]:
    """Cut an image into pieces of about PIECE pixels a side that share a quarter."""
    spans = []
    for length in image.shape[:2]:
        count = max(1, round((length - PIECE * 0.25) / (PIECE * 0.75)))
        side = min(length, PIECE)
        spans.append([slice(int(s), int(s) + side) for s in np.linspace(0, length - side, count)])
    return [(rows, columns) for rows in spans[0] for columns in spans[1]]


Parted = Iterator[tuple[str, Scene]]  # with the part that a scene belongs to
LEARNT = ("train", "calibration")  # the parts that are written; "validation" is the third


def dubai_codes(path: Path) -> np.ndarray:
    """Return the colours of a picture's mask (H, W) as numbers such as 0x3C1098."""
    truth = np.asarray(Image.open(path.with_suffix(".png")).convert("RGB")).astype(np.uint32)
    return truth[..., 0] << 16 | truth[..., 1] << 8 | truth[..., 2]


def dubai(data: Path, wanted: Sequence[str] = LEARNT) -> Parted:
    """Classes by mask colour; connected parts are objects; roofs are coloured by their pixels."""
    for path in sorted((data / "dubai").glob("*.jpg")):
        belongs = {1: "calibration", 8: "validation"}.get(int(re.match(r"tile(\d+)", path.stem)[1]), "train")
        if belongs not in wanted:
            continue
        image = np.asarray(Image.open(path).convert("RGB"))
        code = dubai_codes(path)
        for number, (rows, columns) in enumerate(pieces(image)):
            part, labels = image[rows, columns], code[rows, columns]
            objects = []
            for category, value in DUBAI.items():
                mask = labels == value
                smallest = 12 if category == "building" else 60
                objects += components(category, mask, part, smallest, category in ("building", "water"))
            known = np.isin(labels, list(DUBAI.values()))
            names = frozenset(DUBAI)
            absent = frozenset(("airplane", "runway", "baseball diamond", "storage tank", "forest"))
            scene = Scene(part, tuple(objects), None, names, absent, (), ~known, f"{path.stem}_{number}")
            yield belongs, scene


def banepa(data: Path, wanted: Sequence[str] = LEARNT) -> Parted:
    """Building footprints as objects; greenness gives vegetation, smooth and wide vegetation is grass."""
    footprints = json.loads((data / "banepa/buildings.geojson").read_text())["features"]
    tiles = {}
    for path in sorted((data / "banepa/tiles").glob("*.tif")):
        x, y = map(int, re.match(r"OAM-(\d+)-(\d+)-19", path.stem).groups())
        tiles[x, y] = path
    blocks = {
        (386690, 386691, 386692): "train", (386693,): "validation", (386694,): "train", (386695,): "calibration"
    }  # fmt: skip
    for block, belongs in blocks.items():
        if belongs not in wanted:
            continue
        mosaic, known, transform = _mosaic({k: p for k, p in tiles.items() if k[0] in block})
        outlines = [f["geometry"] for f in footprints]
        numbers = rasterize(
            [(g, i + 1) for i, g in enumerate(outlines)], mosaic.shape[:2], transform=transform, dtype=np.int32
        )
        green, doubtful = _greenness(mosaic)
        for index, (rows, columns) in enumerate(pieces(mosaic)):
            part, labels = mosaic[rows, columns], numbers[rows, columns]
            if known[rows, columns].mean() < 0.6:
                continue
            objects = []
            for number in np.unique(labels[labels > 0]):
                mask = labels == number
                objects.append(object_from_mask("building", median_color(part, mask), mask))
            plants = green[rows, columns] & (labels == 0)
            objects += _plants(part, plants)
            unlabelled = ~known[rows, columns] | (doubtful[rows, columns] & (labels == 0))
            names = frozenset(("building", "vegetation", "grass"))
            name = f"banepa_{block[0]}_{index}"
            scene = Scene(part, tuple(objects), 0.132, names, NEVER_THERE, (), unlabelled, name)
            yield belongs, scene


def _mosaic(tiles: dict[tuple[int, int], Path]) -> tuple[np.ndarray, np.ndarray, rasterio.Affine]:
    columns, rows = sorted({x for x, _ in tiles}), sorted({y for _, y in tiles})
    image = np.zeros(((rows[-1] - rows[0] + 1) * 512, (columns[-1] - columns[0] + 1) * 512, 3), np.uint8)
    known = np.zeros(image.shape[:2], bool)
    transform = None
    for (x, y), path in tiles.items():
        top, left = (y - rows[0]) * 512, (x - columns[0]) * 512
        with rasterio.open(path) as source:
            image[top : top + 512, left : left + 512] = source.read().transpose(1, 2, 0)
            transform = transform or source.transform @ rasterio.Affine.translation(-left, -top)
        known[top : top + 512, left : left + 512] = True
    return image, known, transform


def _greenness(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return what is surely green and what is doubtful, from the excess-green index, smoothed over 1 m."""
    smooth = Image.fromarray(image).reduce(4).resize(image.shape[1::-1], Image.Resampling.BILINEAR)
    red, green, blue = (np.asarray(smooth)[..., i].astype(np.float32) for i in range(3))
    index = (2 * green - red - blue) / (red + green + blue + 1)
    sure = sieve((index > 0.085).astype(np.uint8), 400).astype(bool)
    return sure, ((index > 0.035) & ~sure) | (sure & (index < 0.085))


def _plants(image: np.ndarray, plants: np.ndarray) -> list[SceneObject]:
    """Green parts of 100 m2 and more that are smooth are grass, the others vegetation."""
    gray = image.mean(axis=2)
    roughness = np.abs(np.diff(gray, axis=0, append=gray[-1:])) + np.abs(np.diff(gray, axis=1, append=gray[:, -1:]))
    objects = []
    for part in components("vegetation", plants, image, 400, True):
        height, width = part.mask.shape
        local = roughness[part.top : part.top + height, part.left : part.left + width][part.mask]
        wide = part.mask.sum() * 0.132**2 >= 100
        category = "grass" if wide and np.median(local) < 11 else "vegetation"
        objects.append(SceneObject(category, "green", part.top, part.left, part.mask))
    return objects


def harvey(data: Path) -> Parted:
    """Dense classes at an eighth of the size, about 0.17 m."""
    for name in ("6411",):
        image = Image.open(next((data / "harvey/images").glob(f"*{name}*"))).convert("RGB")
        truth = Image.open(next((data / "harvey/masks").glob(f"*{name}*")))
        size = (image.width // 8, image.height // 8)
        pixels = np.asarray(image.resize(size, Image.Resampling.BOX))
        labels = np.asarray(truth.resize(size, Image.Resampling.NEAREST))
        objects = []
        for category in sorted(set(HARVEY.values())):
            mask = np.isin(labels, [key for key, value in HARVEY.items() if value == category])
            objects += components(category, mask, pixels, 10, True)
        names = frozenset(HARVEY.values())
        unlabelled = labels == 0
        yield "train", Scene(pixels, tuple(objects), 0.17, names, NEVER_THERE, (), unlabelled, f"harvey_{name}")


def kit(data: Path) -> Parted:
    """Boxes of cars as weak masks: the ellipse inside the box; the rest of the box does not count."""
    for path in sorted((data / "kit_ais_cars").glob("*.png")):
        pixels = np.asarray(Image.open(path).convert("RGB"))
        height, width = pixels.shape[:2]
        boxes = Image.new("L", (width, height))
        objects = []
        for line in path.with_suffix(".txt").read_text().splitlines():
            x, y, w, h = (float(v) for v in line.split()[1:5])
            box = [(x - w / 2) * width, (y - h / 2) * height, (x + w / 2) * width, (y + h / 2) * height]
            ImageDraw.Draw(boxes).rectangle(box, fill=255)
            ellipse = Image.new("L", (width, height))
            ImageDraw.Draw(ellipse).ellipse(box, fill=255)
            mask = np.asarray(ellipse) > 0
            if mask.any():
                objects.append(object_from_mask("vehicle", median_color(pixels, mask), mask))
        sure = np.zeros((height, width), bool)
        for item in objects:
            sure[item.top : item.top + item.mask.shape[0], item.left : item.left + item.mask.shape[1]] |= item.mask
        unlabelled = (np.asarray(boxes) > 0) & ~sure
        names = frozenset(("vehicle",))
        yield "train", Scene(pixels, tuple(objects), 0.15, names, NEVER_THERE, (), unlabelled, f"kit_{path.stem}")


def canonical_color(words: str | None) -> str | None:
    """Return the lexicon's colour for what an annotator wrote, or None."""
    if not words or " and " in words:
        return None
    return color_of().get(words.split()[-1])


def chip_records(data: Path, wanted: Sequence[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the annotated chips of some parts."""
    for record in json.loads((data / "uc_merced_polygons/annotations.json").read_text()):
        belongs = {3: "validation", 5: "calibration"}.get(chip_number(record["image"]) % 7, "train")
        if belongs in wanted:
            yield belongs, record


def chip_number(name: str) -> int:
    """Return the number in a chip's file name."""
    return int(re.search(r"(\d+)\.jpg", name)[1])


def outline(objects: Iterable[dict[str, Any]], shape: tuple[int, int]) -> np.ndarray:
    """Return the mask of annotated objects of a chip."""
    picture = Image.new("1", shape[::-1])
    for item in objects:
        for polygon in item["polygons"]:
            ImageDraw.Draw(picture).polygon([tuple(point) for point in polygon], fill=1)
    return np.asarray(picture)


def chips(data: Path, wanted: Sequence[str] = LEARNT) -> Parted:
    """Hand-drawn outlines with written expressions."""
    for belongs, record in chip_records(data, wanted):
        yield belongs, annotated(data, record)


def drawn(data: Path) -> Parted:
    """Chips that we drew ourselves, in the same form; their scene label rules out more."""
    for record in json.loads(DRAWN.read_text()):
        scene = annotated(data, record)
        there = scene.complete | {item.category for item in scene.objects}
        yield "train", replace(scene, absent=scene.absent | ruled_out(Path(record["image"]).parent.name) - there)


def annotated(data: Path, record: dict[str, Any]) -> Scene:
    """Return an annotated chip as a scene."""
    image = np.asarray(Image.open(data / "uc_merced" / record["image"]).convert("RGB"))
    objects = []
    for item in record["objects"]:
        mask = outline([item], image.shape[:2])
        category = CHIP_NAMES.get(item["category"], item["category"])
        color = canonical_color(item.get("color"))
        objects.append(
            object_from_mask(category, color, mask) if mask.any() else SceneObject(category, color, 0, 0, mask[:1, :1])
        )
    known = {CHIP_NAMES.get(name, name) for name in record["complete"]} & set(NOUNS)
    absent = {CHIP_NAMES.get(name, name) for name in record.get("absent", [])} & set(NOUNS)
    expressions = tuple((e["text"].lower(), tuple(e["objects"])) for e in record["expressions"])
    name = Path(record["image"]).stem
    return Scene(image, tuple(objects), 0.3, frozenset(known), frozenset(absent - known), expressions, None, name)


def ruled_out(folder: str) -> frozenset[str]:
    """Return what is in no chip of a scene label."""
    return frozenset(word.replace("_", " ") for word in WEAK_CHIPS[folder][2].split())


def weak(data: Path) -> Parted:
    """Chips that have only a scene label: what fills them, and what is surely not there."""
    records = (data / "uc_merced_polygons/annotations.json", DRAWN)
    drawn = {record["image"] for file in records for record in json.loads(file.read_text())}
    for folder, (category, color, _) in WEAK_CHIPS.items():
        for path in sorted((data / "uc_merced" / folder).glob("*.jpg")):
            if f"{folder}/{path.name}" in drawn or chip_number(path.name) % 7 == 3:
                continue
            image = np.asarray(Image.open(path).convert("RGB"))
            whole = np.ones(image.shape[:2], bool)
            objects = (object_from_mask(category, color, whole),) if category else ()
            names = frozenset((category,) if category else ())
            yield "train", Scene(image, objects, 0.3, names, ruled_out(folder), (), None, path.stem)


if __name__ == "__main__":
    for source in (dubai, banepa, harvey, kit, chips, drawn, weak):
        for part, scene in source(Path(sys.argv[1])):
            folder = Path(sys.argv[2], part, source.__name__)
            folder.mkdir(parents=True, exist_ok=True)
            write_scene(scene, folder / f"{scene.name}.scene")
        print(source.__name__)
