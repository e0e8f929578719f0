"""Covariances of measured places, and shifts without the bias of interpolation."""

import importlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import napari_stack as ns
from napari_stack.operators.registration.methods import Features, Phase
from napari_stack.operators.registration.refinement import uncertainty
from napari_stack.operators.registration.search.align import align, align_by, prepare

ROOT = Path(__file__).parents[3]
INSIDE = 2.296


@pytest.fixture(scope="module")
def benchmark():
    """The benchmark that shows calibration at length."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        return importlib.import_module("registration_uncertainty")


@pytest.mark.parametrize("noise", [10.0, "SNR 1"])
def test_two_thirds_of_the_errors_lie_inside(benchmark, noise):
    """The short form of the benchmark: 32 pairs; their share has a standard error of 8 %."""
    found = [
        benchmark.judged(benchmark.Pair(kind, scene, 128, noise, seed))
        for kind in ("translation", "similarity")
        for scene in ("natural", "cells")
        for seed in range(100, 108)
    ]
    for points in (0, slice(1, 5)):  # the centre, the corners
        distance = np.concatenate([np.ravel(pair.distance[points]) for pair in found if pair])
        assert 0.5 < (distance <= INSIDE).mean() < 0.86
        assert 0.6 < np.minimum(distance, 30).mean() / 2 < 1.7


def matched(benchmark, kind="translation", noise=10.0, seed=3, size=128):
    pair = benchmark.Pair(kind, "natural", size, noise, seed)
    return [prepare(frame) for frame in pair.frames()], pair.truth()


def sigma(alignment):
    return np.sqrt(np.diag(alignment.covariance)[[2, 5]])


@pytest.mark.parametrize("size", [128, 320])  # the second in bands
def test_it_grows_with_the_noise_and_never_falls_to_nothing(benchmark, size):
    found = [
        align(*matched(benchmark, noise=noise, size=size)[0], transform="translation")
        for noise in (0.0, 8.0, 24.0)
    ]
    none, some, more = (sigma(alignment) for alignment in found)
    assert (none >= uncertainty.FLOOR).all()
    assert (some > none).all()
    np.testing.assert_allclose(more / some, 3, rtol=0.25)


def test_a_frame_beside_itself_is_as_sure_as_the_floor(benchmark):
    (first, _), _ = matched(benchmark)
    found = align(first, first, transform="translation")
    least = uncertainty.FLOOR**2 + uncertainty.ALIKE**2
    np.testing.assert_allclose(found.covariance[2, 2], least, rtol=0.1)


def test_the_floor_is_less_where_pixels_are_read_differently_and_more_in_reduced_frames(benchmark):
    (first, _), _ = matched(benchmark)
    turned = benchmark.similarity((0, 0), 3, 1, (128, 128))
    least = [np.diag(uncertainty._floor(matrix, first, 3))[:2] for matrix in (np.eye(3), turned)]
    assert (least[0] > 4 * least[1]).all()
    np.testing.assert_allclose(least[1], uncertainty.FLOOR**2, rtol=0.2)
    reduced = replace(first, factors=(2, 4))
    assert (np.diag(uncertainty._floor(np.eye(3), reduced, 2)) > 10 * least[0]).all()


def test_the_bias_of_cubic_interpolation_is_taken_off(benchmark, monkeypatch):
    """A shift by a quarter of a pixel reads 0.007 px too far along each axis."""
    texture = benchmark.TEXTURES["natural"](1, 192)
    truth = benchmark.similarity((3.25, -1.25), 0, 1, (192, 192))
    frames = [prepare(texture(m, (192, 192)).astype(np.float32)) for m in (np.eye(3), truth)]
    error = align(*frames, transform="translation").matrix - truth
    assert np.abs(error).max() < 0.0025
    monkeypatch.setattr(
        "napari_stack.operators.registration.search.align.measure_uncertainty",
        lambda _one, _two, refined, _transform, _misled: (refined.matrix, np.zeros((8, 8))),
    )
    biased = align(*frames, transform="translation").matrix - truth
    assert np.abs(biased).max() > 0.005


@pytest.mark.parametrize("kind", ["translation", "rigid", "similarity", "affine", "homography"])
def test_only_what_the_kind_leaves_free_is_unsure(benchmark, kind):
    frames, _ = matched(benchmark, kind="translation")
    found = align(*frames, transform=kind)
    covariance = found.covariance
    np.testing.assert_allclose(covariance, covariance.T, atol=1e-12)
    unknowns = {"translation": 2, "rigid": 3, "similarity": 4, "affine": 6, "homography": 8}
    sizes = np.sqrt(np.diag(covariance))
    sizes[sizes == 0] = 1
    assert np.linalg.matrix_rank(covariance / np.outer(sizes, sizes), tol=1e-9) == unknowns[kind]
    if kind == "translation":
        assert np.flatnonzero(np.diag(covariance)).tolist() == [2, 5]


def test_movers_do_not_make_the_rest_surer(benchmark):
    pair = benchmark.Pair("translation", "natural", 192, 5.0, 4)
    first, second = pair.frames()
    still = align(prepare(first), prepare(second), transform="translation")
    second[40:110, 60:120] = np.roll(second, 25, axis=1)[40:110, 60:120]
    found = align(prepare(first), prepare(second), transform="translation")
    assert found.verified
    assert (sigma(found) > sigma(still)).all()


def test_what_is_left_out_of_the_frame_is_not_counted(benchmark):
    """Half of the frame leaves half of the pixels, and a variance of twice as much."""
    first, second = benchmark.Pair("translation", "natural", 192, 10.0, 5).frames()
    mask = np.ones(first.shape, bool)
    mask[:, 96:] = False
    whole = align(prepare(first), prepare(second), transform="translation")
    half = align(prepare(first, mask), prepare(second, mask), transform="translation")
    ratio = np.trace(half.covariance) / np.trace(whole.covariance)
    assert 1.4 < ratio < 3.5


def test_methods_that_compare_no_intensities_say_nothing(benchmark):
    (first, second), _ = matched(benchmark, noise=2.0, size=192)
    for method in (Phase(), Features()):
        found = align_by(first, second, transform="translation", method=method)
        assert found.verified
        assert np.isnan(found.covariance).all()


def test_a_registration_tells_how_sure_each_frame_is(benchmark):
    first, second = benchmark.Pair("translation", "natural", 128, 10.0, 6).frames()
    stack = ns.Stack.wrap(np.stack([second, first, np.zeros_like(first)]))
    found = ns.measure_transforms(stack, transform="translation", reference=1)
    assert found.failed.tolist() == [False, False, True]
    assert (found.covariance[1] == 0).all()
    assert np.isnan(found.covariance[2]).all()
    single = align(prepare(first), prepare(second), transform="translation")
    np.testing.assert_allclose(found.covariance[0], single.covariance[[[2], [5]], [[2, 5]]])


def test_links_of_a_chain_add_up_but_for_the_frames_between(benchmark):
    """Of the noise of three links, that of the frames within cancels: 1 + 0.2 + 0.2 of a link."""
    first, second = benchmark.Pair("rigid", "natural", 128, 10.0, 7).frames()
    frames = ns.Stack.wrap(np.stack([first, second, first, second]))
    chained = ns.measure_transforms(frames, transform="rigid", reference=0, sequence="previous")
    _, one, two, three = np.trace(chained.covariance, axis1=1, axis2=2)
    assert two / one == pytest.approx(1.2, abs=0.05)
    assert three / one == pytest.approx(1.4, abs=0.05)


def test_an_overlap_that_does_not_determine_it_is_not_known(benchmark):
    frames, truth = matched(benchmark)
    far = uncertainty.Refined(truth + 1e3 * np.eye(3, k=2), shares=((1, 1.0),))
    matrix, covariance = uncertainty.measure_uncertainty(*frames, far, "translation")
    np.testing.assert_array_equal(matrix, far.matrix)
    assert np.isnan(covariance).all()
    assert np.isnan(
        uncertainty.measure_uncertainty(*frames, replace(far, shares=()), "rigid")[1]
    ).all()
