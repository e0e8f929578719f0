"""What napari's manifest names: the reader, the writers and the sample data."""
