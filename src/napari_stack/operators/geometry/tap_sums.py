"""`put_sum`: the weighted sum of the pixels around a place, as vector instructions."""

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic


@intrinsic(prefer_literal=True)
def put_sum(
    typingctx: Any,  # noqa: ARG001
    pixels: Any, corner: Any, line: Any, wx: Any, wy: Any, out: Any, place: Any,  # noqa: ARG001
    taps: Any, channels: Any, block: Any,
) -> tuple[Any, Callable[..., Any]]:  # fmt: skip
    """Put the sum over taps x taps pixels, weighted by rows and columns, at a place of `out`.

    A row of taps, with its channels, is one vector: neighbouring places of a turned frame read from
    different rows, so that nothing is to be gained by taking several of them at once, and the
    compiler does not find these vectors by itself. Columns are summed first, in order, then along
    the row: as a loop would, so that both give the same bits.

    Parameters
    ----------
    pixels : ndarray, flat
        Of whole numbers, or of the type of the weights and of `out`, which are floats.
    corner, line : uintp
        Number of the first tap's first channel, and how many further the next row lies.
    wx, wy : ndarray, flat
        Weights, at ``tap * block + place``.
    out : ndarray, flat
        The sum goes to ``place * channels`` and the following, one for each channel.
    place : uintp
    taps, channels : tuple
        As long as there are: known when it is compiled.
    block : int
        A literal.
    """
    side, deep, step = taps.count, channels.count, block.literal_value
    signature = types.void(
        pixels, types.uintp, types.uintp, wx, wy, out, types.uintp, taps, channels, block
    )

    def generate(context: Any, builder: Any, _: Any, args: Any) -> Any:
        arrays = zip((pixels, wx, wy, out), (args[0], args[3], args[4], args[5]), strict=True)
        data, across, down, target = (
            context.make_array(kind)(context, builder, value).data for kind, value in arrays
        )
        stored, lane = (context.get_data_type(kind.dtype) for kind in (pixels, out))
        at, further, number = args[1], args[2], args[6]

        def weight(weights: Any, tap: int, lanes: int) -> Any:
            index = builder.add(number, ir.Constant(number.type, tap * step))
            return _spread(builder, builder.load(builder.gep(weights, [index])), lanes)

        total: Any = None
        for tap in range(side):
            row = _load(builder, builder.gep(data, [at]), stored, side * deep)
            if isinstance(pixels.dtype, types.Integer):
                kind = ir.VectorType(lane, side * deep) if side * deep > 1 else lane
                row = (builder.sitofp if pixels.dtype.signed else builder.uitofp)(row, kind)
            part = builder.fmul(weight(down, tap, side * deep), row)
            total = part if total is None else builder.fadd(total, part)
            at = builder.add(at, further)
        found: Any = None
        for tap in range(side):
            column = _taken(builder, total, tap * deep, deep)
            part = builder.fmul(weight(across, tap, deep), column)
            found = part if found is None else builder.fadd(found, part)
        index = builder.mul(number, ir.Constant(number.type, deep))
        pointer = builder.gep(target, [index])
        if deep > 1:
            pointer = builder.bitcast(pointer, found.type.as_pointer())
        builder.store(found, pointer).align = _bytes_of(lane)
        return context.get_dummy_value()

    return signature, generate


def _bytes_of(lane: Any) -> int:
    """Bytes of a number; vectors of them lie anywhere, and are aligned no better."""
    if isinstance(lane, ir.IntType):
        return int(lane.width) // 8
    return 4 if isinstance(lane, ir.FloatType) else 8


def _load(builder: Any, pointer: Any, lane: Any, lanes: int) -> Any:
    """Load neighbouring numbers as one vector, or a single one."""
    if lanes > 1:
        pointer = builder.bitcast(pointer, ir.VectorType(lane, lanes).as_pointer())
    value = builder.load(pointer)
    value.align = _bytes_of(lane)
    return value


def _spread(builder: Any, value: Any, lanes: int) -> Any:
    """Repeat a value in all lanes of a vector."""
    if lanes == 1:
        return value
    nothing = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    first = builder.insert_element(nothing, value, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, nothing, _lanes([0] * lanes))


def _taken(builder: Any, vector: Any, start: int, lanes: int) -> Any:
    """Take some lanes of a vector, or a single one as a value."""
    if not isinstance(vector.type, ir.VectorType):
        return vector
    if lanes == 1:
        return builder.extract_element(vector, ir.Constant(ir.IntType(32), start))
    nothing = ir.Constant(vector.type, ir.Undefined)
    return builder.shuffle_vector(vector, nothing, _lanes(range(start, start + lanes)))


def _lanes(numbers: Any) -> Any:
    numbers = list(numbers)
    return ir.Constant(ir.VectorType(ir.IntType(32), len(numbers)), numbers)
