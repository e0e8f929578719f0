"""Register drifting frames and average them: by hand, and as a recipe."""

import numpy as np

import napari_stack as ns

frames, truth = ns.samples.drifting_cells(frames=9, size=(256, 256))
# Your own: frames = ns.read("folder/*.tif")

registered = ns.register(frames)  # lazy: frames are warped when they are looked at
average = ns.combine(registered)
ns.write("average.tif", average)

noise = {"a frame": registered[4], "the average": average}
for name, image in noise.items():
    error = (image - truth["clean"])[32:-32, 32:-32]
    print(f"noise of {name}: {error.std():.1f}")

# The same, as data that can be kept, sent, and run on other frames.
recipe = ns.Recipe([ns.Step("register"), ns.Step("combine", name="average")])
recipe.save("average.json")
again = ns.Recipe.load("average.json").run(frames)["average"]
print("the recipe gives the same pixels:", np.array_equal(again, average))
