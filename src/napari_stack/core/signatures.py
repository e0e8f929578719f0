"""Operators that have the options of others, which stay written once."""

import inspect
from collections.abc import Callable
from textwrap import indent
from typing import Any, TypeVar

from napari_stack.core.options import check, options_of, parsed_docstring

F = TypeVar("F", bound=Callable[..., Any])


def inherit_options(
    lender: Callable[..., Any], *, without: tuple[str, ...] = ()
) -> Callable[[F], F]:
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


def composed(
    name: str, text: str, measure: Callable[..., Any], apply: Callable[..., Any]
) -> Callable[..., Any]:
    """Make the correcting operator of its two halves: its options are theirs, written once.

    Parameters
    ----------
    name : str
        Name of the operator; it belongs to the module of `measure`.
    text : str
        First sentence of its docstring.
    measure : callable
        ``measure(stack, *, options..., run)`` gives the value.
    apply : callable
        ``apply(stack, value, *, options...)`` gives the corrected stack.
    """
    halves = [inspect.signature(measure).parameters, inspect.signature(apply).parameters]
    stack, *measured = halves[0].values()
    applied = [p for p in halves[1].values() if p.kind is p.KEYWORD_ONLY]
    run = [p for p in measured if p.name == "run"]
    parameters = [stack, *(p for p in measured if p.name != "run"), *applied, *run]

    def operator(*args: Any, **options: Any) -> Any:
        try:
            given = signature.bind(*args, **options).arguments
        except TypeError as error:
            raise TypeError(f"{name}() {error}") from None
        subject = given.pop(stack.name)
        check(operator, given)
        value = measure(subject, **{n: v for n, v in given.items() if n in halves[0]})
        return apply(subject, value, **{n: v for n, v in given.items() if n in halves[1]})

    result = inspect.signature(apply).return_annotation
    signature = inspect.Signature(parameters, return_annotation=result)
    operator.__signature__ = signature  # type: ignore[attr-defined]
    operator.__annotations__ = {p.name: p.annotation for p in parameters} | {"return": result}
    operator.__name__ = operator.__qualname__ = name
    operator.__module__ = measure.__module__
    operator.__doc__ = _composed_text(text, measure, apply, list(signature.parameters))
    return operator


def _composed_text(
    text: str, measure: Callable[..., Any], apply: Callable[..., Any], names: list[str]
) -> str:
    entries = {p.arg_name: p for half in (apply, measure) for p in parsed_docstring(half).params}
    lines = [text, "", "Parameters", "----------"]
    for name in names:
        entry = entries[name]
        lines.append(f"{name} : {entry.type_name}" if entry.type_name else name)
        lines += [f"    {line}" for line in (entry.description or "").splitlines()]
    returns = parsed_docstring(apply).returns
    lines += ["", "Returns", "-------", str(returns.type_name)]
    lines += [f"    {line}" for line in (returns.description or "").splitlines()]
    lines += ["", "See Also", "--------", f"{measure.__name__}, {apply.__name__} : its two halves"]
    return "\n".join(lines) + "\n"
