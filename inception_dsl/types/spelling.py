"""Prints terms as Python source."""

from __future__ import annotations

from collections.abc import Mapping

from .terms import Apply, Symbol, Term


def spell(term: Term, names: Mapping[Symbol, str]) -> str:
    """``term`` as a Python expression, without needless outer parentheses."""
    match term.parts:
        case ((Apply() as atom, 1),) if not term.constant:
            return _atom(atom, names, outer=True)
    return _text(term, names)


def _text(term: Term, names: Mapping[Symbol, str]) -> str:
    first = term.constant > 0 and bool(term.parts) and term.parts[0][1] < 0  # 1 - x
    words = [repr(term.constant)] if first else []
    for atom, factor in term.parts:
        size = abs(factor)
        outer = size == 1 and isinstance(atom, Apply) and atom.function == "*"
        name = names[atom] if isinstance(atom, Symbol) else _atom(atom, names, outer=outer)
        text = name if size == 1 else f"{size} * {name}"
        if not words:
            words.append(text if factor > 0 else f"-{text}")
        else:
            words.append(f"+ {text}" if factor > 0 else f"- {text}")
    if (term.constant or not words) and not first:
        sign = "-" if term.constant < 0 else "+"
        words.append(f"{sign} {abs(term.constant)!r}" if words else repr(term.constant))
    return " ".join(words)


def _atom(atom: Apply, names: Mapping[Symbol, str], *, outer: bool = False) -> str:
    if atom.function in ("min", "max"):
        return f"{atom.function}({', '.join(spell(a, names) for a in atom.arguments)})"
    if atom.function == "round":
        return f"round({spell(atom.arguments[0], names)})"
    if atom.function == "half_up":
        return f"max(1, int({_addend(atom.arguments[0], names)} + 0.5))"
    if atom.function == "floor":  # without `import math`
        return f"int({tight(atom.arguments[0], names)} // 1)"
    texts = [tight(argument, names) for argument in atom.arguments]
    text = f" {atom.function} ".join(texts)
    if atom.function == "ceil":
        text = f"-int(-{texts[0]} // 1)"
    return text if outer else f"({text})"


def _addend(term: Term, names: Mapping[Symbol, str]) -> str:
    """``term`` as the first part of a sum."""
    match term.parts:
        case ((Apply(function), 1),) if not term.constant and function not in ("+", "-"):
            return spell(term, names)
    return tight(term, names)


def tight(term: Term, names: Mapping[Symbol, str]) -> str:
    """``term`` as a Python expression, in parentheses unless it is one name, number or call."""
    match term.parts:
        case ((atom, 1),) if not term.constant:
            return names[atom] if isinstance(atom, Symbol) else _atom(atom, names)
        case () if term.constant >= 0:
            return repr(term.constant)
    return f"({_text(term, names)})"
