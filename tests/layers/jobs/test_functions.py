"""Operators on layers: same pixels as the engine, one signature, and what is refused."""

import inspect
import warnings

import dask.array as da
import numpy as np
import pytest
from napari.layers import Image, Labels, Points, Shapes

import napari_stack as ns
from napari_stack import layers
from napari_stack.core.options import options_of
from napari_stack.operators import CATALOGUE
from napari_stack.recipe import images_of

#: Operators that take frames of their own kind: registered ones, planes close to each other.
ODD = ("drizzle", "register_planes")


@pytest.mark.parametrize("name", CATALOGUE)
def test_each_operator_has_a_function_with_its_signature_and_texts(name):
    function, engine = getattr(layers, name), CATALOGUE[name].function
    parameters = inspect.signature(function).parameters
    for option, described in options_of(engine).items():
        assert parameters[option] == inspect.signature(engine).parameters[option]
        assert " ".join(described.help.split()) in " ".join(function.__doc__.split())
    first, *_, last = parameters
    assert (first, last) == ("layer", "run")


@pytest.mark.filterwarnings("ignore:.*frames are left out")
@pytest.mark.filterwarnings("ignore:planes also move slowly")
@pytest.mark.parametrize(
    "name",
    [n for n, e in CATALOGUE.items() if n not in ODD and e.kind not in ("volumes", "table")],
)
def test_pixels_are_those_of_the_engine(name, timelapse):
    if name == "sigma_clip":
        result = layers.sigma_clip(timelapse, sigma=1.5)
        expected = ns.sigma_clip(ns.Stack.wrap(timelapse.data), sigma=1.5)
    else:
        result = getattr(layers, name)(timelapse)
        expected = CATALOGUE[name](ns.Stack.wrap(timelapse.data))
    if CATALOGUE[name].gives_frames:
        np.testing.assert_array_equal(np.asarray(result.data), np.asarray(expected))
        return
    images = images_of(expected).values()
    for layer, image in zip(result, images, strict=True):
        np.testing.assert_array_equal(layer.data, image)


def test_volumes_are_registered_as_by_the_engine():
    data, _ = ns.samples.sinking_volume(3, 5, (48, 56))
    pixels = np.asarray(data)
    moved = layers.register_volumes(Image(pixels, axis_labels=("t", "z", "y", "x"), name="spots"))
    np.testing.assert_array_equal(np.asarray(moved.data), np.asarray(ns.register_volumes(data)))


def test_lazy_dask_layer_gives_the_same_and_is_not_computed_before(cells):
    reads = []

    def frame(block, block_info=None):
        reads.append(block_info)
        return block

    lazy = da.from_array(cells[0], chunks=(1, -1, -1)).map_blocks(
        frame, dtype=cells[0].dtype, meta=np.empty((0, 0, 0), cells[0].dtype)
    )
    layer = Image(lazy, contrast_limits=(0, 4095), rgb=False, multiscale=False)
    reads.clear()
    job = layers.prepare("register", layer)
    assert not reads, "preparing reads no pixels"
    computed = job.compute()
    reads.clear()
    registered = job.finish(computed)[0]
    assert len(reads) <= 2, "napari asks for the frame it shows, and for the thumbnail"
    assert registered.data.chunks[0] == (1,) * 5
    expected = ns.register(ns.Stack.wrap(cells[0]))
    np.testing.assert_array_equal(np.asarray(registered.data[1]), expected[1])


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_colours(dtype, cells):
    grey = cells[0][:3] / 4095
    values = np.stack([grey, grey[::-1], grey * 0.5], axis=-1)
    top = 1 if dtype == np.float32 else np.iinfo(dtype).max
    data = (values.clip(0, 1) * top).astype(dtype)
    layer = Image(data, rgb=True, name="colours")
    (mean,) = layers.combine(layer)
    assert mean.rgb
    np.testing.assert_array_equal(mean.data, ns.combine(ns.Stack.wrap(data)))
    image, rejected = layers.sigma_clip(layer, sigma=0.9)
    assert image.rgb
    assert not rejected.rgb
    assert rejected.data.shape == data.shape[1:3]
    assert layers.register(layer).rgb


def test_finest_level_of_a_multiscale_layer(cells):
    fine = cells[0]
    layer = Image([fine, fine[:, ::2, ::2]], multiscale=True, contrast_limits=(0, 4095))
    (mean,) = layers.combine(layer)
    np.testing.assert_array_equal(mean.data, ns.combine(ns.Stack.wrap(fine)))
    assert layers.register(layer).data.shape == fine.shape


def test_array_that_cannot_be_reshaped(cells):
    class Plain:
        """What zarr, tensorstore and h5py have in common."""

        def __init__(self, data):
            self._data, self.shape, self.dtype, self.ndim = data, data.shape, data.dtype, data.ndim

        def __getitem__(self, key):
            return self._data[key]

    data = cells[0][:4].reshape(2, 2, 96, 112)
    layer = Image(Plain(data), rgb=False, multiscale=False, contrast_limits=(0, 4095))
    (mean,) = layers.combine(layer, axis=1)
    np.testing.assert_array_equal(mean.data[1, 0], ns.combine(ns.Stack.wrap(data[1])))


def test_region_may_be_a_layer(timelapse):
    mask = np.zeros((96, 112), np.uint8)
    mask[20:80, 20:90] = 1
    by_layer = layers.register(timelapse, region=Labels(mask))
    by_array = layers.register(timelapse, region=mask)
    np.testing.assert_array_equal(np.asarray(by_layer.data), np.asarray(by_array.data))
    note = by_layer.metadata["napari_stack"]
    assert note["recipe"] is None
    assert "region is an array" in note["note"]
    with pytest.raises(ValueError, match="region: 'dots' is a Points layer"):
        layers.register(timelapse, region=Points(name="dots"))


def test_region_may_be_drawn(timelapse):
    """In the world: the layer is scaled, sheared and turned, and so are the shapes."""
    mask = np.zeros((96, 112), bool)
    mask[20:80, 20:90] = True
    corners = [[19.5, 19.5], [19.5, 89.5], [79.5, 89.5], [79.5, 19.5]]
    world = [timelapse.data_to_world((3, *corner)) for corner in corners]
    drawn = Shapes([np.array(world)], shape_type="polygon", units=timelapse.units, name="drawn")
    job = layers.prepare("register", timelapse, region=drawn)
    assert (job.images["region"] != mask).sum() <= 140, "pixels on the outline"
    with pytest.raises(ValueError, match="no shape of 'nothing' covers"):
        layers.register(timelapse, region=Shapes(name="nothing", ndim=3))
    with pytest.raises(ValueError, match="flat: 'drawn' is a Shapes layer; an Image or Labels"):
        layers.correct_flat_field(timelapse, flat=drawn)


@pytest.mark.parametrize(
    ("layer", "sentence"),
    [
        (Labels(np.ones((3, 8, 8), int), name="seeds"), "'seeds' is a Labels layer: choose an Im"),
        (Points(name="dots"), "'dots' is a Points layer"),
        (Image(np.ones((8, 8)), name="flat"), "'flat' is a single image of 2 dimensions"),
        (Image(np.ones((8, 8, 3)), rgb=True, name="photo"), "'photo' is a single image"),
        (
            Image(np.ones((1, 8, 8)), name="one"),
            "'-3' has one frame only, frame 0 of the layer 'one'",
        ),
    ],
)
def test_layers_that_cannot_be_stacked(layer, sentence):
    with pytest.raises(ValueError, match=sentence):
        layers.combine(layer)


def test_array_is_no_layer(cells):
    with pytest.raises(TypeError, match="an Image layer is needed, got ndarray: for an array, use"):
        layers.combine(cells[0])


def test_empty_layer():
    with np.errstate(invalid="ignore"):  # napari divides by its size
        layer = Image(np.ones((0, 8, 8)), contrast_limits=(0, 1), name="void")
    with pytest.raises(ValueError, match=r"the layer 'void' is empty: its shape is \(0, 8, 8\)"):
        layers.combine(layer)


def test_options_are_refused_with_the_sentence_of_the_engine(timelapse):
    with pytest.raises(ValueError, match="sigma must be") as by_layer:
        layers.sigma_clip(timelapse, sigma=1000.0)
    with pytest.raises(ValueError, match="sigma must be") as by_engine:
        ns.sigma_clip(ns.Stack.wrap(timelapse.data), sigma=1000.0)
    assert str(by_layer.value) == str(by_engine.value)
    with pytest.raises(ValueError, match="has no option 'sugma'"):
        layers.sigma_clip(timelapse, sugma=3.0)
    with pytest.raises(ValueError, match=r"sigma must be a number .* got <Image layer 'cells'"):
        layers.sigma_clip(timelapse, sigma=timelapse)
    with pytest.raises(ValueError, match="there is no operator 'magic'; the operators are"):
        layers.prepare("magic", timelapse)


def test_warning_of_too_few_frames_comes_through(timelapse):
    with pytest.warns(UserWarning, match="5 frames cannot be clipped at 2.5 sigma"):
        layers.sigma_clip(timelapse)


def test_cancelled(timelapse):
    def tick(done, total, what):
        if done:
            raise ns.Cancelled

    with pytest.raises(ns.Cancelled):
        layers.combine(timelapse, run=ns.Run(tick=tick))


@pytest.mark.parametrize("channels", [(), (3,)])
def test_hot_pixels_are_labels_that_can_be_painted_on_and_repaired(channels):
    rng = np.random.default_rng(0)
    data = rng.normal(100, 3, (4, 40, 50, *channels)).astype(np.uint8)
    data[:, 20, 30] = 250
    layer = Image(data, rgb=bool(channels), scale=(1, 0.5, 0.5), units=("s", "um", "um"))
    (found,) = layers.find_hot_pixels(layer)
    assert isinstance(found, Labels)
    assert found.data.shape == (40, 50)
    assert found.data[20, 30] == 1
    assert found.scale.tolist() == [0.5, 0.5]
    painted = np.zeros((40, 50), np.uint8)
    painted[5, 5] = 3
    found.data = found.data | painted
    repaired = layers.repair_hot_pixels(layer, mask=found)
    changed = (np.asarray(repaired.data[0]) != data[0]).reshape(40, 50, -1).any(axis=2)
    assert changed[20, 30]
    assert not changed[found.data == 0].any()
    (mask,) = [part.mask for part in repaired_by(repaired)]
    assert mask[5, 5]


def repaired_by(layer):
    from napari_stack.layers.provenance import recall

    return recall(layer).data.corrections


@pytest.mark.parametrize("bayer", ["none", "RGGB"])
def test_a_finer_image_lies_where_the_frames_lie(timelapse, bayer):
    matrices = np.tile(np.eye(3), (len(timelapse.data), 1, 1))
    matrices[:, :2, 2] = (np.arange(len(matrices)) / len(matrices))[:, None]
    moved = layers.apply_transforms(timelapse, ns.Transforms(matrices))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        image, weights = layers.drizzle(moved, scale=2.0, pixfrac=1.0, bayer=bayer)
    assert image.rgb == (bayer != "none")
    for layer in (image, weights):
        np.testing.assert_allclose(layer.scale, np.asarray(moved.scale[-2:]) / 2)
        assert layer.data.shape[:2] == tuple(2 * side for side in moved.data.shape[-2:])
        # the first pixel's border, not its centre, lies where it did
        border = layer.data_to_world((-0.5, -0.5))
        np.testing.assert_allclose(border, moved.data_to_world((0, -0.5, -0.5))[-2:])
