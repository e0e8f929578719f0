"""Recipes on layers: what was done to one, run again, or its values applied to another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from napari.layers import Image, Labels, Layer

from napari_stack.core.errors import UserError
from napari_stack.core.hyperstack import Hyperstack
from napari_stack.engine.run import Run
from napari_stack.files.provenance import file_of
from napari_stack.layers.appearance import Look
from napari_stack.layers.job import Computed, Job, placing, view_after
from napari_stack.layers.links import link_of, reference
from napari_stack.layers.provenance import KEY, Chain, history, recall, remember
from napari_stack.layers.read_layer import Data, full_resolution, read_layer
from napari_stack.layers.transfer import with_corrections
from napari_stack.recipe import Recipe, Step


def done_to(layer: Layer) -> tuple[tuple[Step, ...], str]:
    """Return the steps that a layer came about by, and the name of what they began with.

    Of an image, a copy or a layer from a file, what its metadata tells.

    Raises
    ------
    ValueError
        When the metadata holds a recipe that cannot be read.
    """
    if not isinstance(layer, Image):
        return (), ""
    chain = recall(layer, full_resolution(layer))
    known = layer.metadata.get(KEY, {}) if isinstance(layer.metadata, Mapping) else {}
    source = str(known.get("source", "") or layer.name)
    if chain is not None:
        return chain.steps, chain.source
    made = link_of(layer)
    if made is not None:
        return made.steps, source
    plain = known.get("recipe")
    return (tuple(Recipe.from_plain(plain).steps), source) if plain else ((), source)


def files_of(data: Data | None) -> list[str]:
    """Return the files that frames are read from, each once; none where they come from elsewhere.

    Examples
    --------
    >>> import numpy as np
    >>> from napari_stack import Stack
    >>> files_of(Stack.wrap(np.zeros((2, 3, 4))))
    []
    """
    if data is None:
        return []
    frames = data.frames if isinstance(data, Hyperstack) else data
    files = [file_of(frames, index) for index in range(len(frames))]
    return list(dict.fromkeys(file for file in files if file))


def frames_behind(layer: Layer) -> Chain | None:
    """Return what stands behind a layer of frames, or behind the frames that an image is made of.

    None where the layer was not made here, or its frames are no longer in the viewer.
    """
    if not isinstance(layer, Image):
        return None
    chain = recall(layer, full_resolution(layer))
    if chain is not None:
        return chain
    made = link_of(layer)
    source = None if made is None else made.layer
    return None if source is None else read_layer(source)


def origin_of(layer: Layer) -> tuple[Chain, Look] | None:
    """Return the frames that the first step was done to, and their look; None where unknown."""
    if (chain := frames_behind(layer)) is not None and chain.origin is not None:
        data, look = chain.origin
        return Chain(data, (), chain.source), look
    made = link_of(layer)
    if made is not None and made.layer is not None:
        return read_layer(made.layer), Look.of(made.layer)
    return None


@dataclass(frozen=True, eq=False)
class RecipeJob:
    """A recipe on frames; like a `Job`, it needs no layer while it runs.

    Parameters
    ----------
    recipe : Recipe
    chain : Chain
    look : Look
    sources : tuple of weakref
        To the layer of the frames and to its array, where there is one.
    """

    recipe: Recipe
    chain: Chain
    look: Look
    sources: tuple[Any, Any] = (None, None)

    def compute(self, run: Run = Run()) -> dict[str, tuple[Job, Computed]]:
        """Do all steps; it touches no layer and may run in any thread."""
        done: dict[str, tuple[Job, Computed]] = {}
        chains = {"": self.chain}
        named = self.recipe.named()
        for number, (name, step) in enumerate(named.items()):
            job = Job(chains[step.input], self.look, replace(step, name="", input="", save="",
                      layers=()), {})  # fmt: skip
            computed = job.compute(run.part(number, len(named)))
            done[name] = job, computed
            if computed.frames is not None:
                chains[name] = chains[""] = job.after(computed)
        return done

    def finish(self, done: Mapping[str, tuple[Job, Computed]]) -> list[Image | Labels]:
        """Make layers of what no later step took: the last result first.

        Frames that images were made of come along, hidden, so that they can be inspected.
        """
        steps = self.recipe.named()
        looks, sources = {"": self.look}, {"": self.sources}
        frames: dict[str, Image | Labels] = {}
        made: list[Image | Labels] = []
        kept: set[str] = set()
        current = ""
        for name, (job, computed) in done.items():
            source = steps[name].input or current
            there, data = sources[source]
            layers = replace(job, look=looks[source], source=there, array=data).finish(computed)
            if computed.frames is None:
                kept.add(source)
                made = layers + made
                continue
            current = name
            frames[name], looks[name] = layers[0], Look.of(layers[0])
            sources[name] = reference(layers[0]), reference(full_resolution(layers[0]))
        taken = {steps[n].input or b for n, b in zip(steps, _before(steps), strict=True)}
        ends = [layer for name, layer in frames.items() if name not in taken]
        below = [layer for name, layer in frames.items() if name in kept and name in taken]
        for layer in below:
            layer.visible = False
        return ends[::-1] + made + below


def _before(steps: Mapping[str, Step]) -> list[str]:
    """Names of the last steps before each that give frames."""
    found, before = [], ""
    for name, step in steps.items():
        found.append(before)
        before = name if step.entry.gives_frames else before
    return found


def prepare_recipe(recipe: Recipe, layer: Layer) -> RecipeJob:
    """Take the frames of a layer for a recipe; it measures anew on them.

    Raises
    ------
    ValueError
        For a layer that cannot be stacked.
    """
    sources = reference(layer), reference(full_resolution(layer))
    return RecipeJob(recipe, read_layer(layer), Look.of(layer), sources)


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
    chain, look = read_layer(target), Look.of(target)
    data = with_corrections(behind.data, behind.origin[0], chain.data)
    steps = (*chain.steps, *behind.steps)
    origin, view = chain.origin or (chain.data, look), view_after(chain, chain.data, data)
    corrected = Chain(data, steps, chain.source, origin, view)
    frames = show_corrected(corrected, chain.data, look, f"{look.name} - as {layer.name}")
    return prepare_recipe(Recipe(rest), frames) if rest else frames


def show_corrected(chain: Chain, before: Data, look: Look, name: str) -> Image:
    """Show corrected frames as a lazy layer that lies where the frames before lay."""
    array = chain.data.to_dask()
    remember(array, chain)
    metadata = history(chain.steps, chain.source)
    return look.frames(array, *placing(before, chain.data), name=name, metadata=metadata)
