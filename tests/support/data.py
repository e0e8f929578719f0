"""Where the development data lie, which a fresh clone does not have."""

from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared" / "data"
