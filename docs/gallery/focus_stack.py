"""One sharp image of a focus series, and its depth.

Each frame is sharp at one depth. `focus_stack` takes every pixel from the frames that are sharp
there, and says between which frames the scene lies.
"""

import matplotlib.pyplot as plt

import napari_stack as ns

stack, truth = ns.samples.focus_series(frames=7, size=(160, 192))
fused = ns.focus_stack(stack)

figure, axes = plt.subplots(1, 4, figsize=(13, 3), layout="constrained")
axes[0].imshow(stack[3], cmap="gray")
axes[0].set_title("frame 3 of 0 to 6")
axes[1].imshow(fused.image, cmap="gray")
axes[1].set_title("fused")
axes[2].imshow(fused.depth, cmap="viridis", vmin=0, vmax=6)
axes[2].set_title("depth, in frames")
axes[3].imshow(truth["depth"], cmap="viridis", vmin=0, vmax=6)
axes[3].set_title("true depth")
figure.savefig("focus_stack.png", dpi=80)
