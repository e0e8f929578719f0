"""Take cosmic rays out of an average, within a bound of memory, with progress."""

import napari_stack as ns


def tick(done: int, total: int, what: str) -> None:
    """Print the progress; raising `ns.Cancelled` here would stop the work."""
    if done == 0:
        print(f"{what}: {total} steps")


frames, truth = ns.samples.cosmic_rays(frames=15, size=(256, 256))
run = ns.Run(memory=64 * 2**20, tick=tick)
clipped = ns.sigma_clip(frames, sigma=3.0, run=run)
ns.write("clipped.tif", clipped.image)
ns.write("rejected.tif", clipped.rejected)

hit = truth["mask"].any(axis=0)
print(f"pixels with a ray: {hit.sum()}; of these clipped: {(clipped.rejected[hit] > 0).mean():.1%}")
