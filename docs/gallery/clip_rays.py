"""Average without cosmic rays.

Each frame has other tracks of rays. A plain mean keeps a trace of all of them; `sigma_clip` leaves
out what strays from the other frames, and counts it.
"""

import matplotlib.pyplot as plt

import napari_stack as ns

stack, truth = ns.samples.cosmic_rays(frames=12, size=(128, 160), rays=12)
mean = ns.combine(stack)
clean = ns.sigma_clip(stack, sigma=2.5)

figure, axes = plt.subplots(1, 3, figsize=(10, 3), layout="constrained")
for place, image, title in zip(
    axes,
    (mean, clean.image, clean.rejected),
    ("mean", "sigma clipped", "frames rejected"),
    strict=True,
):
    place.imshow(image, cmap="gray")
    place.set_title(title)
figure.savefig("clip_rays.png", dpi=80)
