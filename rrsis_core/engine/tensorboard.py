"""An event file is what TensorBoard reads: records of a step and named numbers, each with its checksums.

The format is small and has not changed in ten years, so that it is written here and the package is not needed: TFRecord
framing around the protocol-buffer messages Event and Summary.
"""

import struct
from collections.abc import Mapping
from pathlib import Path

_POLYNOMIAL = 0x82F63B78  # CRC-32C (Castagnoli), reflected


def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = value >> 1 ^ (_POLYNOMIAL if value & 1 else 0)
        table.append(value)
    return tuple(table)


_TABLE = _table()


class EventFile:
    """Appends to an event file; begins a new one."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        path.write_bytes(record(_double(1, 0.0) + _text(3, "brain.Event:2")))

    def write(self, events: list[tuple[int, float, Mapping[str, float]]]) -> None:
        """Append events: step, time in seconds, and numbers by name."""
        with self.path.open("ab") as file:
            for step, time, numbers in events:
                values = b"".join(_message(1, _text(1, name) + _float(2, x)) for name, x in numbers.items())
                file.write(record(_double(1, time) + b"\x10" + _varint(step) + _message(5, values)))


def record(data: bytes) -> bytes:
    """Frame a record: length, its checksum, the data, their checksum."""
    length = struct.pack("<Q", len(data))
    return length + _masked_checksum(length) + data + _masked_checksum(data)


def checksum(data: bytes) -> int:
    """Return the CRC-32C of some bytes."""
    value = 0xFFFFFFFF
    for byte in data:
        value = _TABLE[(value ^ byte) & 0xFF] ^ value >> 8
    return value ^ 0xFFFFFFFF


def _masked_checksum(data: bytes) -> bytes:
    value = checksum(data)
    return struct.pack("<I", ((value >> 15 | value << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _varint(value: int) -> bytes:
    parts = bytearray()
    while value > 127:
        parts.append(value & 127 | 128)
        value >>= 7
    return bytes([*parts, value])


def _double(field: int, value: float) -> bytes:
    return _varint(field << 3 | 1) + struct.pack("<d", value)


def _float(field: int, value: float) -> bytes:
    return _varint(field << 3 | 5) + struct.pack("<f", value)


def _message(field: int, data: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(data)) + data


def _text(field: int, text: str) -> bytes:
    return _message(field, text.encode())
