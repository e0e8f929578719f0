"""`borrowing`: an operator takes the options of another, which stay written once."""

import inspect
from collections.abc import Callable
from textwrap import indent
from typing import Any, TypeVar

from napari_stack.core.options import options_of

F = TypeVar("F", bound=Callable[..., Any])


def borrowing(lender: Callable[..., Any], *, without: tuple[str, ...] = ()) -> Callable[[F], F]:
    """Give a function with ``**options`` the options of another operator, with their texts.

    Parameters
    ----------
    lender : callable
        The operator that the options are of; the function hands them on to it.
    without : tuple of str
        Options that are not taken.
    """

    def lent(function: F) -> F:
        borrowed = [name for name in options_of(lender) if name not in without]
        theirs = inspect.signature(lender).parameters
        *own, run, _ = inspect.signature(function).parameters.values()
        parameters = [*own, *(theirs[name] for name in borrowed), run]
        result = inspect.signature(function).return_annotation
        function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            parameters, return_annotation=result
        )
        function.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": result}
        texts = (f"{n} : option of {lender.__name__}\n    {options_of(lender)[n].text}\n"
                 for n in borrowed)  # fmt: skip
        head, mark, tail = inspect.cleandoc(function.__doc__ or "").partition("run : Run\n")
        function.__doc__ = indent(head + "".join(texts) + mark + tail, "    ").lstrip() + "\n"
        return function

    return lent
