"""Deformations of tissue and rows of scans are found, and none where there are none."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.ndimage import map_coordinates

import napari_stack as ns
from napari_stack import samples
from napari_stack.core.matrices import about_centre
from napari_stack.engine.run import Run
from napari_stack.operators.registration.nonrigid.measure import with_deformation
from napari_stack.operators.registration.sequence.measure import MeasureOptions

SIZE, FRAMES = (160, 144), 8


def apart(transforms, truth):
    """Root mean square error in px, whatever geometry all frames were brought to.

    The same point of the result has to be the same object point in all frames.
    """
    points = truth["points"]
    columns = len(np.unique(points[:, 0]))
    objects = []
    for index, seen in enumerate(points + transforms.displacements(points)):
        moved = truth["displacements"][index].reshape(-1, columns, 2)
        found = seen.copy()
        for _ in range(10):
            at = [found[:, 1] / 8 - 1, found[:, 0] / 8 - 1]
            found = seen - np.stack(
                [map_coordinates(moved[..., k], at, order=3, mode="nearest") for k in (0, 1)], 1
            )
        objects.append(found)
    spread = np.array(objects) - np.mean(objects, axis=0)
    inner = ((points > 16) & (points < np.array(SIZE[::-1]) - 16)).all(axis=1)
    return float(np.sqrt((spread[:, inner] ** 2).sum(axis=-1).mean()))


def bent(stack, rigid, nonrigid):
    return with_deformation(stack, MeasureOptions(), rigid, nonrigid, Run())


@pytest.fixture(scope="module")
def tissue():
    return samples.deforming(FRAMES, SIZE, 4, shift=2.0, period=120.0)


@pytest.fixture(scope="module")
def scan():
    return samples.scanned(FRAMES, SIZE, 4, shift=2.0)


@pytest.fixture(scope="module")
def tissue_moves(tissue):
    """Transforms of the frames, without and with what they move beyond a shift."""
    return [
        ns.measure_transforms(tissue[0], transform="translation", nonrigid=nonrigid)
        for nonrigid in ("off", "smooth")
    ]


@pytest.fixture(scope="module")
def scan_moves(scan):
    rigid = ns.measure_transforms(scan[0], transform="translation")
    return rigid, bent(scan[0], rigid, ns.Rows())


@pytest.mark.parametrize(("kind", "near"), [("tissue", 0.16), ("scan", 0.14)])
def test_what_moves_beyond_a_shift_is_found(request, kind, near):
    _, truth = request.getfixturevalue(kind)
    rigid, found = request.getfixturevalue(f"{kind}_moves")
    np.testing.assert_array_equal(found.matrices, rigid.matrices)
    assert apart(rigid, truth) > 0.4
    assert apart(found, truth) < near


def test_the_mean_of_bent_frames_is_sharper(tissue, tissue_moves):
    stack, truth = tissue
    clean = truth["clean"]
    inner = np.s_[16:-16, 16:-16]

    def contrast(transforms):
        mean = ns.combine(ns.apply_transforms(stack, transforms))
        # the mean geometry of all frames is another than that of the object: no pixel by pixel
        return np.abs(mean.astype(float))[inner].std() / clean[inner].std()

    rigid, found = tissue_moves
    assert contrast(found) > contrast(rigid) * 1.01


@pytest.mark.parametrize(
    ("nonrigid", "frames", "noise", "seed"),
    [
        (ns.Smooth(), 8, 0.02, 4), (ns.Smooth(), 8, 0.12, 4), (ns.Rows(), 8, 0.12, 1),
        (ns.Rows(), 8, 0.02, 3), (ns.Rows(), 8, 0.02, 8), (ns.Rows(), 3, 0.02, 8),
    ],
)  # fmt: skip
def test_frames_that_are_rigid_stay_so(nonrigid, frames, noise, seed):
    # Seeds in which rows once moved: by slopes that are noise, and by edges that smoothing blurs.
    stack, truth = samples.drifting_cells(
        frames, (96, 112), seed, shift=5.0, rotation=0.0, scale=0.0, noise=noise, dtype="float32"
    )
    rigid = ns.Transforms(truth["matrices"])
    with pytest.warns(UserWarning, match="support no deformation"):
        found = bent(stack, rigid, nonrigid)
    assert found == rigid


def test_rows_to_and_fro():
    stack, truth = samples.scanned(5, (128, 112), 5, shift=2.0, back=3.0)
    found = ns.measure_transforms(
        stack, transform="translation", nonrigid=ns.Rows(bidirectional=True)
    )
    rows = found.deformation.row_offsets[..., 0] - truth["row_offsets"][..., 0]
    to, fro = rows[:, 8:-8:2], rows[:, 9:-8:2]
    # What is left of the 3 px between rows of either kind.
    assert np.abs(to.mean(axis=1) - fro.mean(axis=1)).max() < 0.05


def test_failed_and_unused_frames_are_left_out(tissue, tissue_moves):
    stack, _ = tissue
    spoiled = np.asarray(stack).copy()
    spoiled[2] = np.random.default_rng(0).integers(0, 4095, SIZE)
    rigid = replace(tissue_moves[0], failed=np.arange(FRAMES) == 2)
    stack = replace(ns.Stack.wrap(spoiled), used=np.arange(FRAMES) != 5)
    found = bent(stack, rigid, ns.Smooth())
    assert found.failed[2]
    bends = found.deformation.grids.any(axis=(1, 2, 3))
    assert bends.tolist() == [index not in (2, 5) for index in range(FRAMES)]


def test_stiffness_and_spacing_can_be_given(tissue, tissue_moves):
    stack, truth = tissue
    stiff, loose = (
        bent(stack, tissue_moves[0], ns.Smooth(spacing=40.0, stiffness=stiffness))
        for stiffness in (1e5, 1.0)
    )
    assert stiff.deformation.grids.std() < loose.deformation.grids.std()
    assert loose.deformation.grids.shape[1:3] == (7, 7)
    assert apart(loose, truth) < 0.25


def test_frames_never_fold(tissue, tissue_moves):
    found = bent(tissue[0], tissue_moves[0], ns.Smooth(stiffness=1e-6))
    y, x = np.mgrid[: SIZE[0] : 4.0, : SIZE[1] : 4.0]
    points = np.column_stack([x.ravel(), y.ravel()])
    for moved in found.displacements(points).reshape(FRAMES, *x.shape, 2):
        across, down = np.diff(moved, axis=1)[:-1] / 4, np.diff(moved, axis=0)[:, :-1] / 4
        area = (1 + across[..., 0]) * (1 + down[..., 1]) - across[..., 1] * down[..., 0]
        assert area.min() > 0


def test_too_small_or_too_fine():
    tiny, large = (
        ns.Stack.wrap(np.random.default_rng(0).integers(0, 99, (2, *size)).astype(np.uint8))
        for size in [(24, 40), (256, 256)]
    )
    still = ns.Transforms(np.tile(np.eye(3), (2, 1, 1)))
    with pytest.raises(ValueError, match=r"deformations need frames of 32 px"):
        bent(tiny, still, ns.Rows())
    with pytest.raises(ValueError, match="choose a larger spacing"):
        bent(large, still, ns.Smooth(spacing=8.0))


def test_errors_of_the_rigid_motion_are_made_up_for(tissue, tissue_moves):
    stack, truth = tissue
    rigid, smooth = tissue_moves
    rng = np.random.default_rng(1)
    wrong = [
        about_centre(SIZE, np.cos(turn), np.sin(turn), shift)
        for turn, shift in zip(
            np.deg2rad(rng.normal(0, 0.3, FRAMES)), rng.normal(0, 0.5, (FRAMES, 2)), strict=True
        )
    ]
    astray = replace(rigid, matrices=rigid.matrices @ np.array(wrong))
    found = bent(stack, astray, ns.Smooth())
    assert apart(astray, truth) > apart(rigid, truth) + 0.05
    assert apart(found, truth) < 1.1 * apart(smooth, truth)
