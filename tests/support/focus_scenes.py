"""Focus series with known truth: a slope, and a disc before a background."""

import cv2
import numpy as np


def texture(shape, seed=0):
    """Return 1/f noise like that of natural scenes, 20 to 235."""
    rng = np.random.default_rng(seed)
    fy, fx = np.fft.fftfreq(shape[0])[:, None], np.fft.rfftfreq(shape[1])[None]
    amplitude = 1 / np.maximum(np.hypot(fy, fx), 1 / max(shape[:2])) ** 1.3
    phase = rng.uniform(0, 2 * np.pi, amplitude.shape)
    image = np.fft.irfft2(amplitude * np.exp(1j * phase), s=shape[:2])
    image = np.clip((image - image.mean()) / (2.5 * image.std()), -1, 1)
    return (127.5 + 107.5 * image).astype(np.float32)


def defocus(scene, depth, frames, strength=1.6):
    """Return a focus series: every pixel blurred in proportion to its distance from the focus."""
    widest = int(np.ceil(strength * frames / 0.5)) + 1
    sigmas = [0.5 * step for step in range(1, widest + 1)]
    levels = [scene] + [cv2.GaussianBlur(scene, (0, 0), sigma) for sigma in sigmas]
    blurred = np.stack([level.reshape(scene.shape) for level in levels])
    rows, columns = np.indices(depth.shape)
    series = []
    for index in range(frames):
        place = np.minimum(strength * np.abs(depth - index) / 0.5, widest - 1e-3)
        below = place.astype(int)
        part = (place - below).astype(np.float32)
        if scene.ndim == 3:
            part = part[..., None]
        near, far = blurred[below, rows, columns], blurred[below + 1, rows, columns]
        series.append((1 - part) * near + part * far)
    return np.stack(series)


def ramp(shape=(150, 190), frames=6, channels=None):
    """Return a tilted plane: frames, truth, depth."""
    scene = texture(shape)
    if channels:
        scene = np.stack([texture(shape, seed) for seed in range(channels)], axis=-1)
    depth = np.broadcast_to(np.linspace(0, frames - 1, shape[1], dtype=np.float32), shape)
    return defocus(scene, depth, frames), scene, depth


def steps(frames=6, noise=0.0, flicker=0.0, colour=False, seed=0):
    """Return a sharp disc before a background, as floats 0 to 255: frames, truth, depth."""
    rng = np.random.default_rng(seed)
    shape = (160, 200)
    channels = 3 if colour else 1
    near, far = (
        cv2.GaussianBlur(rng.normal(0, 120, (*shape, channels)), (0, 0), 1.0).reshape(*shape, -1)
        + 128
        for _ in range(2)
    )
    rows, columns = np.indices(shape)
    disc = (np.hypot(rows - 80, columns - 90) < 50).astype(float)
    truth = np.where(disc[..., None] > 0, near, far)
    depth = np.where(disc > 0, 1, frames - 2)
    series = []
    for index in range(frames):
        opacity = blur(disc, abs(index - 1))[..., None]
        behind = blur(far, abs(index - frames + 2)).reshape(far.shape)
        front = blur(near * disc[..., None], abs(index - 1)).reshape(far.shape)
        frame = behind * (1 - opacity) + front
        frame = frame * (1 + flicker * rng.uniform(-1, 1))
        series.append(frame + rng.normal(0, noise, frame.shape))
    frames_, truth = np.clip(np.stack(series), 0, 255), np.clip(truth, 0, 255)
    if not colour:
        frames_, truth = frames_[..., 0], truth[..., 0]
    return frames_.astype(np.float32), truth.astype(np.float32), depth


def blur(image, sigma):
    """Blur an image by a Gaussian; by 0 it stays."""
    return cv2.GaussianBlur(image, (0, 0), sigma) if sigma else image


def psnr(image, truth, top=255, border=8):
    """Return the peak signal-to-noise ratio in dB, without the border."""
    height, width = truth.shape[:2]
    inner = np.s_[border : height - border, border : width - border]
    error = image[inner].astype(float) - truth[inner]
    return 10 * np.log10(top**2 / np.mean(error**2))
