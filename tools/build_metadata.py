"""Addresses of the package, and a readme for indexes, from NAPARI_STACK_REPOSITORY.

The variable holds the address of the repository, such as ``https://example.org/napari-stack``,
while a wheel is built. Without it there are no addresses: pictures of the readme are left out, and
links become plain text, since neither leads anywhere beside the files.
"""

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

VARIABLE = "NAPARI_STACK_REPOSITORY"
_PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:)([^)]+)\)")
_LINK = re.compile(r"(?<!!)\[([^\]]+)\]\((?!https?:|#)([^)]+)\)")
#: Tables that hold pictures and their headings alone: the first screen.
_PICTURES = re.compile(r"(?:^\|.*\n)*^\|.*!\[.*\n(?:^\|.*\n)*", re.MULTILINE)


class Metadata(MetadataHookInterface):
    """The hook that hatchling calls."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add the readme and the addresses."""
        address = os.environ.get(VARIABLE, "").rstrip("/")
        text = (Path(self.root) / "README.md").read_text("utf-8")
        version = f"v{metadata['version']}"
        readme = absolute(text, address, version) if address else alone(text)
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
        metadata["urls"] = urls(address, version) if address else {}


def urls(address: str, version: str) -> dict[str, str]:
    """Give the addresses that an index shows."""
    return {
        "Source": address,
        "Documentation": f"{address}/blob/{version}/docs/index.md",
        "Changes": f"{address}/blob/{version}/CHANGELOG.md",
        "Issues": f"{address}/issues",
    }


def absolute(text: str, address: str, version: str) -> str:
    """Point pictures and links of the readme at the files of a version."""
    text = _PICTURE.sub(rf"![\1]({address}/raw/{version}/\2)", text)
    return _LINK.sub(rf"[\1]({address}/blob/{version}/\2)", text)


def alone(text: str) -> str:
    """Leave pictures out, and make links to files plain text."""
    return _LINK.sub(r"\1", _PICTURE.sub("", _PICTURES.sub("", text)))
