"""Forks that divide the channels of their input, in YAML flow style, for an input of 4 channels."""

DEPTHWISE = "{op: depthwise_conv, kernel_size: 3}"
CONV = "{op: conv, filters: 3, kernel_size: 3}"
SPLITS = [
    ("equal", f"{{branches: {{a: [], b: [{CONV}]}}, split: equal, merge: concat}}"),
    ("rest-first", f"{{branches: {{a: [{CONV}], b: []}}, split: [rest, 1], merge: concat}}"),
    (
        "rest-inside",
        f"{{branches: {{a: [{CONV}], b: [], c: [{DEPTHWISE}]}}, split: [1, rest, 1], "
        "merge: concat}",
    ),
    ("numbers", f"{{branches: {{a: [{CONV}], b: [{DEPTHWISE}]}}, split: [3, 1], merge: concat}}"),
    ("add", f"{{branches: {{a: [], b: [{DEPTHWISE}]}}, split: equal, merge: add}}"),
    (
        "multiply",
        "{branches: {a: [], b: [{op: activation, function: sigmoid}]}, split: equal, "
        "merge: multiply}",
    ),
    # an activation in place would change a part of the input, which PyTorch forbids
    (
        "activation",
        "{op: conv, filters: 4, kernel_size: 1}, {branches: "
        "{a: [{op: activation, function: relu}], b: [{op: identity}]}, split: [1, 3], "
        "merge: concat}, {op: activation, function: relu}",
    ),
    (
        "vector",
        "{op: global_avg_pool}, {branches: {a: [], b: [{op: dense, units: 2}]}, "
        "split: [1, rest], merge: concat}",
    ),
    (
        "flatten",
        "{op: flatten}, {branches: {a: [{op: dense, units: 2}], "
        "b: [{op: scale, value: 0.5, learned: true}]}, split: [5, rest], merge: concat}",
    ),
    (
        "nested",
        "{branches: {a: [], b: [{branches: {a: [{op: conv, filters: 2, kernel_size: 1}], "
        f"b: [{DEPTHWISE}]}}, split: [rest, 2], merge: concat}}]}}, split: [1, 3], merge: concat}}",
    ),
    ("one", f"{{branches: {{a: [{CONV}]}}, split: [rest], merge: concat}}"),
    (
        "repeat",
        f"{{branches: {{a: [], b: [{DEPTHWISE}]}}, split: [3, rest], merge: concat, repeat: 2}}",
    ),
    (
        "names",
        "{name: torch, branches: {x: [], ops: [{op: scale, value: 2}], self: "
        f"[{DEPTHWISE}]}}, split: [1, rest, 1], merge: concat}}",
    ),
    (
        "long-names",
        "{branches: {"
        + ", ".join(f"a_branch_with_a_long_name_{i}: [{DEPTHWISE}]" for i in range(4))
        + "}, split: equal, merge: concat}",
    ),
]
