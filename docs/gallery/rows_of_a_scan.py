"""Rows of a scan that wander.

A scanner draws an image row by row, and what moves meanwhile moves the rows against each other.
With `nonrigid="rows"` every row has a shift of its own, as smooth from row to row as makes the
series most probable. Drawn are the shifts of the rows of one frame: those that were found, and
those of the sample.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

scan, truth = ns.samples.scanned(frames=10, size=(160, 160), photons=200.0)
shifted = ns.register(scan, transform="translation")
righted = ns.register(scan, transform="translation", nonrigid="rows")

moves, frame = righted.transforms, 2
offsets = moves.deformation.row_offsets + moves.matrices[:, None, :2, 2]
# The result has the mean geometry of all frames: what all rows have in common cannot be told.
found = offsets - offsets.mean(axis=0)
true = truth["row_offsets"] - truth["row_offsets"].mean(axis=0)

figure, (before, after, plot) = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
part = np.s_[40:110, 40:110]
before.imshow(ns.combine(shifted)[part], cmap="gray")
before.set_title("mean, shifted")
after.imshow(ns.combine(righted)[part], cmap="gray")
after.set_title("mean, rows righted")
plot.plot(true[frame, :, 0], color="0.7", lw=4, label="true")
plot.plot(found[frame, :, 0], label="found")
plot.set(title=f"rows of frame {frame}, along x", xlabel="row", ylabel="px")
plot.legend()
figure.savefig("rows_of_a_scan.png", dpi=80)
