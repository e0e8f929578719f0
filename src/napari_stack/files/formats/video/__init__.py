"""Films: of cameras and phones, of astronomers' webcams, and animations."""

from napari_stack.files.formats.video.gif import Gif
from napari_stack.files.formats.video.movie import Movie
from napari_stack.files.formats.video.ser import Ser

__all__ = ["Gif", "Movie", "Ser"]
