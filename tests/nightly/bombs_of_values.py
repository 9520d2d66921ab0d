"""Bombs with numbers, expressions and files."""

from __future__ import annotations

from bomb import CONV, HEAD, Bombs, Files, body

VALUES = Bombs()
bomb = VALUES.add


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


@bomb("unusual numbers", "E107 E201 E202")
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


@bomb("a --set value of a megabyte", "E106", "--set", "title=" + "[" * 120_000)
def _() -> str:
    return body("  - {op: identity}\n")


@bomb("a --set path of many names", "E209", "--set", ".".join(["a"] * 30_000) + "=1")
def _() -> str:
    return body("  - {op: identity}\n")


@bomb("a --set value as repeat", "E309", "--set", "n=1000000000")
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


@bomb("nested min", "E207")
def _() -> str:
    inner = "min(" * 40 + ",".join(["1"] * 40) + ")" * 40
    return body(f'  - {{op: conv, kernel_size: 1, filters: "${{{inner}}}"}}\n')


@bomb("expressions that get longer in each block", "")
def _() -> str:
    grow = "${(in_channels * in_channels + in_channels % 7 * n) // (in_channels + n)}"
    blocks = "".join(
        f"  b{i}: {{params: {{n: int}}, steps: [{{use: b{i + 1}, n: '{grow}'}}]}}\n"
        for i in range(50)
    )
    last = "{params: {n: int}, steps: [{op: conv, filters: '${n % 50 + 1}', kernel_size: 1}]}"
    return f"{HEAD}blocks:\n{blocks}  b50: {last}\nbody: [{{use: b0, n: 3}}]\n"


@bomb("channels that get longer expressions in each step", "")
def _() -> str:
    grow = (
        "{op: conv, kernel_size: 1, filters: '${(in_channels * in_channels + in_channels) % "
        "97 + 1}'}"
    )
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
