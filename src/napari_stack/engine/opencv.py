"""OpenCV as the package imports it: limited to the threads that the runs under way allow.

Modules that need OpenCV write ``from napari_stack.engine.opencv import cv2``. A worker of a run may
be the first to import it, after the run has set the limit.
"""

import cv2

from napari_stack.engine.opencv_threads import limit_on_import

__all__ = ["cv2"]

limit_on_import(cv2)
