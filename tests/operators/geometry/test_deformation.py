"""Motion beyond matrices: smooth and row by row; read once, moved, joined, inverted, written."""

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.operators.geometry import spline_grids
from napari_stack.operators.geometry.deformation import Deformation, rows_at

SIZE = (90, 110)


def scene(x, y):
    """Smooth picture, sampled anywhere."""
    return 100 + 40 * np.sin(x / 6) * np.cos(y / 7) + 20 * np.sin((x + 2 * y) / 9)


def matrix(shift=(3.0, -2.0), degrees=2.0):
    turn = np.deg2rad(degrees)
    return np.array([
        [np.cos(turn), -np.sin(turn), shift[0]],
        [np.sin(turn), np.cos(turn), shift[1]],
        [0, 0, 1],
    ])  # fmt: skip


def grids(count=2, strength=1.5, seed=0, spacing=24.0):
    rng = np.random.default_rng(seed)
    columns, rows = (int(np.ceil(side / spacing)) + 3 for side in SIZE[::-1])
    place = np.array([[1 / spacing, 0, 1], [0, 1 / spacing, 1], [0, 0, 1.0]])
    return rng.uniform(-strength, strength, (count, rows, columns, 2)), np.tile(
        place, (count, 1, 1)
    )


def wander(count=2, step=0.08, back=0.0, seed=0):
    """Offsets of rows that wander; every other row is scanned backwards, `back` px away."""
    rows = np.cumsum(np.random.default_rng(seed).normal(0, step, (count, SIZE[0], 2)), axis=1)
    rows[:, ::2, 0] += back
    return rows


@pytest.fixture(scope="module")
def moves():
    """Two frames each: bent smoothly, row by row, and both."""
    matrices = np.stack([matrix(), np.eye(3)])
    rows = wander()
    kinds = {"smooth": (*grids(), None), "rows": (None, None, rows), "both": (*grids(), rows)}
    return {
        kind: ns.Transforms(matrices, size=SIZE, deformation=Deformation(*parts))
        for kind, parts in kinds.items()
    }


KINDS = ["smooth", "rows", "both"]


def pixels_of(size):
    y, x = np.mgrid[: size[0], : size[1]].astype(float)
    return np.column_stack([x.ravel(), y.ravel()])


def seen(transforms, index):
    """Frame of the scene as it moved, by the way back from each pixel."""
    at = transforms.points_in_reference(index, pixels_of(SIZE))
    return scene(*at.T).reshape(SIZE)


def test_a_spline_takes_the_values_that_it_was_fitted_to():
    values = np.random.default_rng(0).normal(size=(6, 8, 2))
    y, x = np.mgrid[:6, :8]
    at = np.column_stack([x.ravel(), y.ravel()]) + 1.0  # one control point more on each side
    np.testing.assert_allclose(
        spline_grids.read(spline_grids.fitted(values), at), values.reshape(-1, 2), atol=1e-12
    )


def test_a_spline_goes_on_beyond_its_grid():
    grid = grids()[0][0]
    last = grid.shape[1] - 2
    at, beyond = spline_grids.read(grid, np.array([[last, 3.5], [last + 40, 3.5]]))
    np.testing.assert_allclose(beyond, at)


@pytest.mark.parametrize("kind", KINDS)
def test_points_go_to_a_frame_and_come_back(moves, kind):
    points = np.random.default_rng(2).uniform(8, 75, (50, 2))
    for index in range(2):
        there = moves[kind].points_in_frame(index, points)
        np.testing.assert_allclose(moves[kind].points_in_reference(index, there), points, atol=1e-5)
        np.testing.assert_allclose(moves[kind].displacements(points)[index], there - points)


def test_rows_of_a_scan_are_those_that_show_a_place():
    offsets = wander()[0, :, 1]
    rows = np.array([0.0, 10.25, 44.5, 89.0])
    y = rows - np.interp(rows, np.arange(SIZE[0]), offsets)
    np.testing.assert_allclose(rows_at(offsets, y), rows, atol=1e-9)
    np.testing.assert_allclose(rows_at(offsets, np.array([-500.0])), -500 + offsets[0])


@pytest.mark.parametrize(
    ("kind", "interpolation"),
    [("smooth", "linear"), ("smooth", "cubic"), ("smooth", "lanczos"), ("rows", "lanczos"),
     ("rows", "cubic"), ("both", "cubic")],
)  # fmt: skip
def test_frames_that_were_bent_are_put_right(moves, kind, interpolation):
    frames = np.stack([seen(moves[kind], i) for i in range(2)]).astype(np.float32)
    right = ns.apply_transforms(ns.Stack.wrap(frames), moves[kind], interpolation=interpolation)
    for index in range(2):
        values, valid = right.read(index)
        wanted = scene(*pixels_of(SIZE).T).reshape(SIZE)
        apart = np.abs(values - wanted)[valid]
        assert valid.mean() > 0.8
        assert apart.max() < (4.0 if interpolation == "linear" else 1.5)
        assert np.sqrt((apart**2).mean()) < (0.8 if interpolation == "linear" else 0.15)


def test_rows_scanned_to_and_fro_are_each_read_at_their_own_offset():
    rows = wander(step=0.02, back=2.5)
    moves = ns.Transforms(np.tile(np.eye(3), (2, 1, 1)), deformation=Deformation(None, None, rows))
    frames = np.stack([seen(moves, i) for i in range(2)]).astype(np.float32)
    right = ns.apply_transforms(ns.Stack.wrap(frames), moves)
    values, valid = right.read(0)
    apart = (values - scene(*pixels_of(SIZE).T).reshape(SIZE))[valid]
    assert np.abs(apart).max() < 1.0  # rows are 2.5 px apart: 15 grey levels and more
    assert np.abs(frames[0] - scene(*pixels_of(SIZE).T).reshape(SIZE)).max() > 10


@pytest.mark.parametrize("border", ["invalid", "replicate", "reflect"])
@pytest.mark.parametrize("kind", KINDS)
def test_bands_of_rows_are_as_of_the_whole_frame(moves, kind, border):
    data = np.random.default_rng(3).integers(0, 4000, (2, *SIZE, 3)).astype(np.uint16)
    right = ns.apply_transforms(ns.Stack.wrap(data, rgb=True), moves[kind], border=border)
    whole = right.render(0)
    bands = [right.render(0, slice(a, min(a + 17, SIZE[0]))) for a in range(0, SIZE[0], 17)]
    np.testing.assert_array_equal(np.concatenate(bands), whole)


@pytest.mark.parametrize("kind", KINDS)
def test_a_crop_and_a_turn_stay_one_interpolation(moves, kind):
    frames = np.stack([seen(moves[kind], i) for i in range(2)]).astype(np.float32)
    right = ns.apply_transforms(ns.Stack.wrap(frames), moves[kind])
    values, valid = right.read(0)
    part = ns.transform_frames(right, crop=ns.Box(left=10, top=15, right=80, bottom=75))
    assert len(part.corrections) == 1
    np.testing.assert_allclose(part.read(0)[0], values[15:75, 10:80], atol=2e-3)
    turned = ns.transform_frames(right, rotate=90, grow=True)
    assert len(turned.corrections) == 1
    again, counts = turned.read(0)
    ways = [np.rot90(values, k) for k in (1, 3)]
    both = counts & np.rot90(valid, 1) & np.rot90(valid, 3)
    assert min(np.abs(again - way)[both].max() for way in ways) < 0.5  # interpolated elsewhere


def test_what_counts_is_followed_through_a_deformation(moves):
    frames = np.stack([seen(moves["both"], i) for i in range(2)]).astype(np.float32)
    frames[1, 40:44, 50:54] = np.nan
    values, valid = ns.apply_transforms(ns.Stack.wrap(frames), moves["both"]).read(1)
    at = moves["both"].points_in_reference(1, np.array([[51.5, 41.5]]))[0].round().astype(int)
    assert not valid[at[1], at[0]]
    assert np.isfinite(values[valid]).all()


def test_all_that_is_covered_is_common_to_bent_frames(moves):
    frames = np.ones((2, *SIZE), np.float32)
    common = ns.apply_transforms(ns.Stack.wrap(frames), moves["both"], framing="common")
    assert all(common.read(i)[1] is None for i in range(2))


def test_no_deformation_is_none_at_all():
    data = np.random.default_rng(3).integers(0, 4000, (2, *SIZE)).astype(np.uint16)
    plain = ns.Transforms(np.stack([matrix(), np.eye(3)]))
    flat, places = grids(strength=0.0)
    for parts in ((flat, places, None), (None, None, np.zeros((2, SIZE[0], 2)))):
        zero = ns.Transforms(plain.matrices, deformation=Deformation(*parts))
        one, two = (ns.apply_transforms(ns.Stack.wrap(data), t)[0] for t in (plain, zero))
        assert np.abs(one.astype(int) - two).max() <= 1


def test_how_far_frames_are_bent_is_told_of_what_lies_within_them():
    bent, places = grids(3, strength=0.0)
    bent[1] = 3.0, -4.0
    bent[2, :, -1] = 50.0  # this control point lies beyond the right border, and hardly counts
    shifted = np.stack([matrix((0, 0), 0), matrix((0, 0), 0), matrix((-40, 0), 0)])
    smooth = Deformation(bent, places)
    far = smooth.largest(shifted, SIZE)
    np.testing.assert_allclose(far[:2], [0, 5])
    beyond = smooth.largest(np.tile(np.eye(3), (3, 1, 1)), SIZE)[2]
    assert 0 < beyond < 20 < smooth.reach([2])
    rows = wander(3)
    both = Deformation(bent, places, rows).largest(shifted, SIZE)
    np.testing.assert_allclose(both - far, np.hypot(rows[..., 0], rows[..., 1]).max(axis=1))


class TestValues:
    """Deformations as values: selected, joined, multiplied, inverted, written."""

    def test_selected_and_joined(self, moves):
        both = moves["both"]
        one, two = (both.select(np.array([i])) for i in (0, 1))
        assert one.join([two]) == both
        assert both.select(np.array([1, 0])) != both
        plain = ns.Transforms(both.matrices, size=SIZE)
        mixed = plain.join([both])
        points = pixels_of(SIZE)[::500]
        np.testing.assert_allclose(mixed.displacements(points)[2:], both.displacements(points))
        np.testing.assert_allclose(mixed.displacements(points)[:2], plain.displacements(points))

    def test_grids_of_another_spacing_are_not_joined(self, moves):
        other = ns.Transforms(moves["smooth"].matrices, size=SIZE,
                              deformation=Deformation(*grids(spacing=40.0)))  # fmt: skip
        with pytest.raises(ValueError, match="cannot be joined"):
            moves["smooth"].join([other])

    @pytest.mark.parametrize("kind", KINDS)
    def test_a_matrix_after_a_deformation_is_exact(self, moves, kind):
        later = ns.Transforms.exact(matrix((-4, 1), 5), 2)
        points = pixels_of(SIZE)[::700]
        total = moves[kind].then(later)
        for index in range(2):
            between = later.points_in_frame(index, points)
            wanted = moves[kind].points_in_frame(index, between)
            np.testing.assert_allclose(total.points_in_frame(index, points), wanted, atol=1e-9)

    @pytest.mark.parametrize(
        ("first", "near"),
        [("plain", 1e-9), ("perspective", 0.02), ("smooth", 0.02), ("both", 0.02)],
    )
    def test_a_smooth_one_after_others(self, moves, first, near):
        tilted = matrix()
        tilted[2, 0] = 2e-4
        one = {
            "plain": ns.Transforms.exact(matrix((2, 5), -3), 2),
            "perspective": ns.Transforms.exact(tilted, 2),
        } | moves
        later = ns.Transforms(
            np.stack([matrix((1, 1), -2)] * 2),
            deformation=Deformation(*grids(strength=1.0, seed=5, spacing=40.0)),
        )
        total = one[first].then(later)
        # Where a grid ends, and its border goes on, there is a crease that no spline follows.
        points = np.random.default_rng(2).uniform(15, 70, (80, 2))
        for index in range(2):
            wanted = one[first].points_in_frame(index, later.points_in_frame(index, points))
            apart = total.points_in_frame(index, points) - wanted
            assert np.abs(apart).max() < near

    def test_rows_come_first(self, moves):
        with pytest.raises(ValueError, match="rows of a scan are moved first"):
            moves["smooth"].then(moves["rows"])
        # A stack that was warped before is warped twice, which is right.
        data = ns.Stack.wrap(np.ones((2, *SIZE), np.float32))
        twice = ns.apply_transforms(ns.apply_transforms(data, moves["smooth"]), moves["rows"])
        assert len(twice.corrections) == 2

    def test_the_way_back_of_a_smooth_one(self, moves):
        back = moves["smooth"].inverse()
        points = np.random.default_rng(2).uniform(15, 70, (50, 2))
        for index in range(2):
            there = moves["smooth"].points_in_frame(index, points)
            again = back.points_in_frame(index, there)
            np.testing.assert_allclose(again, points, atol=0.03)
        with pytest.raises(ValueError, match="points_in_reference"):
            moves["rows"].inverse()

    @pytest.mark.parametrize("ending", [".npz", ".json"])
    def test_written_and_read(self, moves, tmp_path, ending):
        for kind in KINDS:
            whole = ns.Transforms(
                moves[kind].matrices, size=SIZE, deformation=moves[kind].deformation,
                z_shifts=np.array([0.5, -1.0]),
            )  # fmt: skip
            whole.save(tmp_path / f"{kind}{ending}")
            assert ns.Transforms.load(tmp_path / f"{kind}{ending}") == whole

    @pytest.mark.parametrize("ending", [".csv", ".txt", ".npy"])
    def test_forms_that_hold_matrices_only_refuse(self, moves, tmp_path, ending):
        with pytest.raises(ValueError, match=r"save as \.json or \.npz"):
            moves["smooth"].save(tmp_path / f"moves{ending}")
        assert not list(tmp_path.iterdir())

    def test_failed_frames_lie_between_their_neighbours(self):
        bent, places = grids(3)
        failed = np.array([False, True, False])
        moves = ns.Transforms(
            np.tile(np.eye(3), (3, 1, 1)), failed=failed, deformation=Deformation(bent, places),
            z_shifts=np.array([0.0, 9.0, 2.0]),
        ).interpolated()  # fmt: skip
        np.testing.assert_allclose(moves.deformation.grids[1], (bent[0] + bent[2]) / 2)
        assert moves.z_shifts.tolist() == [0, 1, 2]

    @pytest.mark.parametrize(
        ("parts", "sentence"),
        [
            ((None, None, None), "grids or row_offsets are needed"),
            ((np.zeros((2, 3, 9, 2)), np.zeros((2, 3, 3)), None), "4 rows and columns at least"),
            ((np.zeros((2, 9, 9, 2)), None, None), "go together"),
            ((None, None, np.zeros((2, 9, 3))), "row_offsets need the shape"),
            ((None, None, np.full((2, 9, 2), np.nan)), "all finite"),
        ],
    )
    def test_arrays_that_do_not_fit(self, parts, sentence):
        with pytest.raises(ValueError, match=sentence):
            Deformation(*parts)

    def test_as_many_as_there_are_frames(self, moves):
        with pytest.raises(ValueError, match="that of 2 frames, not 3"):
            ns.Transforms(np.tile(np.eye(3), (3, 1, 1)), deformation=moves["rows"].deformation)
        with pytest.raises(ValueError, match="z_shifts need 3"):
            ns.Transforms(np.tile(np.eye(3), (3, 1, 1)), z_shifts=np.zeros(2))
