"""Forks in YAML flow style, for an input of 4 channels."""

FORKS = [
    (
        "concat",
        "{branches: {a: [{op: conv, filters: 2, kernel_size: 1}], b: [], "
        "c: [{op: max_pool, kernel_size: 3}]}, merge: concat}",
    ),
    (
        "residual",
        "{branches: {short: [], long: [{op: conv, filters: 4, kernel_size: 3}, "
        "{op: scale, value: 0.3}]}, merge: add}, {op: activation, function: relu}",
    ),
    (
        "excite",
        "{branches: {x: [], gate: [{op: global_avg_pool}, "
        "{op: dense, units: 4, activation: sigmoid}]}, merge: multiply}",
    ),
    (
        "excite-1x1",
        "{branches: {x: [], gate: [{op: global_avg_pool, keepdims: true}, "
        "{op: conv, filters: 4, kernel_size: 1}]}, merge: multiply}",
    ),
    ("add-vector", "{branches: {x: [], bias: [{op: global_max_pool}]}, merge: add}"),
    (
        "nested",
        "{branches: {a: [{branches: {b: [{op: conv, filters: 2, kernel_size: 1}], c: []}, "
        "merge: concat}, {op: conv, filters: 3, kernel_size: 1}], "
        "d: [{op: activation, function: relu}]}, merge: concat}",
    ),
    (
        "repeat-op",
        "{op: conv, filters: 4, kernel_size: 3, repeat: 3}, {op: activation, function: relu}",
    ),
    (
        "repeat-growing",
        "{op: zero_pad, padding: 1, repeat: 2}, "
        "{op: conv, filters: 6, kernel_size: 2, stride: 2, repeat: 2}",
    ),
    (
        "repeat-fork",
        "{branches: {a: [{op: conv, filters: 2, kernel_size: 1}], b: []}, "
        "merge: concat, repeat: 3}",
    ),
    (
        "repeat-none",
        "{op: conv, filters: 6, kernel_size: 3, repeat: 0}, "
        "{op: conv, filters: 4, kernel_size: 1}, {repeat: 0, merge: concat, "
        "branches: {a: [{op: conv, filters: 2, kernel_size: 1}], b: []}}, "
        "{branches: {c: [{op: batch_norm, repeat: 0}], d: [{op: conv, filters: 4, kernel_size: 1}, "
        "{op: activation, function: relu, repeat: 0}]}, merge: add}, {op: flatten, repeat: 0}",
    ),
    (
        "each",
        "{op: conv, kernel_size: 3, each: {filters: [3, 5, 4]}}, "
        "{op: conv_bn, name: tail, filters: 4, each: {kernel_size: [1, 3]}}",
    ),
    (
        "repeat-branch",
        "{branches: {a: [{op: conv, filters: 4, kernel_size: 3, repeat: 2}], b: []}, merge: add}",
    ),
    (
        "flatten-dense",
        "{op: conv, filters: 3, kernel_size: 3}, {op: flatten}, "
        "{op: dense, units: 4}, {op: batch_norm}",
    ),
    (
        "same-names",
        "{branches: {a: [{op: conv, filters: 2, kernel_size: 1}], b: []}, "
        "merge: concat, name: one}, "
        "{branches: {a: [{op: conv, filters: 2, kernel_size: 1}], b: []}, "
        "merge: concat, name: two}",
    ),
    (
        "odd-names",
        "{op: conv, name: half, filters: 2, kernel_size: 1}, "
        "{op: conv, name: x, filters: 2, kernel_size: 1}, "
        "{op: conv, name: conv, filters: 2, kernel_size: 1}",
    ),
    (
        "one-channel",
        "{op: conv, filters: 1, kernel_size: 3}, {op: conv_bn, filters: 1, kernel_size: 1}",
    ),
]
