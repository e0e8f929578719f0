"""Frames of a recording that have nothing in common with it: told on a coarse level."""

from napari_stack.core.matrices import Matrix
from napari_stack.operators.registration.levels import Levels
from napari_stack.operators.registration.preprocess import Prepared
from napari_stack.operators.registration.refinement.motion_models import Transform
from napari_stack.operators.registration.search.correlation import compressed, spectrum_of
from napari_stack.operators.registration.search.guesses import Guesses
from napari_stack.operators.registration.sequence.track import Place, coarsest

#: The coarse level tells where frames beside are as much alike on it as this, or more.
LEAST_SEEN = 0.5


def coarse_only(reference: Prepared) -> Prepared:
    """Return a reference as its coarse level shows it: what it takes is computed once."""
    return _on_level(reference, coarsest(reference))


def nothing_in_common(
    reference: Prepared, moving: Prepared, beside: Place, predicted: Matrix, transform: Transform
) -> bool:
    """Whether a search would find nothing: neither shifts nor turns make the frames alike.

    Where frames beside it show little on the coarse level, that is left to a search.

    Parameters
    ----------
    reference : Prepared
        As `coarse_only` gives it.
    moving : Prepared
        Needs no levels but the coarse one.
    beside : Place
        A frame next to it.
    predicted : ndarray (3, 3)
        Where it was expected.
    transform : str
        What is searched for.
    """
    factor = reference.factors[0]
    if factor == moving.factors[0] or beside.match.whole < LEAST_SEEN:
        return False
    other = _on_level(moving, moving.factors.index(factor))
    return not Guesses(reference, other, transform).promise([predicted], brief=True)


def _on_level(frame: Prepared, level: int) -> Prepared:
    image, factor = frame.levels[level], frame.factors[level]
    coarse = compressed(image)
    area, spectrum = frame.areas[level], spectrum_of(coarse)
    return Prepared(frame.shape, Levels([image]), (factor,), (area,), coarse, factor, spectrum)
