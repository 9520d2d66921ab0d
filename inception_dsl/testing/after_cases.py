"""Forks of which a branch begins after an earlier step, in YAML flow style, for 4 channels."""

CONV = "{op: conv, filters: 4, kernel_size: 3}"
AFTER = [
    (
        "add",
        f"{{op: conv, name: early, filters: 4, kernel_size: 3}}, {CONV}, "
        "{branches: {a: [], b: []}, after: {b: early}, merge: add}",
    ),
    (
        "concat",
        f"{{op: conv_bn, name: early, filters: 3, kernel_size: 3}}, {CONV}, "
        f"{{branches: {{a: [{CONV}], b: [{{op: max_pool, kernel_size: 3}}]}}, after: {{b: early}}, "
        "merge: concat}",
    ),
    (
        "gate",  # x + x * y
        f"{{op: conv, name: x, filters: 4, kernel_size: 1}}, {CONV}, "
        "{branches: {y: [], same: []}, after: {same: x}, merge: multiply}, "
        "{branches: {product: [], shortcut: []}, after: {shortcut: x}, merge: add}",
    ),
    # an activation in place would change what the branch reads
    (
        "activation",
        "{op: conv, name: early, filters: 4, kernel_size: 1}, "
        "{op: activation, function: relu}, "
        "{branches: {a: [{op: activation, function: relu}], b: [{op: activation, function: relu}]},"
        " after: {b: early}, merge: concat}",
    ),
    (
        "identity",
        f"{{op: identity, name: early}}, {CONV}, {{op: identity, name: late}}, {CONV}, "
        "{branches: {a: [], b: [], c: []}, after: {a: late, c: early}, merge: add}",
    ),
    (
        "repeated-step",
        f"{{op: conv, name: early, filters: 4, kernel_size: 3, repeat: 2}}, {CONV}, "
        "{branches: {a: [], b: []}, after: {b: early}, merge: concat}",
    ),
    (
        "pyramid",
        "{op: conv, name: c2, filters: 3, kernel_size: 3}, "
        "{op: max_pool, name: c3, kernel_size: 2, stride: 2}, "
        "{op: conv, filters: 3, kernel_size: 1, stride: 2}, {op: upsample, size: [3, 3]}, "
        "{name: p3, branches: {up: [], lateral: [{op: adaptive_avg_pool, output_size: 3}]}, "
        "after: {lateral: c3}, merge: add}, {op: upsample, size: 5}, "
        "{name: p2, branches: {up: [], lateral: [{op: conv, filters: 3, kernel_size: 1}, "
        "{op: adaptive_avg_pool, output_size: 5}]}, after: {lateral: c2}, merge: add}",
    ),
    (
        "fork-of-forks",
        "{name: one, branches: {a: [], b: [{op: conv, filters: 2, kernel_size: 1}]}, "
        f"merge: concat}}, {CONV}, "
        "{name: two, branches: {a: [], b: [{op: dense, units: 4}]}, after: {b: one}, merge: add}, "
        "{branches: {a: [], b: [], c: []}, after: {a: one, b: two}, merge: concat}",
    ),
    (
        "inside-a-branch",
        f"{{branches: {{x: [], r: [{{op: conv, name: early, filters: 4, kernel_size: 1}}, {CONV}, "
        "{branches: {a: [{op: scale, value: 0.5}], b: []}, after: {b: early}, merge: add}]}, "
        "merge: concat}",
    ),
    (
        "inside-a-repeated-fork",
        f"{{branches: {{x: [], r: [{{op: conv, name: early, filters: 4, kernel_size: 1}}, {CONV}, "
        "{branches: {a: [], b: []}, after: {b: early}, merge: add}]}, merge: add, repeat: 2}",
    ),
    (
        "split-of-a-branch",
        f"{{op: conv, name: early, filters: 4, kernel_size: 1}}, {CONV}, "
        "{branches: {a: [], b: [{branches: {c: [], d: [{op: conv, filters: 3, kernel_size: 1}]}, "
        "split: [1, rest], merge: concat}]}, after: {b: early}, merge: add}",
    ),
    (
        "vector",
        "{op: global_avg_pool, name: early}, {op: dense, units: 4, activation: sigmoid}, "
        "{branches: {a: [], b: []}, after: {b: early}, merge: multiply}",
    ),
    (
        "gate-of-a-map",
        "{op: conv, name: x, filters: 4, kernel_size: 1}, {op: global_avg_pool}, "
        "{op: dense, units: 4, activation: sigmoid}, "
        "{branches: {gate: [], map: []}, after: {map: x}, merge: multiply}",
    ),
    (
        "flatten",
        "{op: flatten, name: early}, {op: dense, units: 5}, "
        "{branches: {a: [], b: [{op: dense, units: 2}]}, after: {b: early}, merge: concat}",
    ),
    (
        "only-branch",
        "{op: conv, name: early, filters: 3, kernel_size: 1}, "
        "{op: conv, name: late, filters: 4, kernel_size: 3}, "
        "{name: one, branches: {b: [{op: conv, filters: 2, kernel_size: 1}]}, "
        "after: {b: early}, merge: concat}, "
        "{branches: {a: [], b: [], c: []}, after: {a: late, b: early}, merge: concat}",
    ),
    (
        "names",
        f"{{op: identity, name: torch}}, {CONV}, {{op: identity, name: x}}, {CONV}, "
        "{op: identity, name: self}, "
        f"{CONV}, {{name: ops, branches: {{torch: [], x: [], self: [], layers: [{CONV}]}}, "
        "after: {torch: x, x: torch, layers: self}, merge: concat}",
    ),
    # the variable of a fork with one branch is not free for branches of the same name
    (
        "name-of-a-branch",
        f"{{op: conv, name: early, filters: 4, kernel_size: 3}}, {CONV}, "
        f"{{name: one, branches: {{p: [{CONV}]}}, merge: concat}}, "
        f"{{name: two, branches: {{one: [{CONV}], p: [{CONV}]}}, merge: add}}, "
        "{branches: {a: [], b: [], c: []}, after: {b: one, c: early}, merge: concat}",
    ),
]
