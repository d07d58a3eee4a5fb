"""A bridge is a road deck above water or another road, with parapets and a shadow below."""

import numpy as np

from .canvas import STRUCTURE, paint
from .ground import asphalt, slabs
from .look import rgb, varied
from .shapes import Points, lines, offset
from .site import Site
from .streets import dashes, drive, lanes_of, stripe


def bridge(site: Site, line: Points, width: float, surface: str, height: float = 6.0) -> int:
    """Lay a deck along a line of image metres; its owner mark comes back, 0 when outside."""
    canvas, rng = site.canvas, site.rng
    shape = lines(canvas, [line], width)
    if shape is None:
        return 0
    window, alpha = shape
    owner = canvas.add("bridge", STRUCTURE, surface="concrete" if surface == "dirt" else surface)
    if surface == "asphalt" and rng.random() < 0.6:
        texture = asphalt(canvas, window, varied(rng, site.look.asphalt * np.float32(1.08), 0.05), 0.8, 4)
    else:
        texture = slabs(canvas, window, varied(rng, site.look.concrete * np.float32(0.95), 0.05), (0.0, 12.0), 4)
    paint(canvas, window, alpha, texture, owner, (height, 1.0))
    for side in (-1, 1):
        edge = lines(canvas, [offset(line, side * (width / 2 - 0.3))], max(0.45, 0.8 * canvas.gsd))
        if edge is not None:
            paint(canvas, *edge, varied(rng, rgb(198, 194, 184), 0.06), 0, (height + 0.9, 1.0))
    count = lanes_of(width - 1)
    for index in range(1, count):
        place = offset(line, -width / 2 + 0.5 + index * (width - 1) / count)
        stripe(canvas, [place] if 2 * index == count else dashes(place, 3, 6), 0.15, rgb(206, 200, 180), 0.7)
    drive(site, line, width - 1.0, 0.5)
    return owner
