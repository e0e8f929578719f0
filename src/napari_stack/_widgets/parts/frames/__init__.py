"""What shows the frames of a layer: list, strip, notices, and frames placed by hand."""
