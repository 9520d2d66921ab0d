"""Expressions in specs: ``$name`` and ``${a // 2 + 1}``.

Integers, floats, names, ``+ - * / // %``, ``min``, ``max``, ``round``, ``floor``, ``ceil`` and
parentheses. They mean what they mean in Python; ``round`` rounds halves to the even number. Specs
are untrusted, so this parser limits length, depth and size, and Python's ``eval`` is never used.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

Value: TypeAlias = "int | float"
MAX_LENGTH: Final = 256
MAX_NESTING: Final = 32
MAX_SIZE: Final = 2**40

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<number>(?:0|[1-9]\d{0,17})(?:\.\d{1,18})?)(?![\w.])"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<op>//|[-+*/%(),]))",
    re.ASCII,
)
_OPERATORS: Final[dict[str, Callable[[Value, Value], Value]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
}
_PRECEDENCE: Final = {"+": 1, "-": 1, "*": 2, "/": 2, "//": 2, "%": 2}
ROUNDING: Final[dict[str, Callable[[Value], int]]] = {
    "round": round,
    "floor": math.floor,
    "ceil": math.ceil,
}
_FUNCTIONS: Final[dict[str, Callable[..., Value]]] = {
    "min": lambda *values: min(values),
    "max": lambda *values: max(values),
    **ROUNDING,
}


class ExpressionError(Exception):
    """An invalid expression, or one that cannot be evaluated.

    The error is at ``length`` characters from ``offset`` in the text; ``write`` is a replacement
    for them, if known.
    """

    def __init__(
        self, message: str, offset: int = 0, length: int = 1, *, help: str = "", write: str = ""
    ) -> None:
        super().__init__(message)
        self.offset, self.length, self.help, self.write = offset, length, help, write


@dataclass(frozen=True, slots=True)
class Expression:
    """A parsed expression; ``code`` has it in postfix order as ``(kind, value, offset)``."""

    text: str
    code: tuple[tuple[str, str, int], ...]

    @property
    def names(self) -> tuple[tuple[str, int], ...]:
        """The parameters in the expression, each with its offset in the text."""
        return tuple((value, offset) for kind, value, offset in self.code if kind == "name")

    def evaluate(self, environment: Mapping[str, object]) -> object:
        """The value with the parameters in ``environment``.

        A number; only an expression that is a single name can have a value of another type. Raises
        :class:`ExpressionError` for an unknown name, a division by zero, or a number above 2**40.
        """
        if len(self.code) == 1 and self.code[0][0] == "name":
            return self._lookup(self.code[0][1], self.code[0][2], environment)
        stack: list[Value] = []
        for kind, value, offset in self.code:
            if kind == "number":
                stack.append(float(value) if "." in value else int(value))
            elif kind == "name":
                stack.append(self._numeric(value, offset, environment))
            elif kind == "negate":
                stack.append(-stack.pop())
            elif kind in _FUNCTIONS:
                count = int(value)
                arguments = stack[-count:]
                del stack[-count:]
                stack.append(_FUNCTIONS[kind](*arguments))
            else:
                right, left = stack.pop(), stack.pop()
                if kind in ("/", "//", "%") and right == 0:
                    raise ExpressionError("division by zero", offset)
                stack.append(_OPERATORS[kind](left, right))
            top = stack[-1]
            if abs(top) > MAX_SIZE:
                raise ExpressionError(f"the value exceeds the limit of {MAX_SIZE}", offset)
        return stack[0]

    def _lookup(self, name: str, offset: int, environment: Mapping[str, object]) -> object:
        if name not in environment:
            raise ExpressionError(f"unknown parameter `{name}`", offset, len(name))
        return environment[name]

    def _numeric(self, name: str, offset: int, environment: Mapping[str, object]) -> Value:
        value = self._lookup(name, offset, environment)
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ExpressionError(f"`{name}` is not a number", offset, len(name))
        return value


def is_expression(value: object) -> bool:
    return isinstance(value, str) and value.startswith("$")


def parse(text: str) -> Expression:
    """Parses ``$name`` or ``${…}``; raises :class:`ExpressionError`."""
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has more than {MAX_LENGTH} characters", 0, len(text))
    if re.fullmatch(r"\$[A-Za-z_]\w*", text, re.ASCII):
        return Expression(text, (("name", text[1:], 1),))
    if not (text.startswith("${") and text.endswith("}")):
        write = written(meant) if (meant := respelled(text)) else ""
        help = f"write `{write}`" if write else ""
        raise ExpressionError(
            "invalid expression: the whole value must be `$name` or `${…}`",
            0,
            len(text),
            help=help,
            write=write,
        )
    return Expression(text, tuple(_Parser(text).parse()))


def respelled(text: str) -> Expression | None:
    """The expression that ``text`` may mean without ``$`` or with more: ``n * 2``, ``2 * $n``."""
    text = text if len(text) <= MAX_LENGTH else ""
    plain = re.sub(r"\$?\{\s*(\w+)\s*\}", r"\1", text, flags=re.ASCII)
    plain = re.sub(r"\$?\{([^{}]*)\}", r"(\1)", plain)
    plain = re.sub(r"\$\{?(?=[A-Za-z_(])", "", plain).rstrip("} ")
    inner = re.fullmatch(r"\s*\(([^()]*)\)\s*", plain) or re.fullmatch(r"\s*(.*)", plain)
    try:
        found = parse(f"${{{inner[1].strip()}}}") if inner else None
    except ExpressionError:
        return None
    return found if found and found.names else None


def written(expression: Expression) -> str:
    """The expression as YAML: ``$n`` for a name alone, else in quotes."""
    if [kind for kind, *_ in expression.code] == ["name"]:
        return f"${expression.code[0][1]}"
    return f'"{expression.text}"'


class _Parser:
    def __init__(self, text: str) -> None:
        self.tokens: list[tuple[str, str, int]] = []
        position, end = 2, len(text) - 1
        while text[position:end].strip():
            match = _TOKEN.match(text, position, end)
            if match is None:
                start = position + len(text[position:end]) - len(text[position:end].lstrip())
                if text[start].isdecimal():
                    raise ExpressionError(
                        "expected a number with at most 18 digits and no leading zero", start
                    )
                help = "allowed are + - * / // %, min, max, round, floor, ceil and parentheses"
                raise ExpressionError(f"unexpected `{text[start]}`", start, help=help)
            kind = match.lastgroup or ""
            self.tokens.append((kind, match[kind], match.start(kind)))
            position = match.end()
        self.end, self.index = end, 0
        self.code: list[tuple[str, str, int]] = []

    def parse(self) -> list[tuple[str, str, int]]:
        self.expression(0, 0)
        if self.peek()[0] != "end":
            self.fail()
        return self.code

    def peek(self) -> tuple[str, str, int]:
        return self.tokens[self.index] if self.index < len(self.tokens) else ("end", "", self.end)

    def take(self, symbol: str) -> bool:
        if self.peek()[0] == "op" and self.peek()[1] == symbol:
            self.index += 1
            return True
        return False

    def fail(self) -> None:
        kind, value, offset = self.peek()
        what = "unexpected end of the expression" if kind == "end" else f"unexpected `{value}`"
        power = value == "*" and self.index > 0 and self.tokens[self.index - 1][1] == "*"
        help = "powers are not supported; write a product" if power else ""
        raise ExpressionError(what, offset, max(1, len(value)), help=help)

    def expression(self, level: int, depth: int) -> None:
        self.operand(depth)
        while True:
            kind, symbol, offset = self.peek()
            strength = _PRECEDENCE.get(symbol, 0) if kind == "op" else 0
            if strength <= level:
                return
            self.index += 1
            self.expression(strength, depth + 1)
            self.code.append((symbol, symbol, offset))

    def operand(self, depth: int) -> None:
        if depth > MAX_NESTING:
            raise ExpressionError(f"more than {MAX_NESTING} levels of nesting", self.peek()[2])
        kind, value, offset = self.peek()
        if kind == "number":
            self.index += 1
            self.code.append((kind, value, offset))
        elif kind == "name":
            self.index += 1
            if value in _FUNCTIONS and self.take("("):
                self.call(value, offset, depth)
            else:
                self.code.append((kind, value, offset))
        elif self.take("-"):
            self.operand(depth + 1)
            self.code.append(("negate", "-", offset))
        elif self.take("("):
            self.expression(0, depth + 1)
            if not self.take(")"):
                self.fail()
        else:
            self.fail()

    def call(self, name: str, offset: int, depth: int) -> None:
        count = 0
        while True:
            self.expression(0, depth + 1)
            count += 1
            if not self.take(","):
                break
        if not self.take(")"):
            self.fail()
        if name in ROUNDING and count > 1:
            message = f"`{name}` takes one value, found {count}"
            raise ExpressionError(message, offset, len(name))
        self.code.append((name, str(count), offset))
