"""Focus stacking: one sharp image and its depth from a focus series."""
