"""The filters and tests of `text.template`, and the budget they pay from. Pure.

None of them does more than it has paid for: a value is weighed before it is looked
at, and what would grow is measured before it is made.
"""

import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec
from jinja2 import Undefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape

BUDGET = "_budget"
"""The name under which a template's context holds its `Budget`; no template can say it."""
MAX_TEXT_CHARS = 65_536
MAX_NUMBER = 10**15
MAX_DEPTH = 32
MAX_ROUND_DIGITS = 9
CHARS_PER_STEP = 64
CHARS_PRINTED_PER_STEP = 16


class Refused(Exception):
    """What a template asks for is not allowed or too much; the message says what."""


@dataclass(slots=True)
class Budget:
    """The steps that a template may still do."""

    left: int

    def spend(self, steps: int) -> None:
        """Take `steps` away. Raises Refused where there are not as many."""
        self.left -= steps
        if self.left < 0:
            raise Refused("it does too much: too many steps")


def _budget(context: Context) -> Budget:
    budget: Budget = context.parent[BUDGET]
    return budget


def weigh(value: Any, budget: Budget, depth: int = 0) -> None:
    """Pay for `value` as a whole: what is in it several times is paid for several times."""
    if isinstance(value, str):
        budget.spend(1 + len(value) // CHARS_PER_STEP)
        return
    if value is None or isinstance(value, bool | int | float | Undefined):
        budget.spend(1)
        return
    if depth > MAX_DEPTH:
        raise Refused("a value is nested too deeply")
    budget.spend(1 + len(value) if isinstance(value, list | tuple | dict) else 1)
    if isinstance(value, list | tuple):
        for one in value:
            weigh(one, budget, depth + 1)
    elif isinstance(value, dict):
        for name, one in value.items():
            weigh(name, budget, depth + 1)
            weigh(one, budget, depth + 1)
    else:
        raise Refused("only texts, numbers, lists and what is in them can be used")


def printed(context: Context, value: Any) -> Any:
    """Return `value` as it stands in the result. Lists have no such form: Refused."""
    if isinstance(value, str):
        _budget(context).spend(1 + len(value) // CHARS_PRINTED_PER_STEP)
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool | int | float):
        _budget(context).spend(1)
        return value
    raise Refused("a list or an object cannot be printed: use join or tojson")


def add(context: Context, left: Any, right: Any) -> Any:
    """Return the sum of two numbers, or two texts behind one another."""
    if isinstance(left, str) and isinstance(right, str):
        return joined(context, [left, right])
    return compute("+", left, right)


_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}


def compute(sign: str, left: Any, right: Any) -> Any:
    """Return what two numbers give; anything else cannot be computed with."""
    if not (isinstance(left, int | float) and isinstance(right, int | float)):
        raise Refused(f"{sign} is for numbers")
    result = _OPERATORS[sign](left, right)
    if isinstance(result, int) and abs(result) > MAX_NUMBER:
        raise Refused("a number is too large")
    return result


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, bool | int | float):
        return str(value)
    raise Refused("a list or an object is no text: use join or tojson")


def _refuse_long(chars: int) -> None:
    if chars > MAX_TEXT_CHARS:
        raise Refused(f"a text would have more than {MAX_TEXT_CHARS} characters")


@pass_context
def _each(context: Context, value: Any, cost: int) -> list[Any]:
    """Return what is in `value`, after a loop over it has been paid for."""
    if value is None or isinstance(value, Undefined):
        return []
    if not isinstance(value, list | tuple | dict):
        raise Refused("only a list can be looped over")
    _budget(context).spend(1 + len(value) * (cost + 1))
    return list(value)


@pass_context
def _weighed(context: Context, value: Any) -> Any:
    weigh(value, _budget(context))
    return value


@pass_context
def joined(context: Context, value: Any, separator: str = "") -> str:
    """Return the texts in `value` behind one another."""
    parts = value if isinstance(value, list | tuple) else [value]
    _budget(context).spend(len(parts))
    texts = [_text(part) for part in parts]
    between = _text(separator)
    _refuse_long(sum(map(len, texts)) + len(between) * len(texts))
    result = escape(between).join(texts) if context.eval_ctx.autoescape else between.join(texts)
    _budget(context).spend(1 + len(result) // CHARS_PER_STEP)
    return result


def _of_text(change: Callable[[str], str]) -> Callable[..., str]:
    @pass_context
    def changed(context: Context, value: Any) -> str:
        text = _text(value)
        weigh(text, _budget(context))
        return change(text)

    return changed


@pass_context
def _truncate(context: Context, value: Any, length: int = 255, end: str = "…") -> str:
    text = _text(value)
    weigh(text, _budget(context))
    length = max(0, int(length))
    return text if len(text) <= length else text[: max(0, length - len(end))].rstrip() + end


@pass_context
def _replace(context: Context, value: Any, old: str, new: str) -> str:
    text, old, new = _text(value), _text(old), _text(new)
    for one in (text, old, new):
        weigh(one, _budget(context))
    if not old:
        raise Refused("replace needs something to replace")
    _refuse_long(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


@pass_context
def _json(context: Context, value: Any) -> str:
    """Return `value` as JSON that can also stand in HTML."""
    weigh(value, _budget(context))
    if isinstance(value, Undefined):
        value = None
    text = msgspec.json.encode(value).decode()
    for sign in "<>&'":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    _refuse_long(len(text))
    return Markup(text) if context.eval_ctx.autoescape else text  # noqa: S704 - escaped above


@pass_context
def _map(context: Context, value: Any, attribute: str) -> list[Any]:
    items = _each(context, value, 1)
    return [context.environment.getitem(item, attribute) for item in items]


@pass_context
def _unique(context: Context, value: Any) -> list[Any]:
    items = _each(context, value, 1)
    weigh(items, _budget(context))
    return list(dict.fromkeys(_text(item) for item in items))


def _default(value: Any, instead: Any = "", boolean: bool = False) -> Any:
    is_missing = isinstance(value, Undefined) or value is None
    return instead if is_missing or (boolean and not value) else value


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple | dict) else 0


def _first(value: Any) -> Any:
    return value[0] if isinstance(value, str | list | tuple) and value else None


def _last(value: Any) -> Any:
    return value[-1] if isinstance(value, str | list | tuple) and value else None


def _int(value: Any, instead: int = 0) -> int:
    try:
        number = int(value[:20]) if isinstance(value, str) else int(value)
    except (TypeError, ValueError, OverflowError):
        return instead
    return number if abs(number) <= MAX_NUMBER else instead


def _round(value: Any, digits: int = 0) -> float:
    if not isinstance(value, int | float):
        raise Refused("round is for numbers")
    return round(float(value), max(0, min(int(digits), MAX_ROUND_DIGITS)))


FILTERS: dict[str, Callable[..., Any]] = {
    "_each": _each,
    "_joined": joined,
    "_weighed": _weighed,
    "capitalize": _of_text(str.capitalize),
    "count": _length,
    "d": _default,
    "default": _default,
    "e": _of_text(escape),
    "escape": _of_text(escape),
    "first": _first,
    "int": _int,
    "join": joined,
    "last": _last,
    "length": _length,
    "lower": _of_text(str.lower),
    "map": _map,
    "replace": _replace,
    "round": _round,
    "tojson": _json,
    "trim": _of_text(str.strip),
    "truncate": _truncate,
    "unique": _unique,
    "upper": _of_text(str.upper),
    "urlencode": _of_text(lambda text: quote(text.encode("utf-8", "replace"), safe="")),
}

TESTS: dict[str, Callable[..., bool]] = {
    "defined": lambda value: not isinstance(value, Undefined),
    "undefined": lambda value: isinstance(value, Undefined),
    "none": lambda value: value is None,
    "string": lambda value: isinstance(value, str),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "sequence": lambda value: isinstance(value, list | tuple),
    "mapping": lambda value: isinstance(value, dict),
    "odd": lambda value: isinstance(value, int) and value % 2 == 1,
    "even": lambda value: isinstance(value, int) and value % 2 == 0,
}
