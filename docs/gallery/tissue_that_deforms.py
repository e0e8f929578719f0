"""Tissue that deforms.

Cells in tissue that bends by a px or two, in the light of few photons. A shift of each frame
leaves the mean blurred; with `nonrigid="smooth"` each frame is also bent back, as far as all
frames support it. The sample knows where each point went, so what is left can be drawn.
"""

import matplotlib.pyplot as plt
import numpy as np

import napari_stack as ns

stack, truth = ns.samples.deforming(frames=12, size=(192, 192), photons=100.0)
shifted = ns.register(stack, transform="translation")
bent = ns.register(stack, transform="translation", nonrigid="smooth")

inside = (np.abs(truth["points"] - 95.5) < 80).all(axis=1)
points = truth["points"][inside]


def left(registered):
    """How far points lie from where they lie in the other frames, by frame, in px."""
    places = points + truth["displacements"][:, inside]
    back = np.stack([registered.transforms.points_in_reference(i, p) for i, p in enumerate(places)])
    return np.sqrt(((back - back.mean(axis=0)) ** 2).sum(axis=-1).mean(axis=1))


figure, (before, after, plot) = plt.subplots(1, 3, figsize=(10, 3.2), layout="constrained")
part = np.s_[50:130, 50:130]
before.imshow(ns.combine(shifted)[part], cmap="gray")
before.set_title("mean, shifted")
after.imshow(ns.combine(bent)[part], cmap="gray")
after.set_title("mean, bent back")
plot.plot(left(shifted), "o-", label="shifted")
plot.plot(left(bent), "o-", label="bent back")
plot.set(title="error (rms)", xlabel="frame", ylabel="px", ylim=(0, None))
plot.legend()
figure.savefig("tissue_that_deforms.png", dpi=80)
