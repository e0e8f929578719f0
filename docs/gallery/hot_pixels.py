"""Find and repair defective pixels.

Pixels that are too bright or dark in most frames, while the scene drifts, belong to the sensor.
They are repaired from neighbours before anything is moved.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

stack, truth = ns.samples.hot_pixels(frames=8, size=(128, 160), count=60)
mask = ns.find_hot_pixels(stack)
repaired = ns.repair_hot_pixels(stack, mask=mask)

figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
axes[0].imshow(stack[0], cmap="gray")
axes[0].set_title("a frame")
axes[1].imshow(mask, cmap="gray")
axes[1].set_title(f"{np.count_nonzero(mask)} pixels found")
axes[2].imshow(repaired[0], cmap="gray")
axes[2].set_title("repaired")
figure.savefig("hot_pixels.png", dpi=80)
