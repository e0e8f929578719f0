"""Recipes on layers: what was done to one, run again, or its values applied to another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from napari.layers import Image, Labels, Layer

from napari_stack.core.errors import UserError
from napari_stack.engine.run import Run
from napari_stack.layers.jobs.job import Computed, Job
from napari_stack.layers.places.appearance import Appearance
from napari_stack.layers.places.frame_geometry import FrameGeometry, view_after
from napari_stack.layers.provenance import (
    KEY,
    Chain,
    LayerReference,
    history,
    link_of,
    recall,
    remember,
)
from napari_stack.layers.stacks.read_layer import Data, read_layer
from napari_stack.layers.transfer import with_corrections
from napari_stack.recipe import Recipe, Step
from napari_stack.recipe.rows import Earlier, frames_of_images


def done_to(layer: Layer) -> tuple[tuple[Step, ...], str]:
    """Return the steps that a layer came about by, and the name of what they began with.

    For an image, a copy or a layer from a file, they are read from its metadata.

    Raises
    ------
    ValueError
        When the metadata holds a recipe that cannot be read.
    """
    recipe, source = recipe_behind(layer)
    return (() if recipe is None else tuple(recipe.steps)), source


def recipe_behind(layer: Layer) -> tuple[Recipe | None, str]:
    """Return the recipe that a layer came about by, or None, and the name of what it began with.

    See `done_to`.
    """
    if not isinstance(layer, Image):
        return None, ""
    chain = recall(layer)
    known = layer.metadata.get(KEY, {}) if isinstance(layer.metadata, Mapping) else {}
    source = str(known.get("source", "") or layer.name)
    if chain is not None:
        return chain.recipe_of(chain.steps), chain.source
    made = link_of(layer)
    if made is not None:
        return made.recipe, source
    plain = known.get("recipe")
    return (Recipe.from_json(plain) if plain else None), source


def frames_behind(layer: Layer) -> Chain | None:
    """Return what stands behind a layer of frames, or behind the frames that an image is made of.

    None where the layer was not made here, or its frames are no longer in the viewer.
    """
    if not isinstance(layer, Image):
        return None
    chain = recall(layer)
    if chain is not None:
        return chain
    made = link_of(layer)
    source = None if made is None else made.layer
    return None if source is None else read_layer(source)


def origin_of(layer: Layer) -> tuple[Chain, Appearance] | None:
    """Return the frames that the first step took, and their appearance; None where unknown."""
    if (chain := frames_behind(layer)) is not None and chain.earlier.steps:
        if chain.begun is not None:
            data, appearance = chain.begun
            return Chain(data, (), chain.source), appearance
        before = None if chain.made is None else chain.made.layer
        return None if before is None else origin_of(before) or _beginning(before)
    if chain is not None and chain.origin is not None:
        data, appearance = chain.origin
        return Chain(data, (), chain.source, earlier=chain.earlier), appearance
    made = link_of(layer)
    return None if made is None or made.layer is None else _beginning(made.layer)


def _beginning(layer: Layer) -> tuple[Chain, Appearance]:
    return read_layer(layer), Appearance.of(layer)


@dataclass(frozen=True, eq=False)
class RecipeJob:
    """A recipe on frames; like a `Job`, it needs no layer while it runs.

    Parameters
    ----------
    recipe : Recipe
    chain : Chain
    appearance : Appearance
    source : LayerReference or None
        The layer of the frames, where there is one.
    """

    recipe: Recipe
    chain: Chain
    appearance: Appearance
    source: LayerReference | None = None

    def compute(self, run: Run = Run()) -> dict[str, tuple[Job, Computed]]:
        """Do all steps; it touches no layer and may run in any thread."""
        done: dict[str, tuple[Job, Computed]] = {}
        chains = {"": self.chain}
        named = self.recipe.named()
        for number, (name, step) in enumerate(named.items()):
            alone = replace(step, name="", input="", save="", layers=())
            chain = chains[self.recipe.inputs(name)]
            look = replace(self.appearance, ndim=len(chain.data.axes), dtype=chain.data.dtype)
            job = Job(chain, look, alone, {})
            computed = job.compute(run.part(number, len(named)))
            done[name] = job, computed
            if computed.frames is not None:
                chains[name] = job.after(computed)
            elif name in {self.recipe.inputs(other) for other in named}:
                chains[name] = self._after_images(job, computed)
        return done

    def _after_images(self, job: Job, computed: Computed) -> Chain:
        """Return the images of a job as frames along the axes that are left."""
        frames = frames_of_images(computed.step, computed.images, job.chain.data, kept=True)
        recipe = job.chain.recipe_of(job.steps_after(computed))
        earlier = Earlier(tuple(recipe.steps), tuple(recipe.before)) if recipe else Earlier()
        begun = job.chain.begun or self.chain.origin or (self.chain.data, self.appearance)
        return Chain(frames, (), job.chain.source, earlier=earlier, begun=begun)

    def last_frames(self, done: Mapping[str, tuple[Job, Computed]]) -> list[str]:
        """Return the steps that give frames which no later one took, the last first."""
        frames = [name for name, (_, computed) in done.items() if computed.frames is not None]
        taken = {self.recipe.inputs(name) for name in done}
        return [name for name in reversed(frames) if name not in taken]

    def finish(
        self, done: Mapping[str, tuple[Job, Computed]], *, visible: bool = True
    ) -> list[Image | Labels]:
        """Make layers of what no later step took: the last result first, frames before images.

        Frames that images were made of come along, hidden, so that they can be inspected. The
        other frames are hidden where they are not to be `visible`: else one is computed.
        """
        inputs = {name: self.recipe.inputs(name) for name in done}
        shown = {"": (self.appearance, self.source)}
        frames: dict[str, Image | Labels] = {}
        images: list[Image | Labels] = []
        of_images = {inputs[name] for name in done if done[name][1].frames is None}
        for name, (job, computed) in done.items():
            appearance, source = shown[inputs[name]]
            placed = replace(job, appearance=appearance, source=source)
            layers = placed.finish(computed, visible=visible and name not in of_images)
            shown[name] = Appearance.of(layers[0]), LayerReference.of(layers[0])
            if computed.frames is None and name not in inputs.values():
                images = layers + images
            else:
                frames[name] = layers[0]
        below = [layer for name, layer in frames.items() if name in of_images]
        return [frames[name] for name in self.last_frames(done)] + images + below


def prepare_recipe(recipe: Recipe, layer: Layer) -> RecipeJob:
    """Take the frames of a layer for a recipe; it measures anew on them.

    Raises
    ------
    ValueError
        For a layer that cannot be stacked.
    """
    return RecipeJob(recipe, read_layer(layer), Appearance.of(layer), LayerReference.of(layer))


def prepare_again(recipe: Recipe, layer: Layer) -> RecipeJob:
    """Take the frames that the first step of a layer was done to, for a recipe.

    Raises
    ------
    ValueError
        When they are no longer known.
    """
    found = origin_of(layer)
    if found is None:
        raise UserError(f"the frames that {layer.name!r} was made of are gone: choose a layer")
    return RecipeJob(recipe, *found)


def prepare_measured(layer: Layer, target: Layer, rest: Sequence[Step] = ()) -> RecipeJob | Image:
    """Correct a layer with the values measured for another; nothing is measured.

    Parameters
    ----------
    layer : Image layer
        Corrected frames, or an image made of such.
    target : Image layer
        As many frames of the same size: another channel.
    rest : sequence of Step
        What is done to the corrected frames then.

    Returns
    -------
    Image or RecipeJob
        The corrected frames, lazy; with `rest`, the job on them.

    Raises
    ------
    ValueError
        When nothing was measured, the frames were made anew, or they do not fit.
    """
    behind = frames_behind(layer)
    if behind is None or behind.origin is None:
        raise UserError(f"nothing was measured for {layer.name!r}: choose a corrected layer")
    chain, appearance = read_layer(target), Appearance.of(target)
    data = with_corrections(behind.data, behind.origin[0], chain.data)
    corrected = Chain(
        data, (*chain.steps, *behind.steps), chain.source, chain.origin or (chain.data, appearance),
        view_after(chain.view, chain.data, data),
    )  # fmt: skip
    name = f"{appearance.name} - as {layer.name}"
    frames = show_corrected(corrected, chain.data, appearance, name)
    return prepare_recipe(Recipe(rest), frames) if rest else frames


def show_corrected(chain: Chain, before: Data, appearance: Appearance, name: str) -> Image:
    """Show corrected frames as a lazy layer that lies where the frames before lay."""
    array = chain.data.to_dask()
    remember(array, chain)
    metadata = history(chain)
    geometry = FrameGeometry.between(before, chain.data)
    return appearance.frames(array, geometry, name=name, metadata=metadata)
