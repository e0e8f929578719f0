"""TIFF files that no library writes: tags and strips as they are given."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

#: Letters of `struct` by the types of TIFF 6.0.
_LETTERS = {1: "B", 2: "s", 3: "H", 4: "I", 5: "I", 7: "s", 12: "d"}


def write_tiff(
    path: Path, pages: Sequence[tuple[Mapping[int, Any], Sequence[bytes]]], blocks: bytes = b""
) -> None:
    """Write pages, least byte first.

    Parameters
    ----------
    path : Path
    pages : sequence of (tags, strips)
        A tag is its type and its values; or its type, count and content, for what is longer than
        its count says. Where the strips are is added.
    blocks : bytes
        What stands behind the 8 bytes of the header.
    """
    data = b"II*\0" + bytes(4) + blocks
    link = 4
    for tags, strips in pages:
        offsets = []
        for strip in strips:
            offsets.append(len(data))
            data += strip
        entries = dict(tags) | {273: (4, offsets), 279: (4, [len(strip) for strip in strips])}
        directory, more, start = struct.pack("<H", len(entries)), b"", len(data)
        after = start + 2 + 12 * len(entries) + 4
        for tag, (kind, *rest) in sorted(entries.items()):
            if len(rest) == 2:
                count, content = rest
            else:
                (values,) = rest
                count, content = (
                    len(values),
                    struct.pack(f"<{len(values)}{_LETTERS[kind]}", *values),
                )
            if len(content) > 4:
                place, more = struct.pack("<I", after + len(more)), more + content
            else:
                place = content.ljust(4, b"\0")
            directory += struct.pack("<HHI", tag, kind, count) + place
        data = data[:link] + struct.pack("<I", start) + data[link + 4 :]
        link = start + len(directory)
        data += directory + bytes(4) + more
    path.write_bytes(data)
