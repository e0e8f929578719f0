"""The writers that the manifest names: image layers to a file, frame by frame, axes and all."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from napari.layers import Image

from napari_stack.core.errors import UserError
from napari_stack.engine.run import Run
from napari_stack.files import why_no_layers, write
from napari_stack.layers.compat import full_resolution
from napari_stack.layers.stacks.read_layer import axes_of, read_layer
from napari_stack.layers.stacks.save_layer import prepare_save, what_is_known


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one image layer, with its axes, pixel sizes, recipe, EXIF and colour profile.

    A lazy layer is computed and written frame by frame. A file that exists is replaced once the
    new one is complete: napari's dialog asks before it calls this, a script is not asked.

    For some endings, such as ``.tif`` and ``.png``, napari has a writer of its own. Choose
    "napari-stack" in the dialog, or name the plugin in a script:
    ``layer.save("mean.tif", plugin="napari-stack")``.

    Parameters
    ----------
    path : str
        Ends with ``.tif``, ``.tiff``, ``.ome.tif``, ``.png``, ``.jpg``, ``.zarr``, ``.mp4`` or
        ``.gif``; a movie has time stamps and a scale bar where the units of the layer tell them.
    data : array
    attributes : dict
        Of the layer, as `Image` takes them.

    Returns
    -------
    list of str
        The file written; napari wants a list.

    Raises
    ------
    OSError
        Whatever is wrong, with the sentence that says so: napari takes a ValueError for "this is
        no valid writer" and drops the sentence.
    """
    with _errors_for_napari():
        prepare_save(Image(data, **attributes), path)(Run())
    return [str(Path(path))]


def write_layers(path: str, layer_data: Sequence[tuple[Any, dict[str, Any], str]]) -> list[str]:
    """Write several image layers as one TIFF with layers, for retouching in an image editor.

    Topmost is the layer that is on top in napari; of a layer of frames each frame is one. What
    programs without layers show is the topmost single image that is visible; without one the
    topmost, and without any the first frame.

    Parameters
    ----------
    path : str
        Ends with ``.tif`` or ``.tiff``.
    layer_data : sequence of (data, attributes, type)
        The layers, the lowest first. They must have one size and type of pixels.

    Returns
    -------
    list of str
        The file written.

    Raises
    ------
    OSError
        See `write_image`.
    """
    with _errors_for_napari():
        _write_together(path, [Image(data, **attributes) for data, attributes, _ in layer_data])
    return [str(Path(path))]


@contextmanager
def _errors_for_napari() -> Iterator[None]:
    try:
        yield
    except UserError as error:
        raise OSError(str(error)) from error
    except ValueError as error:  # napari would drop it
        raise RuntimeError(str(error)) from error


def _write_together(path: str, lowest_first: Sequence[Any]) -> None:
    if missing := why_no_layers():
        raise UserError(f"{path}: {missing}")
    topmost_first = list(reversed(lowest_first))
    made: dict[str, Any] = {}
    for layer in topmost_first:
        for name, image in _images(layer):
            made[_free_name(made, name)] = image
    single = [layer for layer in topmost_first if layer.ndim == 2]
    visible = [layer for layer in single if layer.visible]
    shown = (visible or single or topmost_first)[0]
    image = full_resolution(shown) if shown.ndim == 2 else next(iter(made.values()))
    kind = {"axes": axes_of(shown), "rgb": shown.rgb} if shown.ndim == 2 else {}
    write(path, image, layers=made, overwrite=True, **kind, **what_is_known(shown))


def _images(layer: Any) -> Iterator[tuple[str, Any]]:
    """Give the images of a layer, by name."""
    if layer.ndim == 2:
        yield layer.name, full_resolution(layer)
        return
    frames = read_layer(layer).data.frames
    for index in range(len(frames)):
        yield f"{layer.name} {frames.source.label(index)}", frames.select([index])


def _free_name(taken: dict[str, Any], name: str) -> str:
    number, free = 2, name
    while free in taken:
        free, number = f"{name} [{number}]", number + 1
    return free
