"""The writer that the manifest names: an image layer to a file, frame by frame, axes and all."""

from pathlib import Path
from typing import Any

from napari.layers import Image

from napari_stack.files import write
from napari_stack.layers._chain import KEY
from napari_stack.layers._source import axes_of, full_resolution, read_layer


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one image layer as TIFF or PNG, with its axes, pixel sizes and recipe.

    A lazy layer is computed and written frame by frame. A file that exists is replaced once the
    new one is complete: napari's dialog asks before it calls this, a script is not asked.

    For files that end with ``.tif`` or ``.png`` napari has a writer of its own. Choose
    "napari-stack" in the dialog, or name the plugin in a script:
    ``layer.save("mean.tif", plugin="napari-stack")``.

    Parameters
    ----------
    path : str
        Ends with ``.tif``, ``.tiff`` or ``.png``.
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
    try:
        _write(path, data, attributes)
    except ValueError as error:
        raise OSError(str(error)) from error
    return [str(Path(path))]


def _write(path: str, data: Any, attributes: dict[str, Any]) -> None:
    layer: Any = Image(data, **attributes)
    recipe = layer.metadata.get(KEY, {}).get("recipe")
    if layer.ndim == 2:
        image = full_resolution(layer)
        write(path, image, axes=axes_of(layer), rgb=layer.rgb, overwrite=True, recipe=recipe)
    else:
        write(path, read_layer(layer).data, overwrite=True, recipe=recipe)
