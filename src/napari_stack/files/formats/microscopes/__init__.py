"""Formats of microscopes, each read by the library that its field keeps."""

from napari_stack.files.formats.microscopes.czi import Czi
from napari_stack.files.formats.microscopes.dicom import Dicom
from napari_stack.files.formats.microscopes.hdf5 import Hdf5
from napari_stack.files.formats.microscopes.lif import Lif
from napari_stack.files.formats.microscopes.mrc import Mrc
from napari_stack.files.formats.microscopes.nd2 import Nd2
from napari_stack.files.formats.microscopes.olympus import Olympus

__all__ = ["Czi", "Dicom", "Hdf5", "Lif", "Mrc", "Nd2", "Olympus"]
