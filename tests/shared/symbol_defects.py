"""Deliberate defects of the way from expressions to generated code, for the networks that consist
of them.
"""

from __future__ import annotations

from defect import CORE, TORCH, Defect

SYMBOL_DEFECTS = (
    Defect(
        "everything holds",
        CORE,
        "backend.frames",
        "_gives(term, r.values, v) for r",
        "True for r",
    ),
    Defect(
        "a symbol in another form is the same argument",
        CORE,
        "backend.scope",
        "key = symbol, form.key\n",
        'key = symbol, ""\n',
    ),
    Defect(
        "the first instance stands for all",
        CORE,
        "backend.scope",
        "tuple(argument.values[definition.instance(t)] for t in use.typed)",
        "tuple(argument.values[0] for t in use.typed)",
    ),
    Defect(
        "terms lose their parentheses",
        CORE,
        "types.spelling",
        'return text if outer else f"({text})"',
        "return text",
    ),
    Defect(
        "sums lose their parentheses",
        CORE,
        "types.spelling",
        'return f"({_text(term, names)})"',
        "return _text(term, names)",
    ),
    Defect(
        "a factor is lost",
        CORE,
        "types.spelling",
        'text = name if size == 1 else f"{size} * {name}"',
        "text = name",
    ),
    Defect(
        "a maximum is a minimum",
        CORE,
        "types.spelling",
        'return f"{atom.function}(',
        'return f"min(',
    ),
    Defect(
        "arguments may be called as what the code of a class reads",
        TORCH,
        "blocks",
        "scope = scope_of(definition, READ_BY_INIT, channels=True)",
        "scope = scope_of(definition, (), channels=True)",
    ),
    Defect(
        "a block that differs in numbers is split",
        CORE,
        "backend.definitions",
        "        definition.chain  # noqa: B018\n",
        "        if len(definition.instances) > 1:\n            raise SplitError(None)\n",
    ),
    Defect(
        "modules may be called as variables",
        TORCH,
        "build",
        'self.names.unique(*(f"{c}_" if c in FORBIDDEN else c for c in (first, full)))',
        "first",
    ),
)
