"""What users pick and draw in layers: points, masks."""
