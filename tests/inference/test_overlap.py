"""Reading ahead and writing behind: the order of a plain loop, errors where they belong, no thread left over."""

import threading

import pytest
import rasterio
from rasterio.env import getenv

from rrsis_core.inference.overlap import Abandoned, ahead, behind


@pytest.fixture(autouse=True)
def _no_thread_is_left():
    before = threading.active_count()
    yield
    assert threading.active_count() == before


def numbers(count, closed=None, fail_at=None):
    try:
        for number in range(count):
            if number == fail_at:
                raise ValueError("broken")
            yield number
    finally:
        if closed is not None:
            closed.append(threading.current_thread())


def test_items_arrive_in_order_from_another_thread():
    closed = []
    with ahead(numbers(50, closed)) as items:
        assert list(items) == list(range(50))
    assert closed[0] is not threading.current_thread()


def test_the_next_item_is_made_while_one_is_used():
    made = threading.Event()

    def items():
        yield 1
        made.set()
        yield 2

    with ahead(items()) as arriving:
        assert next(arriving) == 1
        assert made.wait(timeout=20)


def test_an_error_is_raised_where_its_item_would_come():
    with ahead(numbers(9, fail_at=2)) as items:
        assert [next(items), next(items)] == [0, 1]
        with pytest.raises(ValueError, match="broken"):
            next(items)


def test_leaving_early_closes_what_makes_the_items():
    closed = []
    with ahead(numbers(50, closed)) as items:
        next(items)
    assert len(closed) == 1


def test_the_settings_of_gdal_hold_in_the_thread():
    with rasterio.Env(GDAL_NUM_THREADS="3"), ahead(getenv()["GDAL_NUM_THREADS"] for _ in range(1)) as items:
        assert list(items) == ["3"]


def test_a_consumer_gets_everything_in_another_thread():
    where = []

    def consume(items):
        where.append(threading.current_thread())
        return sum(items)

    assert behind(consume, numbers(100)) == 4950
    assert where[0] is not threading.current_thread()


def test_an_error_of_the_consumer_ends_the_loop():
    seen = []

    def consume(items):
        for item in items:
            if item == 3:
                raise OSError("disk full")

    def produce():
        for number in range(1000):
            seen.append(number)
            yield number

    with pytest.raises(OSError, match="disk full"):
        behind(consume, produce())
    assert len(seen) < 10


def test_an_error_of_the_loop_abandons_the_consumer():
    ended = []

    def consume(items):
        try:
            list(items)
        except Abandoned:
            ended.append(True)
            raise

    with pytest.raises(ValueError, match="broken"):
        behind(consume, numbers(9, fail_at=4))
    assert ended == [True]


def test_a_consumer_may_end_early():
    assert behind(next, numbers(100)) == 0
