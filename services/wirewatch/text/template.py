"""Templates that strangers write: a small part of Jinja2, within fixed limits. Pure.

The sandbox of Jinja2 keeps a template away from Python; it does not keep it from
running for ever or filling the memory. So only what stands in `_ALLOWED` may be
said, nothing can be called, every filter is one of ours (`template_filters`), and
each step is paid from a budget: what a template does depends on it alone, never
on the machine, and the dearest one there is ends within a fraction of a second.
"""

from collections.abc import Mapping
from functools import lru_cache
from types import TracebackType
from typing import Any, NoReturn

from jinja2 import Template, TemplateSyntaxError, nodes, pass_context
from jinja2.runtime import Context, LoopContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from wirewatch.text.template_filters import (
    BUDGET,
    FILTERS,
    TESTS,
    Budget,
    Refused,
    add,
    compute,
    printed,
)

MAX_TEMPLATE_CHARS = 16_384
MAX_OUTPUT_BYTES = 65_536
MAX_STEPS = 20_000
"""A step is a node that is evaluated, an item that is visited, or a few characters handled. The
largest digest written out whole takes some 10,000; all steps together take milliseconds."""
MAX_NODES = 1_000
MAX_DEPTH = 40
MAX_LOOPS_NESTED = 5
MAX_NUMBER = 10**15
REMEMBERED_TEMPLATES = 256
CHARS_PER_STEP = 16
TEMPLATE_NAMES = frozenset({"version", "type", "timestamp", "data", "webhook_id"})
"""What a template may ask for, beside what it sets itself: the fields of a webhook's body."""
MAX_REASON_CHARS = 300

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.If,
    nodes.For,
    nodes.Assign,
    nodes.Name,
    nodes.Const,
    nodes.List,
    nodes.Dict,
    nodes.Pair,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Keyword,
    nodes.Test,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.CondExpr,
    nodes.Concat,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Neg,
    nodes.Pos,
)
_OF_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_WORDS = {
    nodes.Call: "nothing can be called in a template",
    nodes.Slice: "slices are not allowed: use the filter truncate",
    nodes.Macro: "macros are not allowed",
    nodes.Include: "other templates cannot be included",
    nodes.Import: "other templates cannot be imported",
    nodes.FromImport: "other templates cannot be imported",
    nodes.Extends: "other templates cannot be extended",
    nodes.Pow: "powers are not allowed",
}


class TemplateError(ValueError):
    """A template that is wrong or does too much: in which line (from 1, if known), and why."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        self.reason = " ".join(reason.split())[:MAX_REASON_CHARS]
        self.line = line
        super().__init__(f"line {line}: {self.reason}" if line else self.reason)


def check_template(source: str) -> None:
    """Return if `source` is a template that may be used. Raises TemplateError."""
    _compiled(source, autoescape=False)


def render_template(source: str, names: Mapping[str, Any], *, autoescape: bool = False) -> str:
    """Return what the template makes of `names`, at most `MAX_OUTPUT_BYTES` in UTF-8.

    `names` holds JSON-like values: dictionaries, lists, texts, numbers. What is
    not there is empty. With `autoescape` values are escaped for HTML and XML.
    Raises TemplateError.
    """
    template = _compiled(source, autoescape=autoescape)
    pieces: list[str] = []
    size = 0
    try:
        for piece in template.generate({**names, BUDGET: Budget(MAX_STEPS)}):
            size += len(piece.encode())
            if size > MAX_OUTPUT_BYTES:
                raise Refused(f"the result is larger than {MAX_OUTPUT_BYTES} bytes")  # noqa: TRY301
            pieces.append(piece)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's template provokes
        raise TemplateError(_in_words(error), _line_of(error.__traceback__)) from None
    return "".join(pieces)


@lru_cache(maxsize=REMEMBERED_TEMPLATES)
def _compiled(source: str, *, autoescape: bool) -> Template:
    if len(source) > MAX_TEMPLATE_CHARS:
        raise TemplateError(
            f"the template has {len(source)} characters, at most {MAX_TEMPLATE_CHARS} are allowed"
        )
    environment = _ENVIRONMENTS[autoescape]
    try:
        tree = environment.parse(source)
        _check(tree)
        paid = _Paid(environment).visit(tree)
        paid.set_environment(environment)
        code = environment.compile(paid, filename=_FILE)
        return Template.from_code(environment, code, {})
    except TemplateSyntaxError as error:
        raise TemplateError(error.message or "it cannot be read", error.lineno) from None
    except RecursionError:
        raise TemplateError("it is nested too deeply") from None
    except (ValueError, SyntaxError, MemoryError, OverflowError) as error:
        if isinstance(error, TemplateError):
            raise
        # ValueError: a number of thousands of digits.
        raise TemplateError(f"it cannot be compiled ({type(error).__name__})") from None


_FILE = "<template>"


def _in_words(error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "it is nested too deeply"
    return str(error) or type(error).__name__


def _line_of(traceback: TracebackType | None) -> int | None:
    line = None
    while traceback is not None:
        if traceback.tb_frame.f_code.co_filename == _FILE:
            line = traceback.tb_lineno
        traceback = traceback.tb_next
    return line


# What may be said


def _check(tree: nodes.Template) -> None:
    """Raise TemplateError for the first thing in `tree` that is not allowed."""
    count = 0
    known = {name.name for name in tree.find_all(nodes.Name) if name.ctx != "load"}
    known |= TEMPLATE_NAMES | {"loop"}
    waiting: list[tuple[nodes.Node, int, int]] = [(tree, 0, 0)]
    while waiting:
        node, depth, loops = waiting.pop()
        count += 1
        loops += isinstance(node, nodes.For)
        _check_size(node, count, depth, loops)
        _check_node(node, known)
        waiting.extend((child, depth + 1, loops) for child in node.iter_child_nodes())


def _check_size(node: nodes.Node, count: int, depth: int, loops: int) -> None:
    if count > MAX_NODES:
        raise TemplateError(f"it has more than {MAX_NODES} parts", node.lineno)
    if depth > MAX_DEPTH:
        raise TemplateError("it is nested too deeply", node.lineno)
    if loops > MAX_LOOPS_NESTED:
        raise TemplateError(f"more than {MAX_LOOPS_NESTED} loops stand in one another", node.lineno)


def _check_node(node: nodes.Node, known: set[str]) -> None:
    if type(node) not in _ALLOWED:
        name = type(node).__name__
        raise TemplateError(_WORDS.get(type(node), f"{name} is not allowed"), node.lineno)
    wrong = None
    if isinstance(node, nodes.Name):
        wrong = _wrong_name(node, known)
    elif isinstance(node, nodes.Const):
        wrong = _wrong_constant(node)
    elif isinstance(node, nodes.Filter):
        wrong = _wrong_filter(node)
    elif isinstance(node, nodes.Test):
        wrong = None if node.name in TESTS else f"there is no test {node.name!r}"
    elif isinstance(node, nodes.For | nodes.Assign):
        wrong = _wrong_target(node)
    if wrong:
        raise TemplateError(wrong, node.lineno)


def _wrong_name(node: nodes.Name, known: set[str]) -> str | None:
    if node.name.startswith("_") or node.name not in known:
        return f"there is no {node.name!r}: {', '.join(sorted(TEMPLATE_NAMES))} are there"
    return None


def _wrong_constant(node: nodes.Const) -> str | None:
    if isinstance(node.value, int) and abs(node.value) > MAX_NUMBER:
        return "the number is too large"
    return None


def _wrong_filter(node: nodes.Filter) -> str | None:
    if node.name not in FILTERS or node.name.startswith("_"):
        offered = ", ".join(name for name in sorted(FILTERS) if not name.startswith("_"))
        return f"there is no filter {node.name!r}: {offered} are there"
    if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
        return "a filter stands behind a value and has plain arguments"
    return None


def _wrong_target(node: nodes.For | nodes.Assign) -> str | None:
    if isinstance(node, nodes.For) and node.recursive:
        return "recursive loops are not allowed"
    return None if isinstance(node.target, nodes.Name) else "only a name can be set"


# What it costs


def _cost(parts: list[nodes.Node]) -> int:
    cost = 0
    waiting = list(parts)
    while waiting:
        node = waiting.pop()
        cost += 1
        if isinstance(node, nodes.TemplateData):
            cost += len(node.data) // CHARS_PER_STEP
        waiting.extend(node.iter_child_nodes())
    return cost


class _Paid(NodeTransformer):
    """Puts the filters that pay and check between the parts of a template."""

    def __init__(self, environment: "_Environment") -> None:
        self._environment = environment

    def visit_For(self, node: nodes.For) -> nodes.Node:  # noqa: N802 - the visitor names it
        cost = _cost([*node.body, *([node.test] if node.test else [])])
        self.generic_visit(node)
        node.iter = self._through("_each", node.iter, nodes.Const(cost, lineno=node.lineno))
        return node

    def visit_Assign(self, node: nodes.Assign) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.node = self._through("_weighed", node.node)
        return node

    def visit_Compare(self, node: nodes.Compare) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = self._through("_weighed", node.expr)
        return node

    def visit_Operand(self, node: nodes.Operand) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        node.expr = self._through("_weighed", node.expr)
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:  # noqa: N802
        self.generic_visit(node)
        return self._through("_joined", nodes.List(node.nodes, lineno=node.lineno))

    def _through(self, name: str, value: Any, *args: nodes.Expr) -> nodes.Filter:
        return nodes.Filter(value, name, list(args), [], None, None, lineno=value.lineno)


# The environment


@pass_context
def _finalize(context: Context, value: Any) -> Any:
    return printed(context, value)


class _Environment(ImmutableSandboxedEnvironment):
    """Reads values only out of dictionaries and lists, by name and by number."""

    intercepted_binops = frozenset({"+", "-", "*", "/", "//", "%"})

    def __init__(self, *, autoescape: bool) -> None:
        # Not optimized: that would evaluate constants while compiling, where nothing is paid.
        super().__init__(autoescape=autoescape, optimized=False, cache_size=0, finalize=_finalize)
        self.globals.clear()
        self.filters = dict(FILTERS)
        self.tests = dict(TESTS)

    def getattr(self, obj: Any, attribute: str) -> Any:
        if isinstance(obj, LoopContext) and attribute in _OF_LOOP:
            return getattr(obj, attribute)
        return self.getitem(obj, attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:
        if isinstance(obj, dict) and isinstance(argument, str) and argument in obj:
            return obj[argument]
        is_number = isinstance(obj, list | tuple) and type(argument) is int
        if is_number and -len(obj) <= argument < len(obj):
            return obj[argument]
        return self.undefined(name=str(argument)[:50])

    def call(self, *_: Any, **__: Any) -> NoReturn:
        raise Refused("nothing can be called in a template")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if operator == "+":
            return add(context, left, right)
        return compute(operator, left, right)


_ENVIRONMENTS = {on: _Environment(autoescape=on) for on in (False, True)}
