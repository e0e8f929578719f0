"""Planes that shake.

The planes of a z-stack jitter against each other, and in it are rods that slant. Registered plane
by plane, rods lean less: slant and drift look alike. `register_planes` takes out the jitter
alone. Drawn is a section along x and z through one rod.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

stack, truth = ns.samples.wobbling(planes=24, size=(128, 128), seed=4, slope=(1.2, 0.0), rods=8)
straightened = ns.register(stack, transform="translation", sequence="previous")
steady = ns.register_planes(stack)

row = round(truth["rods"][0, :, 1].mean())
figure, axes = plt.subplots(1, 4, figsize=(11, 3), layout="constrained")
shown = {"as recorded": stack, "register": straightened, "register_planes": steady}
for axis, (title, data) in zip(axes, shown.items(), strict=False):
    section = np.asarray(data)[:, row - 2 : row + 3].mean(axis=1)
    axis.imshow(section, cmap="gray", aspect=3)
    axis.set(title=title, xlabel="x", ylabel="z")
plot = axes[-1]
plot.plot(truth["jitter"][:, 0], color="0.7", lw=4, label="true")
plot.plot(steady.transforms.matrices[:, 0, 2], label="found")
plot.set(title="jitter along x", xlabel="plane", ylabel="px")
plot.legend()
figure.savefig("planes_that_shake.png", dpi=80)
