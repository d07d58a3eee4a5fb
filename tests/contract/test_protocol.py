"""One message is one line of ASCII, whatever is in it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rrsis_core.contract import WorkerError
from rrsis_core.contract.protocol import JOBS, PROTOCOL_VERSION, QUICK, TERMINAL, Message, decode, encode

plain = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.text(min_size=1), st.dictionaries(st.text(), plain, max_size=5), st.text(), st.integers(0, 99))
def test_a_message_comes_back(kind, body, job, version):
    line = encode(Message(kind, body, job, version))
    assert line.endswith(b"\n") and line.count(b"\n") == 1 and line.isascii()
    assert decode(line) == Message(kind, body, job, version)


@given(st.binary(max_size=200))
def test_garbage_is_refused_and_nothing_else_happens(line):
    try:
        decode(line)
    except WorkerError as error:
        assert error.code == "protocol.malformed"


@pytest.mark.parametrize(
    "line",
    [b"", b"null", b"[]", b"{}", b'{"v": 1}', b'{"v": "1", "type": "x"}', b'{"v": 1, "type": 2}', b"[" * 100_000,
     b'{"v": 1, "type": "x", "body": []  }x', b'{"v": 1, "type": "x", "body": "no"}'],
)  # fmt: skip
def test_what_is_no_message(line):
    with pytest.raises(WorkerError) as error:
        decode(line)
    assert error.value.code == "protocol.malformed"


def test_unknown_fields_are_ignored():
    line = b'{"v": 1, "type": "result", "job": "a", "body": {"x": 1}, "colour": "blue"}'
    assert decode(line) == Message("result", {"x": 1}, "a", 1)


def test_a_number_that_json_does_not_know_never_leaves():
    with pytest.raises(ValueError):
        encode(Message("progress", {"eta_s": float("nan")}))


def test_the_ends_are_the_ends():
    assert {kind for kind in ("result", "failed", "canceled", "progress") if Message(kind).is_terminal} == TERMINAL
    assert PROTOCOL_VERSION == 1 and not QUICK & JOBS
