"""An airport is a runway with taxiways in grass, an apron of slabs with airplanes, a terminal and hangars."""

import math

import numpy as np

from .airplanes import MODELS, airplane
from .boxes import box, patch, tinted
from .canvas import GROUND, MOVABLE, Window, clutter, paint
from .estates import CONTAINERS
from .ground import asphalt, slabs
from .halls import block as terminal
from .halls import metal_hall
from .look import rgb, varied
from .noise import Floats
from .parking import parking_lot
from .shapes import Points, blurred, lines, polygon
from .site import Block, Site
from .streets import dashes, pave_line, stripe
from .towns import pick_ground
from .vehicles import vehicle

_WHITE, _YELLOW, _RUBBER = rgb(214, 214, 208), rgb(204, 172, 74), rgb(48, 46, 48)


def airport_place(site: Site) -> None:
    """Everything lies in bands along the runway: runway, taxiway, apron, buildings, car park."""
    rng, canvas = site.rng, site.canvas
    pick_ground(site)
    reach = math.hypot(*canvas.reach) + 30
    large = bool(rng.random() < 0.62)
    depth = rng.uniform(70, 110) if large else rng.uniform(38, 60)
    at_runway = bool(rng.random() < 0.3)
    start = -rng.uniform(185, 200) - depth if at_runway else -rng.uniform(26, 40) if large else -rng.uniform(12, 20)
    apron = Block(-reach, start, reach, start + depth)
    taxi_at = apron.bottom + rng.uniform(22, 40)
    _apron(site, apron)
    for u in np.arange(-reach + rng.uniform(0, 160), reach, rng.uniform(140, 260)):
        _taxiway(site, site.line(float(u), apron.bottom - 1, float(u), taxi_at), 15)
    _taxiway(site, site.line(-reach, taxi_at, reach, taxi_at), 18)
    runway_at = rng.uniform(-8, 8) if at_runway else taxi_at + rng.uniform(55, 95)
    _runway(site, runway_at, reach, 45.0 if large else 30.0)
    if at_runway and rng.random() < 0.6:
        name = str(rng.choice(["airliner", "regional jet", "business jet", "sports plane"]))
        airplane(
            canvas,
            rng,
            site.frame.place(rng.uniform(-0.7, 0.7) * canvas.reach[0], runway_at, math.pi * int(rng.integers(2))),
            name,
        )
    for u in np.arange(-reach + rng.uniform(0, 200), reach, rng.uniform(180, 320)):
        _taxiway(site, site.line(float(u), taxi_at, float(u) + rng.uniform(-30, 30), runway_at - 18), 15)
    _stands(site, apron, large)
    _land_side(site, apron, large)


def _apron(site: Site, apron: Block) -> None:
    """Concrete slabs with oil and painted guide lines; it has no name among the categories."""
    canvas, rng = site.canvas, site.rng
    shape = polygon(canvas, site.outline(apron))
    if shape is None:
        return
    window, alpha = shape
    base = varied(rng, site.look.concrete * np.float32(rng.uniform(0.72, 1.02)), 0.04)
    texture = slabs(canvas, window, base, (site.frame.angle, float(rng.choice([5.0, 7.5]))), int(rng.integers(50)))
    if rng.random() < 0.25:
        texture = asphalt(canvas, window, varied(rng, site.look.asphalt, 0.05), 1.3, 2)
    paint(canvas, window, alpha, texture, clutter(GROUND), (0.0, 1.0))
    guide = site.line(apron.left, apron.bottom - 12, apron.right, apron.bottom - 12)
    stripe(canvas, [guide], 0.3, _YELLOW, 0.8)


def _taxiway(site: Site, line: Points, width: float) -> None:
    shape = lines(site.canvas, [line], width)
    if shape is None:
        return
    window, alpha = shape
    owner = site.canvas.add("taxiway", GROUND)
    color = varied(site.rng, site.look.asphalt * np.float32(1.06), 0.05)
    paint(site.canvas, window, alpha, asphalt(site.canvas, window, color, 0.9, 6), owner, (0.0, 1.0))
    stripe(site.canvas, [line], 0.3, _YELLOW, 0.85)


def _runway(site: Site, v: float, reach: float, width: float) -> None:
    """A runway with shoulders, white edges and centre line, rubber in the touch-down zone, numbers as plain bars."""
    canvas, rng = site.canvas, site.rng
    line = site.line(-reach, v, reach, v)
    shoulder = lines(canvas, [line], width + 9)
    if shoulder is None:
        return
    paint(
        canvas,
        *shoulder,
        asphalt(canvas, shoulder[0], site.look.asphalt * np.float32(0.9), 1.0, 7),
        clutter(GROUND),
        (0.0, 1.0),
    )
    shape = lines(canvas, [line], width)
    if shape is None:
        return
    window, alpha = shape
    owner = canvas.add("runway", GROUND)
    if rng.random() < 0.5:
        texture = asphalt(canvas, window, varied(rng, site.look.asphalt * np.float32(0.9), 0.1), 0.9, 3)
    else:
        texture = slabs(
            canvas, window, varied(rng, site.look.concrete * np.float32(0.88), 0.06), (site.frame.angle, 7.5), 3
        )
    paint(canvas, window, alpha, texture, owner, (0.0, 1.0))
    rubber = lines(canvas, [line], 0.32 * width)
    if rubber is not None:
        soft = blurred(canvas, rubber[1], 2.2) * (0.6 + 0.25 * _streaks(site, rubber[0]))
        tinted(canvas, (rubber[0], np.clip(soft, 0, 1)), _RUBBER, float(rng.uniform(0.15, 0.6)))
    for side in (-1, 1):
        stripe(
            canvas, [site.line(-reach, v + side * (width / 2 - 1), reach, v + side * (width / 2 - 1))], 0.9, _WHITE, 0.9
        )
    stripe(canvas, dashes(line, 30, 20), 0.9, _WHITE, 0.9)
    start = rng.uniform(-0.5, 0.5) * reach
    for across in np.arange(-width / 2 + 3.5, width / 2 - 3, 3.6):
        if abs(across) > 1.2:
            patch(canvas, site.frame.place(start, v + across), (30, 1.8), _WHITE)
    for along in (70, 120, 170):
        for across in (-7.5, 7.5):
            patch(canvas, site.frame.place(start + along, v + across), (22, 3.0), _WHITE)


def _streaks(site: Site, window: Window) -> Floats:
    """Noise drawn out along the runway."""
    u, v = site.canvas.local(window, 0.0, 0.0, site.frame.angle)
    return site.canvas.noise.at(u * 0.15, v, 30, 1, 1)


def _stands(site: Site, apron: Block, large: bool) -> None:
    """Airplanes side by side, nose to the buildings, with service vehicles and marks."""
    rng = site.rng
    big = {"airliner": 5.0, "regional jet": 2.0, "wide-body": 0.9, "jumbo": 0.25}
    small = {"sports plane": 4.0, "twin": 2.0, "business jet": 2.5}
    u = -max(site.canvas.reach) * 1.5 + rng.uniform(0, 30)
    group = big if large else small
    middle_done = False
    while u < max(site.canvas.reach) * 1.5:
        if rng.random() < 0.12:
            group = (small if group is big and rng.random() < 0.5 else big) if large else small
        names = list(group)
        name = names[int(rng.choice(len(names), p=np.array(list(group.values())) / sum(group.values())))]
        if not middle_done and u > -20:
            name, middle_done = ("airliner" if large else name), True
        room = MODELS[name].span * rng.uniform(1.12, 1.5)
        if rng.random() < 0.72 or abs(u) < 25:
            v = apron.top + MODELS[name].length / 2 + rng.uniform(6, 14)
            turn = -math.pi / 2 + rng.normal(0, 0.04) + (math.pi if rng.random() < 0.12 else 0)
            _stand(site, u + room / 2, v, turn, name)
        u += room
    if apron.size[1] > 60:
        _stand(site, rng.uniform(-0.6, 0.6) * site.canvas.reach[0], apron.bottom - 14, 0.0, "regional jet")


def _stand(site: Site, u: float, v: float, turn: float, name: str) -> None:
    rng, canvas = site.rng, site.canvas
    model = MODELS[name]
    guide = site.line(u, v - 0.6 * model.length, u, v + 0.9 * model.length)
    stripe(canvas, [guide], 0.25, _YELLOW, 0.7)
    place = site.frame.place(u, v, turn)
    stain = canvas.around(*place[:2], model.length / 2)
    if stain is not None:
        x, y = canvas.local(stain, *place)
        dark = np.clip(1 - np.hypot(x, y) / (0.45 * model.length), 0, 1) * np.clip(
            0.5 + 0.5 * canvas.grain(stain, 10, 1, 1.0), 0, 1
        )
        tinted(canvas, (stain, dark), rgb(70, 66, 62), 0.35)
    if not airplane(canvas, rng, place, name) or model.length < 25:
        return
    for _ in range(int(rng.integers(1, 7))):
        spot = site.frame.place(
            u + rng.uniform(-0.5, 0.5) * model.span, v + rng.uniform(-0.5, 0.3) * model.length, rng.uniform(0, 6)
        )
        window = canvas.around(*spot[:2], 3)
        if window is not None and not canvas.owners[MOVABLE][window.slices].any():
            if rng.random() < 0.55:
                vehicle(canvas, rng, spot, {"van": 2.0, "lorry": 1.0, "car": 1.0, "truck": 0.3})
            else:
                tone = varied(rng, CONTAINERS[int(rng.integers(len(CONTAINERS)))], 0.15)
                box(canvas, spot, (rng.uniform(2, 4), 1.6, 1.6), tone, clutter(MOVABLE))


def _land_side(site: Site, apron: Block, large: bool) -> None:
    """Terminal or hangars along the apron, a road and a car park behind them."""
    rng, canvas = site.rng, site.canvas
    depth = rng.uniform(24, 45) if large else rng.uniform(14, 24)
    u = apron.left + rng.uniform(0, 60)
    while u < apron.right:
        length = rng.uniform(60, 180) if large else rng.uniform(18, 50)
        place = site.frame.place(u + length / 2, apron.top - depth / 2 - 3)
        if large and rng.random() < 0.55:
            terminal(canvas, rng, place, (length, depth), rng.uniform(9, 16))
            _jet_bridges(site, u, length, apron)
        else:
            metal_hall(canvas, rng, place, (length, depth))
        u += length + rng.uniform(8, 45)
    road = apron.top - depth - 16
    pave_line(site, site.line(apron.left, road, apron.right, road), 11)
    lot = apron.left
    while lot < apron.right:
        wide = rng.uniform(50, 150)
        if rng.random() < 0.6:
            parking_lot(site, Block(lot, road - 60, lot + wide - 8, road - 10))
        lot += wide


def _jet_bridges(site: Site, u: float, length: float, apron: Block) -> None:
    """Gangways from a terminal towards the stands."""
    rng = site.rng
    for along in np.arange(u + 15, u + length - 8, 38.0):
        place = site.frame.place(float(along), apron.top + 6, math.pi / 2 + rng.uniform(-0.4, 0.4))
        box(site.canvas, place, (22, 3.0, 6.0), varied(rng, rgb(204, 204, 200), 0.06), clutter(MOVABLE))
