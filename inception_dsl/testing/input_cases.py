"""Networks of several inputs: the fork that they begin with, and the inputs, in YAML flow style."""

_MAP = "{channels: 4, height: 9, width: 6}"
_CONV = "{op: conv, filters: 4, kernel_size: 3}"
INPUTS = [
    (
        "add",
        f"{{branches: {{rgb: [{_CONV}], flow: [{_CONV}]}}, merge: add}}",
        "{rgb: {channels: 3, height: 9, width: 6}, flow: {channels: 2, height: 9, width: 6}}",
    ),
    # not in the order of the inputs, and of other sizes
    (
        "concat",
        f"{{branches: {{small: [{_CONV}, {{op: activation, function: relu}}], "
        "large: [{op: conv_bn, filters: $in_channels, kernel_size: 3, stride: 2}]}, merge: concat}",
        "{large: {channels: 3, height: 17, width: 12}, small: {channels: 2, height: 9, width: 6}}",
    ),
    (
        "empty",
        "{branches: {one: [], other: []}, merge: multiply}",
        f"{{one: {_MAP}, other: {_MAP}}}",
    ),
    (
        "gate",
        "{branches: {image: [], table: [{op: dense, units: 4, activation: sigmoid}]}, "
        "merge: multiply}",
        f"{{image: {_MAP}, table: {{channels: 3}}}}",
    ),
    (
        "add-vector",
        "{branches: {bias: [], image: []}, merge: add}",
        f"{{image: {_MAP}, bias: {{channels: 4}}}}",
    ),
    (
        "pooled",
        f"{{branches: {{image: [{_CONV}, {{op: global_avg_pool}}], table: []}}, merge: concat}}",
        f"{{image: {_MAP}, table: {{channels: 3}}}}",
    ),
    (
        "flatten",
        "{branches: {a: [{op: flatten}], b: [{op: flatten}]}, merge: concat}, "
        "{op: dense, units: 3}",
        "{a: {channels: 2, height: 3, width: 2}, b: {channels: 3, height: 2, width: 4}}",
    ),
    (
        "vectors",
        "{branches: {list: [{op: dense, units: 3}], b: [{op: batch_norm}]}, merge: add}",
        "{list: {channels: 4}, b: {channels: 3}}",
    ),
    # names that mean something in generated code, and that are reused later
    (
        "names",
        "{branches: {x: [], inputs: [{op: scale, value: 2}], self: [{op: conv, filters: 4, "
        "kernel_size: 1}]}, merge: add}, {branches: {x: [], size: [{op: conv, filters: 4, "
        "kernel_size: 1}]}, merge: add}",
        "{self: {channels: 2, length: 7}, x: {channels: 4, length: 7}, "
        "inputs: {channels: 4, length: 7}}",
    ),
    (
        "repeat",
        "{branches: {a: [{branches: {b: [{op: conv, filters: $in_channels, kernel_size: 1}], "
        "c: []}, merge: concat, repeat: 2}], d: []}, merge: concat}",
        f"{{a: {_MAP}, d: {_MAP}}}",
    ),
    (
        "three-axes",
        f"{{branches: {{a: [{_CONV}], b: [{_CONV}]}}, merge: add}}",
        "{a: {channels: 3, depth: 4, height: 3, width: 5}, "
        "b: {channels: 1, depth: 4, height: 3, width: 5}}",
    ),
]
