"""Steps of the kernels on many values at once, which no loop that numba compiles becomes by itself.

They are written in LLVM's own vectors, so that each processor does them with what it has: to hold
64 bytes against another is one instruction of AVX-512, two of AVX2, four of NEON.
"""

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

from .tree_tables import FAN, LEAVES, ROWS

_I1, _I8, _I16, _I32, _I64 = (ir.IntType(bits) for bits in (1, 8, 16, 32, 64))
_BINS, _WORDS = ir.VectorType(_I8, ROWS), ir.VectorType(_I32, ROWS)
_DOUBLES, _EDGES = ir.VectorType(ir.DoubleType(), ROWS), ir.VectorType(ir.DoubleType(), FAN)


def _below(_: Any, edges: Any, start: Any, value: Any) -> Any:
    """below(edges, start, value): how many of FAN edges from *start* on are less; 0 for NaN."""

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        (array,), (at, limit) = _parted(context, builder, signature, given)
        held = builder.load(_vector(builder, array, at, _EDGES), align=8)
        less = builder.fcmp_ordered("<", held, _splat(builder, limit, FAN))
        return builder.zext(builder.ctpop(builder.bitcast(less, _I16)), _I64)

    return types.int64(edges, start, value), generate


def _add_leaves(
    _: Any,
    bins: Any,
    plane: Any,
    cut: Any,
    kept: Any,
    values: Any,
    total: Any,
    first: Any,
    last: Any,
    leaves: Any,
) -> Any:
    """What a tree says of ROWS rows; its splits are *first* to *last*.

    A row whose bin, of those from *plane* on, is above *cut* goes right, and of the tree's leaves
    only those in *kept* are left to it; it ends at the leftmost that remain of all splits, the
    highest bit (Lucchese et al., QuickScorer, 2015). There is always one: no split,
    on its way or beside it, strikes out the leaf that the row ends at. The leaf's value, of those
    from *leaves* on, is added to the row's *total*.
    """

    def generate(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
        arrays, (begin, end, start) = _parted(context, builder, signature, given)
        every = ir.Constant(_WORDS, [2**LEAVES - 1] * ROWS)
        remaining = cgutils.alloca_once_value(builder, every)
        with cgutils.for_range_slice(builder, begin, end, _I64(1)) as (split, _):
            asked, limit, left = (builder.load(builder.gep(one, [split])) for one in arrays[1:4])
            place = _vector(builder, arrays[0], builder.zext(asked, _I64), _BINS)
            seen = builder.load(place, align=1)
            right = builder.icmp_unsigned(">", seen, _splat(builder, limit, ROWS))
            before = builder.load(remaining)
            fewer = builder.and_(before, _splat(builder, left, ROWS))
            builder.store(builder.select(right, fewer, before), remaining)
        leading = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(_WORDS, [_WORDS, _I1]), f"llvm.ctlz.v{ROWS}i32"
        )
        leaf = builder.call(leading, [builder.load(remaining), _I1(0)])
        found = ir.Constant(_DOUBLES, ir.Undefined)
        for row in map(_I32, range(ROWS)):
            place = builder.add(start, builder.zext(builder.extract_element(leaf, row), _I64))
            value = builder.load(builder.gep(arrays[4], [place]))
            found = builder.insert_element(found, value, row)
        sums = _vector(builder, arrays[5], _I64(0), _DOUBLES)
        added = builder.fadd(builder.load(sums, align=8), found)
        builder.store(added, sums, align=8)
        return context.get_dummy_value()

    arrays = (bins, plane, cut, kept, values, total)
    return types.void(*arrays, first, last, leaves), generate


def _parted(context: Any, builder: ir.IRBuilder, signature: Any, given: Any) -> Any:
    """Where the arrays begin, and the other arguments."""
    arrays, others = [], []
    for kind, value in zip(signature.args, given, strict=True):
        if isinstance(kind, types.Array):
            arrays.append(cgutils.create_struct_proxy(kind)(context, builder, value).data)
        else:
            others.append(value)
    return arrays, others


def _vector(builder: ir.IRBuilder, array: Any, start: Any, kind: Any) -> Any:
    return builder.bitcast(builder.gep(array, [start]), kind.as_pointer())


def _splat(builder: ir.IRBuilder, value: Any, lanes: int) -> Any:
    nothing = ir.Constant(ir.VectorType(value.type, lanes), ir.Undefined)
    one = builder.insert_element(nothing, value, _I32(0))
    everywhere = ir.Constant(ir.VectorType(_I32, lanes), [0] * lanes)
    return builder.shuffle_vector(one, nothing, everywhere)


add_leaves: Any = intrinsic(_add_leaves)
below: Any = intrinsic(_below)
