"""Files that stay open, few at a time."""

import gc
from weakref import ref

from napari_stack.files.formats.kept_open import KeptOpen
from napari_stack.files.header_cache import HeaderCache


class Opened:
    """Stands for a file that is open as long as it lives."""


def test_few_files_are_open() -> None:
    headers = HeaderCache()
    kept = KeptOpen.of(headers)
    assert KeptOpen.of(headers) is kept
    first = kept.get("a", Opened)
    assert kept.get("a", Opened) is first
    others = [ref(kept.get(name, Opened)) for name in "bcd"]
    assert kept.get("a", Opened) is first  # it was asked for last
    kept.get("e", Opened)
    gc.collect()
    assert [other() is None for other in others] == [True, False, False]
    del kept, headers
    gc.collect()
    assert all(other() is None for other in others)
