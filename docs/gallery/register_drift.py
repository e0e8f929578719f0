"""Register a series that drifts.

Cells drift, turn and grow slowly. `register` measures where every frame lies against the first one
and moves it there when it is looked at. The sample knows the truth, so the error can be drawn.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

stack, truth = ns.samples.drifting_cells(frames=7, size=(160, 192), shift=8.0)
moved = ns.register(stack, transform="similarity", reference="first")

corners = np.array([[0, 0], [191, 0], [0, 159], [191, 159]], float)
from_first = truth["matrices"] @ np.linalg.inv(truth["matrices"][0])
true = ns.Transforms(from_first).displacements(corners)
error = np.linalg.norm(moved.transforms.displacements(corners) - true, axis=-1).max(axis=1)

figure, (before, after, plot) = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
before.imshow(ns.combine(stack), cmap="gray")
before.set_title("mean as recorded")
after.imshow(ns.combine(moved), cmap="gray")
after.set_title("mean when registered")
plot.plot(error, "o-")
plot.set(title="largest error at a corner", xlabel="frame", ylabel="px")
figure.savefig("register_drift.png", dpi=80)
