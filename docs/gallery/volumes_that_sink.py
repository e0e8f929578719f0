"""Volumes that sink.

Volumes of cells over time wander along x, y and z. `register_volumes` finds all three shifts, those
along z in planes and parts of planes, and reads each volume there when it is looked at. Drawn are
sections along x and z through the mean of all volumes, and the shifts along z.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

volumes, truth = ns.samples.sinking_volume(volumes=7, planes=14, size=(72, 96))
moved = ns.register_volumes(volumes)

figure, (before, after, plot) = plt.subplots(1, 3, figsize=(10, 2.8), layout="constrained")
for axis, data, title in ((before, volumes, "as recorded"), (after, moved, "registered")):
    mean = np.asarray(data).astype(float).mean(axis=0)
    axis.imshow(mean[2:-2, 36], cmap="gray", aspect=3)
    axis.set_title(f"mean, {title}")
    axis.set(xlabel="x", ylabel="z")
plot.plot(truth["shifts"][:, 2], color="0.7", lw=4, label="true")
plot.plot(moved.transforms.z_shifts, "o", label="found")
plot.set(title="shift along z", xlabel="volume", ylabel="planes")
plot.legend()
figure.savefig("volumes_that_sink.png", dpi=80)
