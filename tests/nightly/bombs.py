"""Small specs that would be huge, and huge texts: ``python tests/nightly/bombs.py`` prints what each takes.

Every bomb goes through ``inception-dsl build --all-backends --check`` in a process of its own. What is measured is the
CPU time from the command's start, imports done, to its end, and the largest memory of the whole process.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import itertools
import json
import os
import re
import resource
import select
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Final, NamedTuple

from click.testing import CliRunner

from inception_dsl.cli import main

SECONDS, MEGABYTES, PRINTED = 0.5, 200, 200_000
GUARD: Final = 2 << 30  # bytes of address space that a bomb gets
HEAD: Final = "network: bomb\ninput: {channels: 8, height: 32, width: 32}\n"
CONV: Final = "{op: conv, filters: 8, kernel_size: 3}"
Files = dict[str, str | bytes]


class Bomb(NamedTuple):
    """``files`` holds ``spec.yaml`` and what it reads; ``code`` is what refuses it, nothing where it is harmless."""

    name: str
    code: str
    files: Callable[[], Files]
    settings: tuple[str, ...] = ()


class Cost(NamedTuple):
    """What a bomb did: the exit code, the codes of its mistakes, CPU seconds, megabytes, bytes that were printed."""

    exit: int
    codes: list[str]
    seconds: float
    megabytes: float
    printed: int


BOMBS: dict[str, Bomb] = {}


def bomb(
    name: str, code: str, *settings: str
) -> Callable[[Callable[[], str | bytes | Files]], None]:
    """Adds a bomb; the function gives the text of the spec, or all files."""

    def add(make: Callable[[], str | bytes | Files]) -> None:
        def files() -> Files:
            made = make()
            return made if isinstance(made, dict) else {"spec.yaml": made}

        BOMBS[name] = Bomb(name, code, files, settings)

    return add


def body(text: str) -> str:
    return f"{HEAD}body:\n{text}"


# aliases


@bomb("a billion laughs", "E106")
def _() -> str:
    names = "abcdefghijklmnop"
    lines = ["a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol, lol]"]
    lines += [f"{y}: &{y} [{', '.join([f'*{x}'] * 10)}]" for x, y in itertools.pairwise(names)]
    return HEAD + "\n".join(lines)


@bomb("a wide value named many times", "E106")
def _() -> str:
    return f"{HEAD}a: &a [{', '.join(['x'] * 1_000)}]\nb: [{', '.join(['*a'] * 1_000)}]\n"


@bomb("an alias inside of itself", "E105")
def _() -> str:
    return f"{HEAD}body: &a [*a, *a]\n"


@bomb("steps behind aliases", "E106")
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


@bomb("an anchor at every level, again and again", "E106")
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


@bomb("brackets that close", "E106")
def _() -> str:
    return f"{HEAD}body: " + "[" * 10_000 + "]" * 10_000


@bomb("a staircase of block mappings", "E106")
def _() -> str:
    return HEAD + "".join(f"{' ' * i}a:\n" for i in range(1_000))


@bomb("dashes on one line", "E106")
def _() -> str:
    return f"{HEAD}body:\n  {'- ' * 100_000}x\n"


@bomb("question marks", "E103")
def _() -> str:
    return f"{HEAD}{'? ' * 100_000}\n"


@bomb("forks in forks", "E106")
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
    return f"{HEAD}body: [{{merge: add, branches: {{{','.join(f'b{i}: []' for i in range(80_000))}}}}}]\n"


@bomb("thousands of auxiliary heads and outputs", "E106")
def _() -> str:
    heads = "".join(
        f"  h{i}: {{after: a, loss_weight: 1, steps: [{{op: flatten}}]}}\n" for i in range(12_000)
    )
    outputs = "".join(f"  o{i}: a\n" for i in range(12_000))
    return f"{HEAD}body: [{{op: identity, name: a}}]\naux_heads:\n{heads}outputs:\n{outputs}"


# repeats


@bomb("a billion repetitions", "E309")
def _() -> str:
    return body(f"  - {CONV[:-1]}, repeat: 1000000000}}\n")


@bomb("repeats in repeats", "E309")
def _() -> str:
    blocks = "".join(f"  b{i}: {{steps: [{{use: b{i + 1}, repeat: 1000}}]}}\n" for i in range(20))
    return f"{HEAD}blocks:\n{blocks}  b20: {{steps: [{CONV}]}}\nbody: [{{use: b0, repeat: 1000}}]\n"


@bomb("two uses in two uses", "E309")
def _() -> str:
    twice = "{{steps: [{{use: b{0}, name: x}}, {{use: b{0}, name: y}}]}}"
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(60))
    return f"{HEAD}blocks:\n{blocks}  b60: {{steps: [{CONV}]}}\nbody: [{{use: b0}}]\n"


@bomb("two uses in two uses of nothing", "E309")
def _() -> str:
    twice = "{{steps: [{{use: b{0}, name: x}}, {{use: b{0}, name: y}}]}}"
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(60))
    return f"{HEAD}blocks:\n{blocks}  b60: {{steps: []}}\nbody: [{{use: b0}}]\n"


@bomb("repeats in repeats of nothing", "E309")
def _() -> str:
    blocks = "".join(f"  b{i}: {{steps: [{{use: b{i + 1}, repeat: 1000}}]}}\n" for i in range(20))
    return f"{HEAD}blocks:\n{blocks}  b20: {{steps: []}}\nbody: [{{use: b0, repeat: 1000}}]\n"


@bomb("repeats of nothing, by a parameter", "E309")
def _() -> str:
    inner = "{{params: {{n: int}}, steps: [{{use: b{0}, n: $n, repeat: $n}}]}}"
    blocks = "".join(f"  b{i}: {inner.format(i + 1)}\n" for i in range(20))
    return f"{HEAD}blocks:\n{blocks}  b20: {{params: {{n: int}}, steps: []}}\nbody: [{{use: b0, n: 1000}}]\n"


@bomb("two uses in two uses, each of another shape", "E309")
def _() -> str:
    twice = "{{steps: [{{use: b{0}, name: x}}, {{use: b{0}, name: y}}]}}"
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(60))
    grow = "{op: conv, filters: '${in_channels + 1}', kernel_size: 1}"
    return f"{HEAD}blocks:\n{blocks}  b60: {{steps: [{grow}]}}\nbody: [{{use: b0}}]\n"


@bomb("two uses with doubled parameters", "E309")
def _() -> str:
    twice = "{{params: {{n: int}}, steps: [{{use: b{0}, name: x, n: '${{n * 2}}'}}, {{use: b{0}, name: y, n: '${{n * 2 + 1}}'}}]}}"
    blocks = "".join(f"  b{i}: {twice.format(i + 1)}\n" for i in range(30))
    last = "{params: {n: int}, steps: [{op: conv, filters: '${n % 1000 + 1}', kernel_size: 1}]}"
    return f"{HEAD}blocks:\n{blocks}  b30: {last}\nbody: [{{use: b0, n: 1}}]\n"


@bomb("forks of uses in forks of uses", "E309")
def _() -> str:
    pair = "{{steps: [{{merge: concat, branches: {{x: [{{use: b{0}}}], y: [{{use: b{0}}}]}}}}]}}"
    blocks = "".join(f"  b{i}: {pair.format(i + 1)}\n" for i in range(30))
    return f"{HEAD}blocks:\n{blocks}  b30: {{steps: [{CONV}]}}\nbody: [{{use: b0}}]\n"


@bomb("a repeat that grows", "E309")
def _() -> str:
    return body("  - {op: conv, filters: '${in_channels + 1}', kernel_size: 1, repeat: 90000}\n")


@bomb("repeats that grow, nested", "E309")
def _() -> str:
    grow = "{op: conv, filters: '${in_channels + 1}', kernel_size: 1, repeat: 1000}"
    return f"{HEAD}blocks: {{a: {{steps: [{grow}]}}}}\nbody: [{{use: a, repeat: 90}}]\n"


@bomb("a repeat that pads", "E309")
def _() -> str:
    return body("  - {op: zero_pad, padding: 1, repeat: 90000}\n")


@bomb("repeats up to the limit", "")
def _() -> str:
    return body("  - {op: identity, repeat: 10000}\n")


@bomb("repeats that grow, up to the limit", "")
def _() -> str:
    return body("  - {op: conv, filters: '${in_channels + 1}', kernel_size: 1, repeat: 990}\n")


@bomb("a fork that repeats", "E309")
def _() -> str:
    return body(
        f"  - {{merge: add, branches: {{a: [], b: [{CONV[:-1]}, repeat: 2}}]}}, repeat: 3000}}\n"
    )


@bomb("forks that repeat, in each other", "E309")
def _() -> str:
    inner = "{op: identity}"
    for i in range(12):
        inner = f"{{merge: concat, name: f{i}, branches: {{b: [{inner}]}}, repeat: 2}}"
    return body(f"  - {inner}\n")


@bomb("a fork that repeats, up to the limit", "")
def _() -> str:
    return body(
        "  - {merge: concat, branches: {b: [{op: conv_bn, filters: 3, kernel_size: 1}]}, repeat: 501}\n"
    )


@bomb("a thousand branches", "")
def _() -> str:
    return f"{HEAD}body: [{{merge: add, branches: {{{','.join(f'b{i}: []' for i in range(1_000))}}}}}]\n"


@bomb("six hundred steps", "")
def _() -> str:
    return body(
        "".join(f"  - {{op: conv, filters: {i + 1}, kernel_size: 3}}\n" for i in range(600))
    )


@bomb("two hundred blocks", "")
def _() -> str:
    blocks = "".join(f"  b{i}: {{steps: [{{op: max_pool, kernel_size: 3}}]}}\n" for i in range(200))
    return f"{HEAD}blocks:\n{blocks}body:\n" + "".join(f"  - {{use: b{i}}}\n" for i in range(200))


@bomb("a thousand outputs", "")
def _() -> str:
    return f"{HEAD}body: [{{op: identity, name: a}}]\noutputs:\n" + "".join(
        f"  o{i}: a\n" for i in range(1_000)
    )


@bomb("a block printed for each of a thousand kernels", "E309")
def _() -> str:
    uses = "".join(f"  - {{use: a, name: u{i}, n: {i + 1}}}\n" for i in range(1_000))
    text = "word " * 10_000
    return f"{HEAD}blocks:\n  a: {{description: '{text}', params: {{n: int}}, steps: [{{op: max_pool, kernel_size: $n}}]}}\nbody:\n{uses}"


@bomb("published names for every layer", "")
def _() -> str:
    names = "".join(f"      c{i}: C{i}\n" for i in range(600))
    steps = "".join(
        f"  - {{op: conv, name: c{i}, filters: 8, kernel_size: 1}}\n" for i in range(600)
    )
    return f"{HEAD}body:\n{steps}checkpoints:\n  timm:\n    names:\n{names}"


# numbers


@bomb("a million filters on a million channels", "E309")
def _() -> str:
    return body("  - {op: conv, filters: 1000000, kernel_size: 1, repeat: 2}\n")


@bomb("the largest kernel", "E309")
def _() -> str:
    return body("  - {op: conv, filters: 1000000, kernel_size: [1024, 1024]}\n")


@bomb("a dense layer on a huge map", "E309")
def _() -> str:
    return (
        "network: bomb\ninput: {channels: 65536, depth: 65536, height: 65536, width: 65536}\n"
        "body: [{op: flatten}, {op: dense, units: 1000000}]\n"
    )


@bomb("an integer of half a million digits", "E107")
def _() -> str:
    return f"{HEAD}classes: {'9' * 500_000}\nbody: [{{op: identity}}]\n"


@bomb("numbers of every odd kind", "E107 E201 E202")
def _() -> str:
    odd = [
        "0x" + "f" * 20_000,
        "1e999",
        "1" + "_000" * 9_000,
        "1" + ":59" * 9_000,
        "0." + "0" * 50_000,
        "-.inf",
    ]
    return HEAD + "".join(f"k{i}: {text}\n" for i, text in enumerate(odd))


@bomb("a setting of a megabyte", "E106", "--set", "title=" + "[" * 120_000)
def _() -> str:
    return body("  - {op: identity}\n")


@bomb("a setting of many names", "E209", "--set", ".".join(["a"] * 30_000) + "=1")
def _() -> str:
    return body("  - {op: identity}\n")


@bomb("a setting that repeats", "E309", "--set", "n=1000000000")
def _() -> str:
    return f"{HEAD}params: {{n: {{type: int, default: 1}}}}\nbody: [{CONV[:-1]}, repeat: $n}}]\n"


# expressions


@bomb("a long sum", "E207")
def _() -> str:
    return body('  - {op: conv, kernel_size: 1, filters: "${' + "1+" * 300_000 + '1}"}\n')


@bomb("parentheses in parentheses", "E207")
def _() -> str:
    return body(
        '  - {op: conv, kernel_size: 1, filters: "${' + "(" * 120 + "1" + ")" * 120 + '}"}\n'
    )


@bomb("a product of large numbers", "E207")
def _() -> str:
    return body(
        '  - {op: conv, kernel_size: 1, filters: "${'
        + "*".join(["999999999999999999"] * 12)
        + '}"}\n'
    )


@bomb("minima of minima", "E207")
def _() -> str:
    inner = "min(" * 40 + ",".join(["1"] * 40) + ")" * 40
    return body(f'  - {{op: conv, kernel_size: 1, filters: "${{{inner}}}"}}\n')


@bomb("expressions that grow from block to block", "E309")
def _() -> str:
    grow = "${(in_channels * in_channels + in_channels % 7 * n) // (in_channels + n)}"
    blocks = "".join(
        f"  b{i}: {{params: {{n: int}}, steps: [{{use: b{i + 1}, n: '{grow}'}}]}}\n"
        for i in range(50)
    )
    last = "{params: {n: int}, steps: [{op: conv, filters: '${n % 50 + 1}', kernel_size: 1}]}"
    return f"{HEAD}blocks:\n{blocks}  b50: {last}\nbody: [{{use: b0, n: 3}}]\n"


@bomb("channels that grow from step to step", "")
def _() -> str:
    grow = "{op: conv, kernel_size: 1, filters: '${(in_channels * in_channels + in_channels) % 97 + 1}'}"
    return f"{HEAD}blocks: {{a: {{steps: [{', '.join([grow] * 60)}]}}}}\nbody: [{{use: a}}]\n"


# files


def block(name: str, imports: str) -> str:
    return f"block: {name}\nimport: [{imports}]\nsteps: []\n"


@bomb("a chain of imports", "E301")
def _() -> Files:
    files: Files = {f"b{i}.yaml": block(f"b{i}", f"b{i + 1}.yaml") for i in range(1_000)}
    return {
        **files,
        "b1000.yaml": block("b1000", ""),
        "spec.yaml": f"{HEAD}import: [b0.yaml]\nbody: [{{use: b0}}]\n",
    }


@bomb("imports in a diamond", "")
def _() -> Files:
    files: Files = {
        f"b{i}.yaml": block(f"b{i}", f"b{i + 1}.yaml, ./b{i + 1}.yaml") for i in range(60)
    }
    return {
        **files,
        "b60.yaml": block("b60", ""),
        "spec.yaml": f"{HEAD}import: [b0.yaml]\nbody: [{{use: b0}}, {CONV}]\n",
    }


@bomb("a file imported ten thousand times", "E106")
def _() -> Files:
    wanted = "".join(f"  - {'./' * (i % 400)}b.yaml\n" for i in range(4_000))
    return {"b.yaml": block("b", ""), "spec.yaml": f"{HEAD}import:\n{wanted}body: [{{use: b}}]\n"}


@bomb("ten thousand missing files", "E301")
def _() -> str:
    return f"{HEAD}import: [{', '.join(f'n{i}.yaml' for i in range(10_000))}]\nbody: [{CONV}]\n"


@bomb("a hundred large files", "E106")
def _() -> Files:
    files: Files = {f"b{i}.yaml": block(f"b{i}", "") + "# nothing\n" * 99_000 for i in range(100)}
    wanted = ", ".join(files)
    return {**files, "spec.yaml": f"{HEAD}import: [{wanted}]\nbody: [{CONV}]\n"}


@bomb("a chain of extends", "E301")
def _() -> Files:
    files: Files = {f"e{i}.yaml": f"extends: e{i + 1}.yaml\n" for i in range(1_000)}
    return {**files, "e1000.yaml": body(f"  - {CONV}\n"), "spec.yaml": "extends: e0.yaml\n"}


@bomb("a spec that extends itself", "E301")
def _() -> str:
    return f"extends: ./spec.yaml\n{HEAD}"


# running


def measured(names: Iterable[str], timeout: float = 60) -> Iterator[tuple[str, Cost]]:
    """Every bomb in a process of its own, a copy of this one, which has imported what the command needs."""
    import inception_dsl.build.build
    from inception_dsl import plugins

    assert inception_dsl.build.build
    for _, backend in plugins.usable()[0]:
        importlib.import_module(f"inception_dsl_{backend.name}.views")
    importlib.import_module("jinja2")
    CliRunner().invoke(main, ["--version"])
    gc.disable()  # as the program does
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            one = BOMBS[name]
            _apart(lambda one=one, folder=folder: _laid(one, Path(folder)), timeout)  # type: ignore[misc]
            told = _apart(lambda one=one, folder=folder: _run(one, folder), timeout)  # type: ignore[misc]
        yield (
            name,
            Cost(**json.loads(told)) if told.startswith("{") else Cost(-1, [told], timeout, 0, 0),
        )


def _apart(work: Callable[[], str], timeout: float) -> str:
    """What ``work`` returns in a copy of this process, or how that ended."""
    reading, writing = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if not child:
        resource.setrlimit(resource.RLIMIT_AS, (GUARD, GUARD))
        try:
            os.write(writing, work().encode())
        except BaseException as error:
            os.write(writing, f"{type(error).__name__}: {error}"[:500].encode())
        os._exit(0)
    os.close(writing)
    ready, _, _ = select.select([reading], [], [], timeout)
    told = os.read(reading, 1 << 16).decode() if ready else "a hang"
    os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    os.close(reading)
    return told or f"a signal: {status}"


def _laid(one: Bomb, folder: Path) -> str:
    for file, text in one.files().items():
        (folder / file).write_bytes(text if isinstance(text, bytes) else text.encode())
    return "done"


def _run(one: Bomb, folder: str) -> str:
    os.chdir(folder)
    start = time.process_time()
    result = CliRunner().invoke(
        main, ["build", "spec.yaml", "--all-backends", "--check", "--out", "out", *one.settings]
    )
    seconds = time.process_time() - start
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    codes = list(dict.fromkeys(re.findall(r"^error\[(E\d+)\]", result.stderr, re.MULTILINE)))
    return json.dumps(Cost(result.exit_code, codes, seconds, _peak(), len(result.output))._asdict())


def _peak() -> float:
    """The largest memory of this process in megabytes."""
    status = Path("/proc/self/status")
    if status.exists():  # `ru_maxrss` counts what the parent had when it started this
        return int(re.findall(r"VmHWM:\s+(\d+)", status.read_text())[0]) / (1 << 10)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (1 << 20)


def problems(one: Bomb, cost: Cost, seconds: float = SECONDS) -> Iterator[str]:
    """What a bomb did that it must not."""
    expected = one.code.split() or [
        "E602"
    ]  # a build that is only compared, with a file that is not there
    if cost.exit != 1 or sorted(cost.codes) != sorted(expected):
        yield f"exit {cost.exit} with {cost.codes}, not {expected}"
    if cost.seconds > seconds:
        yield f"{cost.seconds:.2f} s"
    if cost.megabytes > MEGABYTES:
        yield f"{cost.megabytes:.0f} MB"
    if cost.printed > PRINTED:
        yield f"{cost.printed:,} characters of output"


def command() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help="some bombs only")
    parser.add_argument("--json", action="store_true", help="what each took, as lines of JSON")
    given = parser.parse_args()
    costs, wrong = [], 0
    for name, cost in measured(given.names or BOMBS):
        costs.append(cost)
        found = "; ".join(problems(BOMBS[name], cost))
        wrong += bool(found)
        line = f"{name:45} {cost.seconds:6.3f} s {cost.megabytes:5.0f} MB  {' '.join(cost.codes):10} {found}".rstrip()
        print(json.dumps([name, cost]) if given.json else line, flush=True)
    if given.json:
        return
    most = f"{max(c.seconds for c in costs):.3f} s, {max(c.megabytes for c in costs):.0f} MB"
    print(
        f"{len(costs)} bombs, {wrong} beyond {SECONDS} s or {MEGABYTES} MB, or not refused as they must be; most: {most}"
    )
    raise SystemExit(bool(wrong))


if __name__ == "__main__":
    command()
