"""Compound files ([MS-CFB], version 3), as an OIB is one."""

import struct
from collections.abc import Mapping
from pathlib import Path

_SECTOR, _END, _TABLE, _FREE = 512, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


def write_compound(path: Path, streams: Mapping[str, bytes]) -> None:
    """Write streams side by side in the root; none of them in small sectors."""
    count = -(-128 * (len(streams) + 1) // _SECTOR)
    lengths = [-(-len(content) // _SECTOR) for content in streams.values()]
    total = count + sum(lengths)
    tables = -(-(total + -(-total // 127)) // 128)
    table = [_TABLE] * tables
    starts = []
    for length in (count, *lengths):
        starts.append(len(table))
        table += [*range(len(table) + 1, len(table) + length), _END]
    entries = _entry("Root Entry", 5, child=1, start=_END)
    for number, (name, content) in enumerate(streams.items(), 1):
        following = number + 1 if number < len(streams) else _FREE
        entries += _entry(name, 2, right=following, start=starts[number], size=len(content))
    table += [_FREE] * (128 * tables - len(table))
    head = struct.pack("<8s16sHHHHH6x", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3,
                       0xFFFE, 9, 6)  # fmt: skip
    head += struct.pack("<IIIIIIIII", 0, tables, starts[0], 0, 0, _END, 0, _END, 0)
    head += struct.pack("<109I", *range(tables), *[_FREE] * (109 - tables))
    data = head + struct.pack(f"<{len(table)}I", *table) + entries.ljust(count * _SECTOR, b"\0")
    for content, length in zip(streams.values(), lengths, strict=True):
        data += content.ljust(length * _SECTOR, b"\0")
    path.write_bytes(data)


def _entry(
    name: str, kind: int, right: int = _FREE, child: int = _FREE, start: int = 0, size: int = 0
) -> bytes:
    text = name.encode("utf-16-le")
    return struct.pack(
        "<64sHBBIII16sIQQIQ", text, len(text) + 2, kind, 1, _FREE, right, child, bytes(16), 0, 0, 0,
        start, size,
    )  # fmt: skip
