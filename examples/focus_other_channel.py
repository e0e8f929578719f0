"""Measure transforms on one channel, apply them to another, and fuse both over z."""

import numpy as np

import napari_stack as ns

data, truth = ns.samples.hyperstack(times=3, slices=5)
print("axes:", ", ".join(f"{axis.name} ({axis.step:g} {axis.unit})" for axis in data.axes))

# By hand, for one pair of channels: measure once, apply twice.
over_time = data.along("t")
first, second = (over_time.stack({"c": channel, "z": 2}) for channel in (0, 1))
transforms = ns.measure_transforms(first)
transforms.save("drift.json")
aligned = ns.apply_transforms(second, ns.Transforms.load("drift.json"))
print("a registered frame of the other channel:", aligned[0].shape)

# The same for all positions at once: `map` measures at one and applies everywhere.
registered = over_time.map(ns.register, measure_at={"c": 0, "z": 2})
focused = registered.along("z").map(ns.focus_stack)
ns.write("focused.tif", focused.image, axes=registered.along("z").loop_axes)
print("one sharp image for every time and channel:", focused.image.shape)
print("same pixels:", np.array_equal(registered.along("t").stack({"c": 1, "z": 2})[0], aligned[0]))
