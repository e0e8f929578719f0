"""Even out the light of a lens.

A simple lens gives less light to the corners. Where frames move over the scene, as tiles of a slide
do, `correct_vignetting` tells the lens, which stays, from the scene, which moves.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

stack, truth = ns.samples.vignetted(frames=8, size=(128, 160), shift=60.0)
even = ns.correct_vignetting(stack, scene="moving")
gain = np.asarray(even, float).sum(axis=0) / np.asarray(stack, float).sum(axis=0)

figure, (before, after, plot) = plt.subplots(1, 3, figsize=(11, 3), layout="constrained")
before.imshow(stack[3], cmap="gray")
before.set_title("a frame")
after.imshow(even[3], cmap="gray")
after.set_title("corrected")
shown = plot.imshow(gain, cmap="magma")
plot.set_title("gain")
figure.colorbar(shown, ax=plot)
figure.savefig("even_light.png", dpi=80)
