"""One finer image of frames that are shifted by parts of a pixel."""
