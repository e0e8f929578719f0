"""drizzle: resample.Drizzle with the square kernel and pixfrac 0.7, as ours."""

import numpy as np

REQUIREMENTS = ("drizzle",)


def version():
    """Tell the version."""
    from importlib.metadata import version

    return version("drizzle")


def drizzling(frames, shifts, scale):
    """Drizzle, the shifts given."""
    from drizzle.resample import Drizzle

    scale = int(scale)
    height, width = frames.shape[1:]
    y, x = np.indices((height, width)).astype(float)
    made = Drizzle(kernel="square", out_shape=(height * scale, width * scale), fillval="NaN",
                   disable_ctx=True)  # fmt: skip
    for frame, (dx, dy) in zip(frames, shifts, strict=True):
        places = [scale * (x - dx + 0.5) - 0.5, scale * (y - dy + 0.5) - 0.5]
        made.add_image(frame, 1.0, pixmap=np.stack(places, -1), pixfrac=0.7)
    return np.asarray(made.out_img)
