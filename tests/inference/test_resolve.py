"""Which instances a query means: scenes of a few rectangles on the ground, and scenes drawn at random."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from rasterio.crs import CRS

from rrsis_core.geo.polygons import PolygonBatch
from rrsis_core.inference.extent import Extent, cut_at
from rrsis_core.inference.instances import Instances, instances_of, metres_a_unit, separated
from rrsis_core.inference.resolve import needs_brightness, resolve
from rrsis_core.text.parse import parse
from rrsis_core.text.query import Ordinal, Query, Relation
from rrsis_core.text.saying import local_texts

EXTENT = Extent((0, 0, 1000, 1000))


def things(*boxes, brightness=None):
    polygons = np.array([shapely.box(*box) for box in boxes], object)
    return Instances(polygons, polygons, np.ones(len(boxes)), brightness)


def squares(*centres, side=10.0):
    return things(*((x - side / 2, y - side / 2, x + side / 2, y + side / 2) for x, y in centres))


def meant(phrase, **found):
    """Resolve a phrase; instances are given by singular noun, with underscores for spaces."""
    query = parse(phrase).query if isinstance(phrase, str) else phrase
    given = {name.replace("_", " "): some for name, some in found.items()}
    candidates = {}
    for part in query.parts():
        name = " ".join([*part.attributes, part.target])
        candidates[local_texts(part)[0]] = given[name] if name in given else given[part.target]
    result = resolve(query, candidates, EXTENT)
    assert all(bool(reason) != kept for reason, kept in zip(result.reasons, result.kept, strict=True))
    return np.flatnonzero(result.kept).tolist(), result


ROAD = things((0, 480, 1000, 520))  # from west to east, 40 m wide
TANKS = squares((100, 900), (500, 710), (900, 530), (520, 308), (300, 100))


@pytest.mark.parametrize(
    ("phrase", "expected"),
    [
        ("the tanks", [0, 1, 2, 3, 4]),
        ("the leftmost tank", [0]),
        ("the southernmost tank", [4]),
        ("the second tank from the north", [1]),
        ("the last tank from the left", [2]),
        ("the first two tanks from the right", [2, 3]),
        ("the tank on the far right", [2]),
        ("the tanks on the far right", [2]),
        ("the tanks in the north half", [0, 1, 2]),
        ("the tanks on the left", [0, 4]),
        ("the tanks in the upper left", [0]),
        ("the tanks in the upper right", [2]),  # none in the 40 % on both sides, one in that quarter
        ("the tank on the left", [0]),
        ("the lower tank", [4]),
        ("the tank in the north half", [0, 1, 2]),
        ("the lower of the two tanks", [4]),
        ("the tanks in the middle", [3]),
        ("the tanks at the center of the top", [1]),
        ("the tanks that are not on the left", [1, 2, 3]),
        ("the tanks north of the road", [0, 1, 2]),
        ("the tanks below the road", [3, 4]),
        ("the tanks next to the road", [2]),
        ("the tanks within 190 m of the road", [1, 2, 3]),
        ("the tanks more than 190 m from the road", [0, 4]),
        ("the tanks not near the road", [0, 1, 3, 4]),
        ("the tank closest to the road", [2]),
        ("the second tank from the road", [3]),
        ("the two tanks farthest from the road", [0, 4]),
        ("the tanks that are not closest to the road", [0, 1, 3, 4]),
        ("the tanks in the north half and they are farthest from the road", [0]),
        ("the leftmost tank and it is near the road", []),
        ("the leftmost tank near the road", [2]),
        ("the tanks except the ones on the left", [1, 2, 3]),
        ("the tanks left of another tank", [0, 4]),
        ("the tank closest to the lower left corner", [4]),
        ("the tank nearest a corner", [0]),
        ("the two tanks closest to the middle", [1, 3]),
        ("the tanks within 110 m of the edge", [0, 2, 4]),
        ("the tanks more than 200 m from the left edge", [1, 2, 3, 4]),
        ("the tanks in the corner", [0]),
        ("all but the leftmost tank", [1, 2, 3, 4]),
        ("the tanks except the two northernmost", [2, 3, 4]),
        ("the tanks 160-180 m from the road", [3]),
        ("the leftmost tank closest to the road", [3]),
        ("the second tank from the left closest to the road", [2]),
        ("the tanks that are near another tank", []),
    ],
)
def test_places_ranks_and_distances(phrase, expected):
    assert meant(phrase, tank=TANKS, road=ROAD)[0] == expected


def test_of_what_is_longer_than_a_side_the_part_that_lies_there_is_meant():
    across = things((0, 480, 1000, 520), (390, 0, 410, 300), brightness=np.array([0.2, 0.8]))
    for phrase, box in {
        "the roads on the left": (0, 480, 400, 520),
        "the roads in the right half": (500, 480, 1000, 520),
        "the roads in the middle": (300, 480, 700, 520),
        "the roads at the bottom": (390, 0, 410, 300),
    }.items():
        _, result = meant(phrase, road=across)
        assert shapely.equals(shapely.union_all(result.answer.ground), shapely.box(*box)), phrase
        assert result.answer.brightness.tolist() == [0.2 if box[1] else 0.8]
        assert np.isclose(result.instances.area.sum(), across.area.sum())


def test_one_thing_at_a_place_is_told_from_a_few_by_how_far_it_lies_there():
    huts = things((10, 10, 20, 20), (30, 600, 80, 640), (100, 100, 160, 160))  # the first is a scrap beside the others
    kept, result = meant("the hut on the left", hut=huts)
    assert kept == [1]
    assert result.notes == [
        "one that is smaller is left out: say 'the huts' for all of them",
        "the one farthest to the left of 2 is returned: say 'the huts' for all of them",
    ]
    assert meant("the hut", hut=huts)[0] == [1, 2]
    assert meant("the road within 2 m of the hut", hut=huts, road=things((0, 0, 9, 9)))[0] == [0]  # near the scrap
    assert meant("the huts", hut=huts)[0] == [0, 1, 2]
    middle = squares((450, 450), (520, 500), (600, 590))
    assert meant("the hut in the middle", hut=middle)[0] == [1]
    assert meant("the road on the left", road=huts)[0] == [0, 1, 2]  # one road may be in several parts
    many = squares((50, 100), (60, 300), (70, 500), (80, 700))
    kept, result = meant("the hut on the left", hut=many)
    assert kept == [0, 1, 2, 3]
    assert "may be any of 4" in result.notes[0]


def test_of_a_few_on_one_side_the_nearest_is_meant():
    huts, tank = squares((600, 500), (800, 500)), squares((500, 500))
    kept, result = meant("the hut right of the tank", hut=huts, tank=tank)
    assert kept == [0]
    assert result.notes == ["the one nearest to the tank of 2 is returned: say 'the huts' for all of them"]
    assert meant("the huts right of the tank", hut=huts, tank=tank)[0] == [0, 1]
    assert meant("the hut not left of the tank", hut=huts, tank=tank)[0] == [0, 1]
    many = squares(*((x, 500) for x in (600, 700, 800, 900)))
    assert meant("the hut right of the tank", hut=many, tank=tank)[0] == [0, 1, 2, 3]


def test_unsure_specks_are_no_candidates_for_one_thing_or_a_rank_nor_landmarks():
    boxes = things((300, 300, 400, 400), (500, 300, 560, 400), (10, 10, 12, 12), (900, 300, 910, 310))
    huts = replace(boxes, score=np.array([0.8, 0.8, 0.45, 0.7]))  # the third is stray pixels, the last a small hut
    roads = squares((16, 11), (700, 300))
    for phrase, expected in {
        "the leftmost hut": [0],
        "the smallest hut": [3],
        "the hut on the far left": [0],
        "the huts on the left": [0, 2],
        "the huts": [0, 1, 2, 3],
    }.items():
        assert meant(phrase, hut=huts)[0] == expected, phrase
    assert meant("the roads near the huts", road=roads, hut=huts)[0] == []
    _, result = meant("the leftmost hut", hut=huts)
    assert result.counts()["not more than a speck"] == 1


def test_whether_one_thing_is_small_or_long_is_measured():
    halls = things((0, 0, 100, 100), (200, 0, 400, 100), (500, 0, 530, 100), (600, 0, 645, 100), (700, 0, 1000, 15))
    for phrase, expected in {
        "the big hall": [0, 1],
        "the small hall": [2, 3, 4],
        "the small hall at the bottom": [4],
        "the long hall": [1, 4],
        "the narrow hall": [2, 4],
        "the hall left of the huge hall": [0],
    }.items():
        assert meant(phrase, hall=halls)[0] == expected, phrase


def test_what_is_covered_with_something_has_it():
    fields = things((0, 0, 400, 400), (500, 0, 900, 400))
    assert meant("the fields with rows", field=fields, row=things((0, 0, 400, 390)))[0] == [0]
    assert meant("the fields without rows", field=fields, row=things((0, 0, 400, 390)))[0] == [1]


def test_one_compact_thing_at_a_place_is_meant_as_a_whole():
    tank = things((0, 450, 500, 950))
    assert meant("the tank on the left", tank=tank)[1].answer.area.tolist() == [250_000]
    assert meant("the tanks on the left", tank=tank)[1].answer.area.tolist() == [200_000]


def test_a_rank_is_that_of_wholes():
    halls = things((50, 500, 390, 760), (80, 0, 500, 250))  # of the second, less lies on the left than the first covers
    assert meant("the largest hall on the left", hall=halls)[0] == [1]


def test_cut_pieces_lie_in_the_coordinates_of_the_raster():
    road = Instances(things((0, 48, 50, 52)).outlines, things((0, 480, 1000, 520)).ground, np.array([0.7]))
    cut = cut_at("left", road, Extent((0, 0, 1000, 1000), scale=(20.0, 10.0)))
    assert shapely.bounds(cut.outlines).tolist() == [[0, 48, 20, 52], [20, 48, 50, 52]]
    assert cut.score.tolist() == [0.7, 0.7]


def test_sizes_lengths_and_brightness():
    halls = things((0, 0, 10, 10), (100, 0, 160, 5), (200, 0, 220, 20), brightness=np.array([0.2, 0.5, 0.9]))
    sheds = things((500, 500, 510, 509))
    for phrase, expected in {
        "the largest hall": [2],
        "the second largest hall": [1],
        "the two smallest halls": [0, 1],
        "the longest hall": [1],
        "the narrowest hall": [1],
        "the widest hall": [2],
        "the brightest hall": [2],
        "the halls larger than 200 m2": [1, 2],
        "the halls smaller than 200 m2": [0],
        "the halls longer than 15 m": [1, 2],
        "the halls bigger than the shed": [0, 1, 2],
        "the halls of the same size as the shed": [0],
        "the halls larger than the largest hall": [],
    }.items():
        assert meant(phrase, hall=halls, shed=sheds)[0] == expected, phrase
    assert needs_brightness(parse("the brightest hall near a shed").query) == {"the halls"}
    assert needs_brightness(parse("the largest hall").query) == set()


def test_lying_in_around_and_between():
    lake = shapely.Polygon([(100, 100), (300, 100), (300, 300), (100, 300)], [squares((200, 200)).ground[0].exterior])
    lakes = Instances(np.array([lake], object), np.array([lake], object), np.ones(1))
    ships = squares((200, 200), (150, 150), (305, 200), (400, 200))
    assert meant("the ships on the lake", ship=ships, lake=lakes)[0] == [0, 1]
    assert meant("the ships outside the lake", ship=ships, lake=lakes)[0] == [2, 3]
    assert meant("the ships surrounded by the lake", ship=ships, lake=lakes)[0] == [0, 1]
    assert meant("the lakes with ships", ship=ships, lake=lakes)[0] == [0]
    assert meant("the lakes without ships", ship=ships[np.array([3])], lake=lakes)[0] == [0]
    assert meant("the ship between the lake and another ship", ship=ships[np.array([2, 3])], lake=lakes)[0] == [0]
    roads = things((0, 500, 1000, 510), (0, 560, 1000, 570), (0, 800, 1000, 810))
    houses = squares((100, 535), (400, 590), (700, 480))
    assert meant("the houses between the two roads", house=houses, road=roads)[0] == [0]
    bridge = things((490, 490, 510, 580), (100, 490, 120, 505))
    assert meant("the bridge crossing the roads", bridge=bridge, road=roads)[0] == [0]


def test_corners_lie_between_the_main_directions():
    around = squares(*((500 + 100 * np.cos(turn), 500 + 100 * np.sin(turn)) for turn in np.arange(8) * np.pi / 4))
    middle = squares((500, 500), side=1)
    kinds = ("right of", "upper right of", "above", "upper left of", "left of", "lower left of", "below")
    for index, kind in enumerate((*kinds, "lower right of")):
        query = Query("car", relations=(Relation(kind, (Query("post"),)),))
        found = meant(query, car=around, post=middle)[0]
        beside = set() if " " in kind.removesuffix(" of") else {(index - 1) % 8, (index + 1) % 8}
        assert index in found and set(found) <= {index} | beside


def test_one_object_found_twice_does_not_relate_to_itself():
    roofs = squares((100, 100), (130, 100), (800, 800))
    blue = squares((100.5, 100), (800, 800.5))
    assert meant("the roofs near a blue roof", roof=roofs, blue_roof=blue)[0] == [1]
    assert meant("the roofs that are not blue", roof=roofs, blue_roof=blue)[0] == [1]
    assert meant("the blue roof closest to a roof", roof=roofs, blue_roof=blue)[0] == [0]


def test_a_union_keeps_its_parts_apart():
    kept, result = meant("the leftmost tank and the roads", tank=TANKS, road=ROAD)
    assert kept == [0] and result.also[0].kept.tolist() == [True]


def test_nothing_and_too_much_are_explained():
    assert meant("the largest tank", tank=squares())[1].notes == ["no tanks were found"]
    _, result = meant("the tanks within 4 m of the road", tank=TANKS, road=ROAD)
    assert result.notes == ["5 candidate tanks, none left: 5 not within 4 m of the road"]
    notes = meant("the tanks near the road", tank=TANKS, road=squares())[1].notes
    assert notes[1] == "no roads to relate to"
    assert "any of 5" in meant("the tank", tank=TANKS)[1].notes[0]
    assert meant("the road near the tank", tank=TANKS, road=ROAD)[1].notes == ["each of 5 tanks counts as the tank"]
    assert meant("the seventh tank from the left", tank=TANKS)[0] == []
    assert meant("two tanks", tank=TANKS)[1].notes == ["2 were asked for, 5 fit"]
    assert meant("the largest tanks", tank=TANKS)[0] == [0, 1]
    assert meant("the tanks", tank=TANKS)[1].notes == []


def test_what_the_rim_of_the_raster_cuts_off_lies_in_what_is_around_the_rest():
    lawn = Instances(*[np.array([shapely.box(0, 0, 60, 60) - shapely.box(0, 10, 20, 50)], object)] * 2, np.ones(1))
    assert meant("the houses on the lawn", house=things((0, 10, 20, 50)), lawn=lawn)[0] == [0]


def test_edges_and_corners_are_parts_of_the_extent():
    cars = squares((50, 500), (500, 960), (60, 940), (500, 500))
    for phrase, expected in {
        "the cars at the edge of the image": [0, 1, 2],
        "the cars near the left edge": [0, 2],
        "the cars in the corner": [2],
        "the cars outside the corner": [0, 1, 3],
        "the cars not near the edge": [3],
        "the two cars farthest from the edges": [2, 3],
        "the car closest to the top": [1],
    }.items():
        assert meant(phrase, car=cars)[0] == expected, phrase


def test_a_landmark_beyond_the_area_may_count_and_that_is_said():
    area = Extent((0, 0, 1000, 1000), "area", shapely.box(0, 0, 1000, 1000).exterior)
    found = {"the tanks": TANKS, "the roads": ROAD}
    for phrase, note in {
        "the tanks within 98 m of the road": "2 of the tanks may be within 98 m of the road outside the area",
        "the tanks more than 98 m from the road": "2 of the tanks may be within 98 m of the road outside the area",
        "the tanks within 90 m of the road": None,
        "the tanks within 98 m of the edge": None,
    }.items():
        notes = resolve(parse(phrase).query, found, area).notes
        assert [text.startswith(note or "") for text in notes] == [True] * bool(note)
        assert not any("outside" in text for text in resolve(parse(phrase).query, found, EXTENT).notes)


def test_no_landmark_inside_the_area_is_said_so():
    area = Extent((0, 0, 1000, 1000), "area", shapely.box(0, 0, 1000, 1000).exterior)
    notes = resolve(
        parse("the tank closest to the road").query, {"the tanks": TANKS, "the roads": squares()}, area
    ).notes
    assert notes[1] == "no roads to relate to inside the area"


def test_touching_objects_come_apart_and_odd_shapes_stay_whole():
    houses = shapely.union_all([shapely.box(0, 0, 10, 10), shapely.box(10, 4, 14, 6), shapely.box(14, 0, 25, 10)])
    angle = shapely.union_all([shapely.box(0, 0, 10, 30), shapely.box(0, 0, 40, 10)])
    roads = shapely.union_all(
        [shapely.box(0, 45, 100, 55), shapely.box(45, 0, 55, 100), shapely.Point(50, 50).buffer(15)]
    )
    parts, owner = separated(np.array([houses, angle, roads], object), np.ones(3, bool))
    assert owner.tolist() == [0, 0, 1, 2]
    assert shapely.area(parts).sum() == pytest.approx(houses.area + angle.area + roads.area)
    assert np.sort(shapely.area(parts[:2])) == pytest.approx([104, 114], abs=8)


def test_the_ground_is_in_metres():
    for crs, x, y in (("EPSG:4326", 85.0, 60.0), ("EPSG:3857", 9.46e6, 8.4e6), ("EPSG:32645", 5e5, 6.65e6)):
        across, up = metres_a_unit(CRS.from_user_input(crs), x, y)
        assert {"EPSG:4326": 55800, "EPSG:3857": 0.5, "EPSG:32645": 1.0}[crs] == pytest.approx(across, rel=0.02)
        assert {"EPSG:4326": 111400, "EPSG:3857": 0.5, "EPSG:32645": 1.0}[crs] == pytest.approx(up, rel=0.02)
    assert metres_a_unit(None, 0, 0) == (1.0, 1.0)
    batch = PolygonBatch(np.array([shapely.box(0, 0, 2, 2)], object), np.array([4]), np.ones(1), np.ones(1))
    made = instances_of([batch], (0.5, 2.0))
    assert made.area.tolist() == [4.0] and made.outlines[0] == batch.polygons[0]
    assert len(instances_of([], (1, 1))) == 0


places = st.tuples(st.integers(0, 999), st.integers(0, 999), st.integers(2, 60), st.integers(2, 60))
scenes = st.lists(places, max_size=12).map(lambda rows: things(*((x, y, x + w, y + h) for x, y, w, h in rows)))
FILTERS = [
    Relation(kind, (Query("road"),), amount)
    for kind, amount in [
        *((kind, None) for kind in ("near", "next to", "touching", "far from", "left of", "above", "upper right of")),
        *((kind, None) for kind in ("inside", "outside", "surrounded by", "crossing", "with")),
        ("within", 80.0),
        ("beyond", 80.0),
        ("larger than", None),
    ]
]
SIDES = ("top half", "left", "center right")
FILTERS += [Relation("between", (Query("road"), Query("house"))), Relation("near", (Query("road"),), negated=True)]


@settings(max_examples=60, deadline=None)
@given(
    scenes, scenes, st.lists(st.sampled_from(FILTERS), min_size=1, max_size=3), st.sampled_from(["top half", "left"])
)
def test_a_constraint_never_adds_an_object(houses, roads, relations, position):
    found = {"house": houses, "road": roads}
    queries = [Query("house", relations=tuple(relations[:count])) for count in range(len(relations) + 1)]
    queries.append(Query("house", position=position, relations=tuple(relations)))
    queries.append(Query("house", position=position, relations=tuple(relations), excluded=(Query("road"),)))
    kept = [set(meant(query, **found)[0]) for query in queries]
    assert all(after <= before for before, after in pairwise(kept))


@settings(max_examples=60, deadline=None)
@given(scenes, scenes, st.sampled_from(["left", "upper left", "lower left"]))
def test_left_and_right_swap_in_a_mirror(houses, roads, side):
    def mirrored(some):
        return things(*((1000 - right, bottom, 1000 - left, top) for left, bottom, right, top in some_bounds(some)))

    def some_bounds(some):
        return shapely.bounds(some.ground).tolist()

    other = side.replace("left", "right")
    for make in (
        lambda side: Query("house", relations=(Relation(f"{side} of", (Query("road"),)),)),
        lambda side: Query("house", position=side),
        lambda side: Query("house", number="one", ordinal=Ordinal(1, side)),
    ):
        here = resolve_pair(make(side), houses, roads)
        there = resolve_pair(make(other), mirrored(houses), mirrored(roads))
        if here is not None and there is not None:
            assert here == there


def resolve_pair(query, houses, roads):
    """Resolve, unless the answer hangs on a tie: two houses as far to a side, two roads as near."""
    if query.ordinal and len({(a[0] + a[2], a[1] + a[3]) for a in shapely.bounds(houses.ground).tolist()}) < len(
        houses
    ):
        return None
    if query.relations and len(houses) and len(roads):
        distance = np.sort(shapely.distance(houses.ground[:, None], roads.ground[None]), axis=1)
        if (np.diff(distance[:, :3], axis=1) < 1e-6).any():  # three, as the nearest may be the house itself
            return None
    return meant(query, house=houses, road=roads)[0]


@settings(max_examples=30, deadline=None)
@given(scenes)
def test_paraphrases_give_one_answer(houses):
    for phrases in (
        ("the biggest house", "the largest house", "the house of greatest size"),
        ("the houses in the northern half", "the houses in the top half of the image"),
        ("the westernmost house", "the leftmost house", "the first house from the left"),
    ):
        assert len({tuple(meant(phrase, house=houses)[0]) for phrase in phrases}) == 1
