"""Bombs that the YAML parser rejects: aliases, depth, size."""

from __future__ import annotations

import itertools

from bomb import CONV, HEAD, Bombs, body

TEXTS = Bombs()
bomb = TEXTS.add


# aliases


@bomb("a billion laughs", "E106")
def _() -> str:
    names = "abcdefghijklmnop"
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"{y}: &{y} [{', '.join([f'*{x}'] * 10)}]" for x, y in itertools.pairwise(names)]
    return HEAD + "\n".join(lines)


@bomb("a long list with many aliases", "E106")
def _() -> str:
    return f"{HEAD}a: &a [{', '.join(['x'] * 1_000)}]\nb: [{', '.join(['*a'] * 1_000)}]\n"


@bomb("an alias inside of itself", "E105")
def _() -> str:
    return f"{HEAD}body: &a [*a, *a]\n"


@bomb("steps from aliases", "E106")
def _() -> str:
    steps = f"{HEAD}body: &a [{', '.join([CONV] * 100)}]\nstem: &b [{', '.join(['*a'] * 100)}]\n"
    return steps + f"head: [{', '.join(['*b'] * 100)}]\n"


@bomb("a chain of merge keys", "E105")
def _() -> str:
    lines = [
        "a0: &a0 {x: 1}",
        *(f"a{i}: &a{i} {{<<: [*a{i - 1}, *a{i - 1}], y{i}: 1}}" for i in range(1, 90)),
    ]
    return HEAD + "\n".join(lines)


@bomb("many anchors", "E106")
def _() -> str:
    return HEAD + "".join(f"k{i}: &a{i} 1\n" for i in range(60_000))


@bomb("anchors at every level, with many aliases", "E106")
def _() -> str:
    rows = "".join(f"r{i}: [*a0, *a1, *a2]\n" for i in range(30_000))
    return f"{HEAD}a: &a0 {{b: &a1 {{c: &a2 [1, 2, 3, 4, 5, 6, 7, 8]}}}}\n{rows}"


# depth


@bomb("a million brackets", "E106")
def _() -> str:
    return "[" * 1_000_000


@bomb("a hundred thousand braces", "E106")
def _() -> str:
    return f"{HEAD}body: " + "{a: " * 100_000 + "}" * 100_000


@bomb("nested brackets that are closed", "E106")
def _() -> str:
    return f"{HEAD}body: " + "[" * 10_000 + "]" * 10_000


@bomb("deeply nested block mappings", "E106")
def _() -> str:
    return HEAD + "".join(f"{' ' * i}a:\n" for i in range(1_000))


@bomb("nested sequences on one line", "E106")
def _() -> str:
    return f"{HEAD}body:\n  {'- ' * 100_000}x\n"


@bomb("nested question marks", "E103")
def _() -> str:
    return f"{HEAD}{'? ' * 100_000}\n"


@bomb("nested forks", "E106")
def _() -> str:
    return f"{HEAD}body: " + "[{merge: add, branches: {a: [], b: " * 1_000 + "[]" + "}}]" * 1_000


@bomb("a chain of blocks", "E309")
def _() -> str:
    blocks = "".join(f"  b{i}: {{steps: [{{use: b{i + 1}}}]}}\n" for i in range(900))
    return f"{HEAD}blocks:\n{blocks}  b900: {{steps: []}}\nbody: [{{use: b0}}]\n"


# size


@bomb("more than a megabyte", "E106")
def _() -> str:
    return HEAD + f"title: {'x' * 50_000_000}\n"


@bomb("a megabyte of keys", "E106")
def _() -> str:
    return HEAD + "".join(f"k{i}: 1\n" for i in range(95_000))


@bomb("a megabyte of one scalar", "E203")
def _() -> str:
    return f"{HEAD}body: {'x' * 990_000}\n"


@bomb("a megabyte of folded text", "")
def _() -> str:
    return (
        f"{HEAD}description: >\n"
        + "  word word word word word\n\n" * 33_000
        + "body: [{op: identity}]\n"
    )


@bomb("a megabyte of comments", "")
def _() -> str:
    return HEAD + "body: [{op: identity}]\n" + "# nothing\n" * 90_000


@bomb("many documents", "E105")
def _() -> str:
    return f"{HEAD}body: []\n" + "---\na: 1\n" * 100_000


@bomb("many directives", "E103")
def _() -> str:
    return "%FOO bar\n" * 100_000 + "---\n" + HEAD


@bomb("a megabyte of duplicate keys", "E104")
def _() -> str:
    return HEAD + "a: 1\n" * 190_000


@bomb("a megabyte of unknown fields", "E106")
def _() -> str:
    return body("".join(f"  - {{op: conv, x{i}: 1, y: 2}}\n" for i in range(30_000)))


@bomb("thousands of unknown fields", "E202 E201")
def _() -> str:
    return body("".join(f"  - {{op: conv, fliters{i}: 1}}\n" for i in range(2_000)))


@bomb("thousands of unknown parameters", "E304")
def _() -> str:
    return body(
        "".join(
            f"  - {{op: conv, name: c{i}, filters: $p{i}, kernel_size: 1}}\n" for i in range(2_000)
        )
    )


@bomb("thousands of unknown blocks", "E302")
def _() -> str:
    blocks = "".join(f"  block_number_{i}: {{steps: []}}\n" for i in range(950))
    return (
        f"{HEAD}blocks:\n{blocks}"
        + "body:\n"
        + "".join(f"  - {{use: blok_number_{i}}}\n" for i in range(950))
    )


@bomb("a hundred thousand steps", "E106")
def _() -> str:
    return f"{HEAD}body: [{','.join(['{op: scale}'] * 80_000)}]\n"


@bomb("a hundred thousand branches", "E106")
def _() -> str:
    return (
        f"{HEAD}body: [{{merge: add, "
        f"branches: {{{','.join(f'b{i}: []' for i in range(80_000))}}}}}]\n"
    )


@bomb("thousands of auxiliary heads and outputs", "E106")
def _() -> str:
    heads = "".join(
        f"  h{i}: {{after: a, loss_weight: 1, steps: [{{op: flatten}}]}}\n" for i in range(12_000)
    )
    outputs = "".join(f"  o{i}: a\n" for i in range(12_000))
    return f"{HEAD}body: [{{op: identity, name: a}}]\naux_heads:\n{heads}outputs:\n{outputs}"
