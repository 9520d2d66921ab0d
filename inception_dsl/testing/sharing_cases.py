"""Steps that share weights in YAML flow style, for an input of 4 channels and two axes."""

_CONV = "op: conv, filters: 4, kernel_size: 3, activation: relu"
_TANH = "{op: activation, function: tanh}"

SHARED = [
    ("chain", f"{{{_CONV}, name: a}}, {{{_CONV}, weights: a}}"),
    ("repeat", f"{{{_CONV}, name: a}}, {{{_CONV}, weights: a, repeat: 3}}"),
    (
        "branches",
        f"{{branches: {{a: [{{{_CONV}}}], b: [{_TANH}, {{{_CONV}, weights: a}}]}}, merge: add}}",
    ),
    (
        "branch-and-chain",
        f"{{branches: {{a: [], b: [{{{_CONV}}}]}}, merge: add, name: one}}, "
        f"{{{_CONV}, weights: one/b, name: two}}, {{{_CONV}, weights: two}}",
    ),
    (
        "norms",
        "{op: batch_norm, name: n, decay: 0.5}, {op: conv, filters: 4, kernel_size: 1}, "
        "{op: batch_norm, weights: n, decay: 0.5, repeat: 2}",
    ),
    (
        "sizes",
        "{branches: {a: [{op: conv_bn, filters: 3, kernel_size: 3, stride: 2, name: c}], "
        "b: [{op: zero_pad, padding: 1}, {op: max_pool, kernel_size: 3, padding: valid}, "
        "{op: conv_bn, filters: 3, kernel_size: 3, stride: 2, weights: a/c}]}, merge: concat}",
    ),
    (
        "vectors",
        "{op: global_avg_pool}, {branches: {a: [{op: dense, units: 4, name: d}, {op: dropout, "
        f"rate: 0.5}}], b: [{_TANH}, {{op: dense, units: 4, weights: a/d}}]}}, merge: multiply}}",
    ),
]
