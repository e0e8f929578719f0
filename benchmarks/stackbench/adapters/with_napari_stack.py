"""napari-stack, with its defaults, but for what the task says (sigma 2.5, a similarity, ...)."""

import numpy as np

REQUIREMENTS = ()  # the Python that runs StackBench has it
BUILT_IN = True


def version():
    """Tell the version."""
    import napari_stack

    return napari_stack.__version__


def registration(frames, transform):
    """Measure against the middle frame."""
    import napari_stack as ns

    return ns.measure_transforms(ns.Stack.wrap(frames), transform=str(transform)).matrices


def deformation(frames, points):
    """Register with a smooth deformation."""
    import napari_stack as ns

    stack = ns.Stack.wrap(frames)
    found = ns.measure_transforms(stack, transform="translation", nonrigid="smooth")
    return found.displacements(points)


def volumes(volumes):
    """Measure the drift of volumes."""
    import napari_stack as ns

    stack = ns.Hyperstack.wrap(volumes, axes=("t", "z", "y", "x"))
    found = ns.register_volumes(stack, transform="translation").transforms
    return np.column_stack([found.matrices[:, 0, 2], found.matrices[:, 1, 2], found.z_shifts])


def clipping(frames):
    """Clip at 2.5 sigma about the mean."""
    import napari_stack as ns

    return ns.sigma_clip(ns.Stack.wrap(frames), sigma=2.5).image


def fusion(frames):
    """Fuse."""
    import napari_stack as ns

    return ns.focus_stack(ns.Stack.wrap(frames)).image


def breathing(frames):
    """Register, then fuse."""
    import napari_stack as ns

    return ns.focus_stack(ns.register(ns.Stack.wrap(frames), transform="similarity")).image


def depth(frames):
    """Fuse, and return the depth."""
    import napari_stack as ns

    return ns.focus_stack(ns.Stack.wrap(frames)).depth


def hot_pixels(frames):
    """Find defective pixels."""
    import napari_stack as ns

    return ns.find_hot_pixels(ns.Stack.wrap(frames))


def drizzling(frames, shifts, scale):
    """Drizzle, the shifts given."""
    import napari_stack as ns

    matrices = np.tile(np.eye(3), (len(frames), 1, 1))
    matrices[:, :2, 2] = shifts
    stack = ns.apply_transforms(ns.Stack.wrap(frames), ns.Transforms(matrices))
    return ns.drizzle(stack, scale=float(scale), pixfrac=0.7).image


def flat_field(frames):
    """Estimate the flat from the frames."""
    import napari_stack as ns

    return ns.measure_flat_field(ns.Stack.wrap(frames)).gain ** -1.0
