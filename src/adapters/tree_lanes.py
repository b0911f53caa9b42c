"""Steps of the kernels on many values at once, which no loop that numba compiles becomes by itself.

They are written in LLVM's own vectors, so that each processor gets what it has: a step on 64 bytes
is one instruction of AVX-512, two of AVX2, four of NEON.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

ROWS = 64
"""Rows that go down a tree at once."""
LEAVES = 32
"""The most that a tree may have to be one word of each row."""
FAN = 16
"""Thresholds that a value is held against at once."""

_I1, _I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))


def _exit_leaves(
    _: Any, bins: Any, plane: Any, cut: Any, kept: Any, first: Any, last: Any, leaf: Any
) -> Any:
    """exit_leaves(bins, plane, cut, kept, first, last, leaf): a tree's leaf of each of ROWS rows.

    The tree's splits are *first* to *last*; a row whose bin, in the ROWS bytes at *plane*, exceeds
    *cut* goes right, and of the tree's leaves only those in the word *kept* are left to it. The
    leftmost that remains, the highest bit, is where it ends (Lucchese et al., QuickScorer, 2015).
    """
    arrays = (bins, plane, cut, kept)

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        at = [*_data(context, builder, signature.args[:4], given[:4])]
        (to,) = _data(context, builder, signature.args[6:], given[6:])
        rows, words = ir.VectorType(_I8, ROWS), ir.VectorType(_I32, ROWS)
        remaining = cgutils.alloca_once_value(builder, ir.Constant(words, [2**LEAVES - 1] * ROWS))
        with cgutils.for_range_slice(builder, given[4], given[5], _I64(1)) as (split, _):
            start, limit, left_over = (
                builder.load(builder.gep(array, [split])) for array in at[1:]
            )
            seen = _load(builder, builder.gep(at[0], [builder.zext(start, _I64)]), rows)
            right = builder.icmp_unsigned(">", seen, _splat(builder, limit, ROWS))
            before = builder.load(remaining)
            fewer = builder.and_(before, _splat(builder, left_over, ROWS))
            builder.store(builder.select(right, fewer, before), remaining)
        count = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(words, [words, _I1]), f"llvm.ctlz.v{ROWS}i32"
        )
        leaves = builder.call(count, [builder.load(remaining), _I1(0)])
        stored = builder.store(builder.trunc(leaves, rows), builder.bitcast(to, rows.as_pointer()))
        stored.align = 1
        return context.get_dummy_value()

    return types.void(*arrays, types.int64, types.int64, leaf), generate


def _below(_: Any, edges: Any, start: Any, value: Any) -> Any:
    """below(edges, start, value): how many of FAN edges from *start* on are less; 0 for NaN."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        (data,) = _data(context, builder, signature.args[:1], given[:1])
        held = _load(builder, builder.gep(data, [given[1]]), ir.VectorType(ir.DoubleType(), FAN))
        less = builder.fcmp_ordered("<", held, _splat(builder, given[2], FAN))
        return builder.zext(builder.ctpop(builder.bitcast(less, _I16)), _I64)

    return types.int64(edges, types.int64, types.float64), generate


def _data(context: Any, builder: ir.IRBuilder, arrays: Any, given: Any) -> Any:
    for array, value in zip(arrays, given, strict=True):
        yield cgutils.create_struct_proxy(array)(context, builder, value).data


def _load(builder: ir.IRBuilder, pointer: Any, vector: Any) -> Any:
    loaded = builder.load(builder.bitcast(pointer, vector.as_pointer()))
    loaded.align = 1
    return loaded


def _splat(builder: ir.IRBuilder, value: Any, lanes: int) -> Any:
    nothing = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = builder.insert_element(nothing, value, _I32(0))
    everywhere = ir.Constant(ir.VectorType(_I32, lanes), [0] * lanes)
    return builder.shuffle_vector(one, nothing, everywhere)


exit_leaves = intrinsic(_exit_leaves)
below = intrinsic(_below)
