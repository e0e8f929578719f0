"""The writer that the manifest names: an image layer to a file, frame by frame, axes and all."""

from pathlib import Path
from typing import Any

from napari.layers import Image

from napari_stack.files import write
from napari_stack.layers._chain import KEY
from napari_stack.layers._source import axes_of, full_resolution, read_layer


def write_image(path: str, data: Any, attributes: dict[str, Any]) -> list[str]:
    """Write one image layer as TIFF or PNG, with its axes, pixel sizes and recipe.

    A lazy layer is computed and written frame by frame. A file that exists is replaced, but only
    once the new one is complete: napari's dialog has asked before.

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
    """
    layer: Any = Image(data, **attributes)
    recipe = layer.metadata.get(KEY, {}).get("recipe")
    if layer.ndim == 2:
        image = full_resolution(layer)
        write(path, image, axes=axes_of(layer), rgb=layer.rgb, overwrite=True, recipe=recipe)
    else:
        write(path, read_layer(layer).data, overwrite=True, recipe=recipe)
    return [str(Path(path))]
