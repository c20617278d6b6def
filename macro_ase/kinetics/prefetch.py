"""Asking memory for an element of an array some time before it is used.

Random access to arrays larger than a core's cache waits for memory; a request made early enough
lets that wait pass beside other work. It changes no result.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

FOR_WRITING, KEEP, DATA = 1, 3, 1


def _prefetch(typing_context: Any, array: Any, index: Any) -> Any:

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = signature.args[0]
        view = context.make_array(kind)(context, builder, arguments[0])
        address = cgutils.get_item_pointer(
            context, builder, kind, view, [arguments[1]], wraparound=False
        )
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        function = cgutils.get_or_insert_function(
            builder.module,
            ir.FunctionType(ir.VoidType(), [byte, number, number, number]),
            "llvm.prefetch.p0i8",
        )
        options = [number(value) for value in (FOR_WRITING, KEEP, DATA)]
        builder.call(function, [builder.bitcast(address, byte), *options])
        return context.get_dummy_value()

    return types.void(array, index), generate


prefetch: Any = intrinsic(_prefetch)
"""``prefetch(array, index)`` asks for an element of a one-dimensional array; the index is unsigned
and inside it."""
