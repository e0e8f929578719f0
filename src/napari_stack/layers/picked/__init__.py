"""What users pick and draw in layers: points, frames placed by hand, masks."""
