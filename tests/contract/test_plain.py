import json
from dataclasses import dataclass, field

import pytest

from rrsis_core.contract import ConfigError
from rrsis_core.contract.plain import from_plain, to_plain


@dataclass(frozen=True)
class Inner:
    rate: float = 0.1
    grids: tuple[int, ...] = (1, 2)


@dataclass(frozen=True)
class Outer:
    name: str
    inner: Inner = field(default_factory=Inner)
    shares: dict[str, float] = field(default_factory=dict)
    limit: int | None = None


def test_there_and_back():
    outer = Outer("x", Inner(2.0, (1, 2, 3)), {"a": 0.5}, 4)
    assert from_plain(Outer, json.loads(json.dumps(to_plain(outer)))) == outer


def test_an_integer_is_a_float_where_one_is_asked_for():
    assert isinstance(from_plain(Outer, {"name": "x", "inner": {"rate": 1}}).inner.rate, float)


def test_an_unknown_key_names_its_nearest():
    with pytest.raises(ConfigError) as caught:
        from_plain(Outer, {"name": "x", "inner": {"rat": 1}})
    assert caught.value.code == "config.unknown_key"
    assert "inner.rate" in caught.value.hint


@pytest.mark.parametrize("data", [{"name": 3}, {"name": "x", "limit": "many"}, {"name": "x", "inner": {"rate": True}}])
def test_a_value_of_the_wrong_type_is_refused(data):
    with pytest.raises(ConfigError) as caught:
        from_plain(Outer, data)
    assert caught.value.code == "config.value"
