"""How sure an average is.

`mean_with_error` gives the standard error of every pixel. Between two halves of the frames the
difference, divided by the errors of both, is to be about 1; a little more,
since the errors themselves come from eight frames each.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

stack, _ = ns.samples.drifting_cells(frames=16, size=(128, 160), shift=0.0, rotation=0.0, scale=0.0)
frames = np.asarray(stack)
first, second = (ns.mean_with_error(ns.Stack.wrap(half)) for half in (frames[::2], frames[1::2]))
both = np.hypot(first.standard_error, second.standard_error)
sigmas = (first.image.astype(float) - second.image) / both

figure, (left, right) = plt.subplots(1, 2, figsize=(8, 3), layout="constrained")
shown = left.imshow(first.standard_error, cmap="magma")
left.set_title("standard error")
figure.colorbar(shown, ax=left)
right.hist(sigmas.ravel(), bins=np.linspace(-5, 5, 51))
right.set_title(f"difference in errors: deviation {sigmas.std():.2f}")
figure.savefig("mean_with_error.png", dpi=80)
