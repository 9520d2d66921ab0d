"""Seeded defects in the code generation for expressions, for networks made of expressions."""

from __future__ import annotations

from defect import CORE, TORCH, Defect

SYMBOL_DEFECTS = (
    Defect(
        "every term is valid for every use",
        CORE,
        "backend.frames",
        "_gives(term, r.values, v) for r",
        "True for r",
    ),
    Defect(
        "momentum is the decay",
        TORCH,
        "lowering",
        "term = subtract(constant(1), decay.term)",
        "term = decay.term",
    ),
    Defect(
        "all instances have the arguments of the first",
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
        "max is min",
        CORE,
        "types.spelling",
        'return f"{atom.function}(',
        'return f"min(',
    ),
    Defect(
        "arguments can have names that the code of a class uses",
        TORCH,
        "blocks",
        "scope = scope_of(definition, READ_BY_INIT, channels=True)",
        "scope = scope_of(definition, (), channels=True)",
    ),
    Defect(
        "a block with different numbers is split",
        CORE,
        "backend.definitions",
        "        _ = definition.chain\n",
        "        if len(definition.instances) > 1:\n            raise SplitError(None)\n",
    ),
    Defect(
        "two modules can have the same name",
        TORCH,
        "build",
        "return self.names.unique(attribute(path))",
        "return attribute(path[-1:])",
    ),
)
