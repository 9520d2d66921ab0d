"""Branches that do not fit together: which is to blame, where its size is decided, what is said and written."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from inception_dsl.diagnostics.report import Diagnostic, Report

Mistakes = Callable[..., Report]

HEAD = """\
network: n
input: {channels: 3, height: 8, width: 8}
blocks:
  tower: {params: {n: int}, steps: [{op: conv, filters: $n, kernel_size: 1}]}
  two: {params: {n: int}, steps: [{use: tower, n: '${n * 2}'}]}
  fixed: {steps: [{op: conv, filters: 4, kernel_size: 1}]}
  defaulted: {params: {n: {type: int, default: 7}}, steps: [{op: conv, filters: $n, kernel_size: 1}]}
  wide: {params: {n: int}, steps: [{op: depthwise_conv, kernel_size: 1, depth_multiplier: $n}]}
  double: {steps: [{op: conv, filters: '${in_channels * 2}', kernel_size: 1}]}
  same: {params: {n: int}, steps: [{op: conv, filters: 5, kernel_size: 1}, {op: identity}]}
  strided: {params: {s: int}, steps: [{op: max_pool, kernel_size: 3, stride: $s}]}
  pads: {params: {p: str}, steps: [{op: max_pool, kernel_size: 3, padding: valid}]}
  forked: {steps: [{merge: concat, branches: {x: [], y: []}}]}
body:
- """


def clash(mistakes: Mistakes, fork: str) -> Diagnostic:
    (found,) = mistakes(f"{HEAD}{fork}\n")
    assert found.code == "E402"
    return found


@pytest.mark.parametrize(
    ("fork", "place", "other", "help", "edit"),
    [
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 3}]}}", "15:58", "15:27", "write `filters: $in_channels`", "15:58-59 $in_channels"),
        ("{merge: add, branches: {b: [{op: conv, filters: 5, kernel_size: 3}], a: []}}", "15:51", "15:72", "write `filters: $in_channels`", "15:51-52 $in_channels"),
        ("{merge: add, branches: {a: [{op: conv, filters: 3, kernel_size: 3}], b: [{op: conv, filters: 5, kernel_size: 3}], c: [{op: conv, filters: 5, kernel_size: 3}]}}", "15:51", "15:96", "write `filters: 5`", "15:51-52 5"),
        ("{merge: add, branches: {a: [{op: conv, filters: 3, kernel_size: 3}], b: [{op: conv, filters: 5, kernel_size: 3}]}}", "15:96", "15:51", "write `filters: $in_channels`", "15:96-97 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 3}, {op: identity}]}}", "15:58", "15:27", "write `filters: $in_channels`", "15:58-59 $in_channels"),
        ("{merge: add, branches: {a: [{op: conv, filters: 5, kernel_size: 3}], b: [{op: identity}]}}", "15:72", "15:51", "end it with a `conv` of `filters: 5`", ""),
        ("{merge: add, branches: {a: [{op: conv, filters: 5, kernel_size: 3}], b: [{op: conv, filters: 3, kernel_size: 3}, {op: max_pool, kernel_size: 3, stride: 1}]}}", "15:96", "15:51", "write `filters: 5`", "15:96-97 5"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3, stride: 2}]}}", "15:85", "15:27", "write `stride: 1`", "15:85-86 1"),
        ("{merge: add, branches: {a: [], b: [{op: dense, units: 4}]}}", "15:57", "15:27", "write `units: $in_channels`", "15:57-58 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{op: depthwise_conv, kernel_size: 3, depth_multiplier: 2}]}}", "15:93", "15:27", "end it with a `conv` of `filters: 3`", ""),
        ("{merge: add, branches: {a: [], b: [{merge: concat, branches: {x: [{op: conv, filters: 3, kernel_size: 3}], y: [{op: conv, filters: 3, kernel_size: 3}]}}]}}", "15:46", "15:27", "end it with a `conv` of `filters: 3`", ""),
        ("{merge: add, branches: {a: [], b: [{merge: add, branches: {x: [{op: conv, filters: 5, kernel_size: 3}], y: [{op: conv, filters: 5, kernel_size: 3}]}}]}}", "15:86", "15:27", "write `filters: $in_channels`", "15:86-87 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{merge: add, branches: {x: [], y: []}}, {op: conv, filters: 5, kernel_size: 3}]}}", "15:98", "15:27", "write `filters: $in_channels`", "15:98-99 $in_channels"),
        ("{merge: concat, branches: {a: [], b: [], c: [], d: [], e: [], f: [], g: [], h: [{op: max_pool, kernel_size: 3, stride: 2}]}}", "15:122", "15:30", "write `stride: 1`", "15:122-123 1"),
        ("{merge: concat, branches: {a: [], b: [{op: max_pool, kernel_size: 3, stride: 2}], c: [{op: max_pool, kernel_size: 3, stride: 4}], d: [{op: max_pool, kernel_size: 3, stride: 8}], e: [{op: max_pool, kernel_size: 3, stride: 16}]}}", "15:80", "15:30", "write `stride: 1`", "15:80-81 1"),
        ("{merge: concat, branches: {b1: [{op: conv, filters: 5, kernel_size: 1, stride: 1}], b2: [{op: conv, filters: 5, kernel_size: 1, stride: 2}], b3: [{op: conv, filters: 5, kernel_size: 1, stride: 3}], b4: [{op: conv, filters: 5, kernel_size: 1, stride: 4}], b5: [{op: conv, filters: 5, kernel_size: 1, stride: 5}], b6: [{op: conv, filters: 5, kernel_size: 1, stride: 6}], b7: [{op: conv, filters: 5, kernel_size: 1, stride: 7}], b8: [{op: conv, filters: 5, kernel_size: 1, stride: 8}]}}", "15:82", "15:253", "write `stride: 4`", "15:82-83 4"),
        ("{merge: add, branches: {b2: [{op: conv, filters: 2, kernel_size: 1}], b3: [{op: conv, filters: 3, kernel_size: 1}], b4: [{op: conv, filters: 4, kernel_size: 1}], b5: [{op: conv, filters: 5, kernel_size: 1}], b6: [{op: conv, filters: 6, kernel_size: 1}], b7: [{op: conv, filters: 7, kernel_size: 1}], b8: [{op: conv, filters: 8, kernel_size: 1}], b9: [{op: conv, filters: 9, kernel_size: 1}]}}", "15:98", "15:52", "write `filters: 2`", "15:98-99 2"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2}], b: [{op: conv, filters: 3, kernel_size: 3}]}}", "15:118", "15:73", "write `stride: 2`", "15:91-91 , stride: 2"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2}], b: [{op: identity}]}}", "15:78", "15:73", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2}], b: [{op: conv, filters: 3, kernel_size: 3}, {op: identity}]}}", "15:118", "15:73", "write `stride: 2`", "15:91-91 , stride: 2"),
        ("{merge: concat, branches: {a: [], b: [{op: max_pool, kernel_size: 3, padding: valid}]}}", "15:81", "15:30", "write `padding: same`", "15:81-86 same"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, padding: valid}], b: [{op: max_pool, kernel_size: 3, padding: valid}], c: [{op: conv, filters: 2, kernel_size: 3}]}}", "15:176", "15:74", "write `padding: valid`", "15:149-149 , padding: valid"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 3}], b: [{op: max_pool, kernel_size: 3, stride: 3}], c: [{op: conv, filters: 2, kernel_size: 3}]}}", "15:166", "15:73", "write `stride: 3`", "15:139-139 , stride: 3"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 1, stride: 8, padding: valid}], b: [{op: max_pool, kernel_size: 1, stride: 8, padding: valid}], c: [{op: conv, filters: 2, kernel_size: 1}]}}", "15:198", "15:73", "write `stride: 8`", "15:171-171 , stride: 8"),
        ("{merge: concat, branches: {a: [], b: [{op: flatten}]}}", "15:46", "15:30", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [], b: [{op: global_avg_pool}]}}", "15:46", "15:30", "`keepdims: true` keeps it a map", "15:61-61 , keepdims: true"),
        ("{merge: concat, branches: {a: [{op: flatten}], b: [{op: flatten}], c: [{op: conv, filters: 3, kernel_size: 3}]}}", "15:70", "15:39", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [{op: flatten}], b: [{op: identity}]}}", "15:50", "15:39", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [{op: flatten}, {op: dense, units: 4}], b: [{op: identity}], c: []}}", "15:39", "15:73", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [], b: [{op: adaptive_avg_pool, output_size: 3}]}}", "15:78", "15:30", "let it end with 8x8", ""),
        ("{merge: concat, branches: {a: [], b: [{op: zero_pad, padding: 1}]}}", "15:65", "15:30", "let it end with 8x8", ""),
        ("{merge: concat, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3}, {op: conv, filters: 5, kernel_size: 3}, {op: max_pool, kernel_size: 3, stride: 2}, {op: max_pool, kernel_size: 3, stride: 2}, {op: max_pool, kernel_size: 3, stride: 2}]}}", "15:246", "15:30", "let it end with 8x8", ""),
        ("{merge: concat, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3}, {op: conv, filters: 5, kernel_size: 3}, {op: max_pool, kernel_size: 3, stride: 2}]}}", "15:160", "15:30", "write `stride: 1`", "15:160-161 1"),
        ("{merge: concat, branches: {a: [], b: [{op: max_pool, kernel_size: 3, stride: 2, repeat: 2}]}}", "15:80", "15:30", "let it end with 8x8", ""),
        ("{merge: add, branches: {a: [], b: [{use: tower, n: 4}]}}", "15:54", "15:27", "write `n: 3`", "15:54-55 3"),
        ("{merge: add, branches: {a: [], b: [{use: tower, n: 4}, {op: identity}]}}", "15:54", "15:27", "write `n: 3`", "15:54-55 3"),
        ("{merge: add, branches: {a: [], b: [{use: two, n: 4}]}}", "5:51", "15:27", "write `n: 3`", "5:51-61 3"),
        ("{merge: add, branches: {a: [], b: [{use: fixed}]}}", "6:39", "15:27", "write `filters: $in_channels`", "6:39-40 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{use: defaulted}]}}", "7:81", "15:27", "write `filters: $in_channels`", "7:81-83 $in_channels"),
        ("{merge: concat, branches: {a: [], b: [{use: strided, s: 2}]}}", "15:59", "15:30", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [], b: [{use: pads, p: valid}]}}", "12:76", "15:30", "write `padding: same`", "12:76-81 same"),
        ("{merge: add, branches: {a: [], b: [{use: forked}]}}", "13:28", "15:27", "end it with a `conv` of `filters: 3`", ""),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: '${in_channels + 1}', kernel_size: 1}]}}", "15:58", "15:27", "write `filters: $in_channels`", "15:58-78 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 1}, {op: conv, filters: 6, kernel_size: 1}, {op: conv, filters: 7, kernel_size: 1}]}}", "15:138", "15:27", "write `filters: $in_channels`", "15:138-139 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 1}, {op: conv, filters: 6, kernel_size: 1}, {op: conv, filters: 7, kernel_size: 1}, {op: conv, filters: 8, kernel_size: 1}]}}", "15:178", "15:27", "write `filters: $in_channels`", "15:178-179 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 1}, {op: conv, filters: 6, kernel_size: 1}, {op: conv, filters: 7, kernel_size: 1}, {op: conv, filters: 8, kernel_size: 1}, {op: conv, filters: 9, kernel_size: 1}]}}", "15:218", "15:27", "write `filters: $in_channels`", "15:218-219 $in_channels"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 8}], b: [{op: max_pool, kernel_size: 3, stride: 8}], c: [{op: zero_pad, padding: [[0, 1], [0, 1]]}, {op: conv, filters: 3, kernel_size: 3, stride: 3}]}}", "15:220", "15:73", "let it end with 1x1", ""),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2}], b: [{op: max_pool, kernel_size: 3, stride: 2}], c: [{op: conv, filters: 3, kernel_size: 9}]}}", "15:166", "15:73", "write `stride: 2`", "15:139-139 , stride: 2"),
        ("{merge: add, branches: {a: [{op: conv, filters: 5, kernel_size: 3}], b: [{op: dense, units: 3}, {op: identity}]}}", "15:95", "15:51", "write `units: 5`", "15:95-96 5"),
        ("{merge: multiply, branches: {a: [], b: [{op: flatten}]}}", "15:48", "15:32", "end it with a `dense` of `units: 3`", ""),
        ("{merge: add, branches: {a: [{use: double}], b: [{op: conv, filters: 4, kernel_size: 1}, {use: double}]}}", "9:40", "", "write `filters: 6`", "9:40-60 6"),
        ("{merge: add, branches: {a: [], b: [{op: identity}], c: [{op: depthwise_conv, kernel_size: 1, depth_multiplier: 2}, {use: fixed}, {op: dense, units: 1, repeat: 2}, {op: dense, units: 6}]}}", "15:185", "15:27", "write `units: $in_channels`", "15:185-186 $in_channels"),
        ("{merge: add, branches: {b2: [{op: dense, units: 2}], b3: [{op: dense, units: 3}], b4: [{op: dense, units: 4}], b5: [{op: dense, units: 5}], b6: [{op: dense, units: 6}], b7: [{op: dense, units: 7}], b8: [{op: dense, units: 8}], b9: [{op: dense, units: 9}]}}", "15:80", "15:51", "write `units: 2`", "15:80-81 2"),
        ("{merge: add, branches: {a: [], b: [{merge: add, branches: {x: [], y: [{op: conv, filters: 1, kernel_size: 1, stride: 2}]}}]}}", "15:120", "15:62", "write `stride: 1`", "15:120-121 1"),
        ("{merge: concat, branches: {a: [], b: [{merge: add, branches: {x: [{op: max_pool, kernel_size: 3, stride: 2}], y: [{op: max_pool, kernel_size: 3, stride: 2}]}}]}}", "15:108", "15:30", "write `stride: 1`", "15:108-109 1"),
        ("{merge: concat, branches: {a: [], b: [{op: max_pool, kernel_size: 3, padding: 1, stride: 2}]}}", "15:92", "15:30", "write `stride: 1`", "15:92-93 1"),
        ("{merge: concat, branches: {a: [], b: [{op: conv, filters: 1, kernel_size: 3, padding: 0}]}}", "15:89", "15:30", "write `padding: same`", "15:89-90 same"),
        ("{merge: concat, branches: {a: [{op: conv, filters: 1, kernel_size: 2, padding: valid}], b: [{op: conv, filters: 1, kernel_size: 2, padding: 1}], c: [{op: conv, filters: 1, kernel_size: 2, padding: valid}]}}", "15:143", "15:82", "write `padding: valid`", "15:143-144 valid"),
        ("{merge: concat, branches: {a: [{op: global_avg_pool, keepdims: true}], b: [{op: global_avg_pool, keepdims: true}], c: [{op: conv, filters: 3, kernel_size: [3, 1], stride: 2}]}}", "15:174", "15:39", "write `stride: 8`", "15:174-175 8"),
        ("{merge: concat, branches: {a: [{op: conv, filters: 3, kernel_size: 3}], b: [{op: identity, repeat: 3}, {op: flatten}, {op: dense, units: 4}, {op: identity}], c: [{op: dense, units: 5, repeat: 2}]}}", "15:111", "15:30", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 9}], b: [{op: max_pool, kernel_size: 3, stride: 9}], c: [{op: conv, filters: 2, kernel_size: 3, stride: 2}]}}", "15:177", "15:73", "write `stride: 8`", "15:177-178 8"),
        ("{merge: add, branches: {a: [], b: [{op: separable_conv, filters: 3, kernel_size: 3}, {op: separable_conv, filters: 4, kernel_size: 3}]}}", "15:118", "15:27", "write `filters: $in_channels`", "15:118-119 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{use: wide, n: 4}]}}", "8:91", "15:27", "end it with a `conv` of `filters: 3`", ""),
        ("{merge: concat, branches: {a: [{op: flatten}, {op: dense, units: 4}], b: [{op: flatten}, {op: dense, units: 5}], c: [{op: identity}]}}", "15:116", "15:39", "let all branches end alike", ""),
        ("{merge: concat, branches: {a: [{op: flatten}, {op: dense, units: 4}], b: [], c: [{op: flatten}]}}", "15:39", "15:73", "let all branches end alike", ""),
        ("{merge: multiply, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 1}, {op: global_avg_pool}, {op: dense, units: 4}]}}", "15:125", "15:32", "write `units: $in_channels`", "15:125-126 $in_channels"),
        ("{merge: add, branches: {a: [], b: [{use: tower, n: '${in_channels + 1}'}]}}", "15:54", "15:27", "write `n: 3`", "15:54-74 3"),
        ("{merge: add, branches: {a: [{use: tower, n: 4}], b: [{use: tower, n: 5}]}}", "15:72", "15:47", "write `n: 4`", "15:72-73 4"),
        ("{merge: multiply, branches: {a: [{op: conv, filters: 1, kernel_size: 1}], b: [{op: conv, filters: 4, kernel_size: 1}], c: [{op: conv, filters: 5, kernel_size: 1}]}}", "15:146", "15:101", "write `filters: 4`", "15:146-147 4"),
        ("{merge: add, branches: {a: [{op: conv, filters: 1, kernel_size: 1}], b: [{op: conv, filters: 1, kernel_size: 1}], c: [{op: conv, filters: 5, kernel_size: 1}], d: []}}", "15:141", "15:162", "write `filters: $in_channels`", "15:141-142 $in_channels"),
        ("{merge: add, branches: {a: [{op: global_avg_pool, keepdims: true}], b: [{op: global_avg_pool}], c: [{op: conv, filters: 3, kernel_size: 3}], d: [{op: conv, filters: 3, kernel_size: 3, padding: valid}]}}", "15:196", "15:139", "write `padding: same`", "15:196-201 same"),
        ("{merge: add, branches: {a: [{op: max_pool, kernel_size: [8, 1], padding: valid, stride: [8, 1]}], b: [{op: max_pool, kernel_size: [1, 8], padding: valid, stride: [1, 8]}], c: [{op: conv, filters: 3, kernel_size: [1, 3], padding: valid}]}}", "15:232", "15:91", "let it end with 1x8", ""),
        ("{merge: concat, branches: {a: [{op: global_avg_pool, keepdims: true}], b: []}}", "15:39", "15:74", "let it end with 8x8", ""),
        ("{merge: multiply, branches: {a: [], b: [{use: same, n: 5}]}}", "10:56", "15:32", "write `filters: $in_channels`", "10:56-57 $in_channels"),
    ],
)  # fmt: skip
def test_the_places_and_the_help(
    mistakes: Mistakes, fork: str, place: str, other: str, help: str, edit: str
) -> None:
    """Where the size of the wrong branch is decided, where that of the right one is, and what to write."""
    found = clash(mistakes, fork)
    assert (f"{found.span.line}:{found.span.column}", found.help) == (place, help)
    assert "".join(f"{s.line}:{s.column}" for s, _ in found.related) == other
    assert "".join(f"{s.line}:{s.column}-{s.end_column} {text}" for s, text in found.fix) == edit


@pytest.mark.parametrize(
    ("fork", "message", "label", "shapes"),
    [
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 3}]}}", "`add` joins 3 and 5 channels", "`b` ends with 5 channels; `a` with 3", "`a` 8x8x3; `b` 8x8x3 -> 8x8x5"),
        ("{merge: add, branches: {a: [{op: conv, filters: 3, kernel_size: 3}], b: [{op: conv, filters: 5, kernel_size: 3}], c: [{op: conv, filters: 5, kernel_size: 3}]}}", "`add` joins 3 and 5 channels", "`a` ends with 3 channels; `b` with 5", "`a` 8x8x3; `b` 8x8x3 -> 8x8x5; `c` 8x8x3 -> 8x8x5"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3, stride: 2}]}}", "`add` joins spatial sizes that differ: 8x8 and 4x4", "`b` ends with 4x4; `a` with 8x8", "`a` 8x8x3; `b` 8x8x3 -> 4x4x3"),
        ("{merge: concat, branches: {a: [], b: [], c: [], d: [], e: [], f: [], g: [], h: [{op: max_pool, kernel_size: 3, stride: 2}]}}", "`concat` joins spatial sizes that differ: 8x8 and 4x4", "`h` ends with 4x4; `a` with 8x8", "`a` 8x8x3; `b` 8x8x3; `c` 8x8x3; `d` 8x8x3; `e` 8x8x3; `f` 8x8x3; and 2 more"),
        ("{merge: concat, branches: {a: [], b: [{op: max_pool, kernel_size: 3, stride: 2}], c: [{op: max_pool, kernel_size: 3, stride: 4}], d: [{op: max_pool, kernel_size: 3, stride: 8}], e: [{op: max_pool, kernel_size: 3, stride: 16}]}}", "`concat` joins spatial sizes that differ: 8x8, 4x4, 2x2 and 1x1", "`b` ends with 4x4; `a` with 8x8", "`a` 8x8x3; `b` 8x8x3 -> 4x4x3; `c` 8x8x3 -> 2x2x3; `d` 8x8x3 -> 1x1x3; `e` 8x8x3 -> 1x1x3"),
        ("{merge: concat, branches: {b1: [{op: conv, filters: 5, kernel_size: 1, stride: 1}], b2: [{op: conv, filters: 5, kernel_size: 1, stride: 2}], b3: [{op: conv, filters: 5, kernel_size: 1, stride: 3}], b4: [{op: conv, filters: 5, kernel_size: 1, stride: 4}], b5: [{op: conv, filters: 5, kernel_size: 1, stride: 5}], b6: [{op: conv, filters: 5, kernel_size: 1, stride: 6}], b7: [{op: conv, filters: 5, kernel_size: 1, stride: 7}], b8: [{op: conv, filters: 5, kernel_size: 1, stride: 8}]}}", "`concat` joins spatial sizes that differ: 8x8, 4x4, 3x3, 2x2 and 1x1", "`b1` ends with 8x8; `b4` with 2x2", "`b1` 8x8x3 -> 8x8x5; `b2` 8x8x3 -> 4x4x5; `b3` 8x8x3 -> 3x3x5; `b4` 8x8x3 -> 2x2x5; `b5` 8x8x3 -> 2x2x5; `b6` 8x8x3 -> 2x2x5; and 2 more"),
        ("{merge: add, branches: {b2: [{op: conv, filters: 2, kernel_size: 1}], b3: [{op: conv, filters: 3, kernel_size: 1}], b4: [{op: conv, filters: 4, kernel_size: 1}], b5: [{op: conv, filters: 5, kernel_size: 1}], b6: [{op: conv, filters: 6, kernel_size: 1}], b7: [{op: conv, filters: 7, kernel_size: 1}], b8: [{op: conv, filters: 8, kernel_size: 1}], b9: [{op: conv, filters: 9, kernel_size: 1}]}}", "`add` joins 2, 3, 4, 5, 6, 7 and 9 channels", "`b3` ends with 3 channels; `b2` with 2", "`b2` 8x8x3 -> 8x8x2; `b3` 8x8x3; `b4` 8x8x3 -> 8x8x4; `b5` 8x8x3 -> 8x8x5; `b6` 8x8x3 -> 8x8x6; `b7` 8x8x3 -> 8x8x7; and 2 more"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2}], b: [{op: conv, filters: 3, kernel_size: 3}]}}", "`concat` joins spatial sizes that differ: 4x4 and 8x8", "`b` ends with 8x8; `a` with 4x4", "`a` 8x8x3 -> 4x4x3; `b` 8x8x3"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, padding: valid}], b: [{op: max_pool, kernel_size: 3, padding: valid}], c: [{op: conv, filters: 2, kernel_size: 3}]}}", "`concat` joins spatial sizes that differ: 6x6 and 8x8", "`c` ends with 8x8; `a` with 6x6", "`a` 8x8x3 -> 6x6x3; `b` 8x8x3 -> 6x6x3; `c` 8x8x3 -> 8x8x2"),
        ("{merge: concat, branches: {a: [], b: [{op: flatten}]}}", "`concat` joins ranks that differ: a map of 8x8x3 and a vector of 192", "`b` ends with a vector of 192; `a` with a map of 8x8x3", "`a` 8x8x3; `b` 8x8x3 -> 192"),
        ("{merge: concat, branches: {a: [{op: flatten}], b: [{op: flatten}], c: [{op: conv, filters: 3, kernel_size: 3}]}}", "`concat` joins ranks that differ: a vector of 192 and a map of 8x8x3", "`c` ends with a map of 8x8x3; `a` with a vector of 192", "`a` 8x8x3 -> 192; `b` 8x8x3 -> 192; `c` 8x8x3"),
        ("{merge: concat, branches: {a: [{op: flatten}], b: [{op: identity}]}}", "`concat` joins ranks that differ: a vector of 192 and a map of 8x8x3", "`b` ends with a map of 8x8x3; `a` with a vector of 192", "`a` 8x8x3 -> 192; `b` 8x8x3"),
        ("{merge: concat, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3}, {op: conv, filters: 5, kernel_size: 3}, {op: max_pool, kernel_size: 3, stride: 2}, {op: max_pool, kernel_size: 3, stride: 2}, {op: max_pool, kernel_size: 3, stride: 2}]}}", "`concat` joins spatial sizes that differ: 8x8 and 1x1", "`b` ends with 1x1; `a` with 8x8", "`a` 8x8x3; `b` 8x8x3 -> … -> 2x2x5 -> 1x1x5"),
        ("{merge: concat, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 3}, {op: conv, filters: 5, kernel_size: 3}, {op: max_pool, kernel_size: 3, stride: 2}]}}", "`concat` joins spatial sizes that differ: 8x8 and 4x4", "`b` ends with 4x4; `a` with 8x8", "`a` 8x8x3; `b` 8x8x3 -> 8x8x5 -> 4x4x5"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 1}, {op: conv, filters: 6, kernel_size: 1}, {op: conv, filters: 7, kernel_size: 1}]}}", "`add` joins 3 and 7 channels", "`b` ends with 7 channels; `a` with 3", "`a` 8x8x3; `b` 8x8x3 -> 8x8x5 -> 8x8x6 -> 8x8x7"),
        ("{merge: add, branches: {a: [], b: [{op: conv, filters: 5, kernel_size: 1}, {op: conv, filters: 6, kernel_size: 1}, {op: conv, filters: 7, kernel_size: 1}, {op: conv, filters: 8, kernel_size: 1}]}}", "`add` joins 3 and 8 channels", "`b` ends with 8 channels; `a` with 3", "`a` 8x8x3; `b` 8x8x3 -> … -> 8x8x7 -> 8x8x8"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 8}], b: [{op: max_pool, kernel_size: 3, stride: 8}], c: [{op: zero_pad, padding: [[0, 1], [0, 1]]}, {op: conv, filters: 3, kernel_size: 3, stride: 3}]}}", "`concat` joins spatial sizes that differ: 1x1 and 3x3", "`c` ends with 3x3; `a` with 1x1", "`a` 8x8x3 -> 1x1x3; `b` 8x8x3 -> 1x1x3; `c` 8x8x3 -> 9x9x3 -> 3x3x3"),
        ("{merge: concat, branches: {a: [{op: max_pool, kernel_size: 3, stride: 2}], b: [{op: max_pool, kernel_size: 3, stride: 2}], c: [{op: conv, filters: 3, kernel_size: 9}]}}", "`concat` joins spatial sizes that differ: 4x4 and 8x8", "`c` ends with 8x8; `a` with 4x4", "`a` 8x8x3 -> 4x4x3; `b` 8x8x3 -> 4x4x3; `c` 8x8x3"),
        ("{merge: multiply, branches: {a: [], b: [{op: flatten}]}}", "`multiply` joins 3 and 192 channels", "`b` ends with 192 channels; `a` with 3", "`a` 8x8x3; `b` 8x8x3 -> 192"),
        ("{merge: add, branches: {a: [], b: [{op: identity}], c: [{op: depthwise_conv, kernel_size: 1, depth_multiplier: 2}, {use: fixed}, {op: dense, units: 1, repeat: 2}, {op: dense, units: 6}]}}", "`add` joins 3 and 6 channels", "`c` ends with 6 channels; `a` with 3", "`a` 8x8x3; `b` 8x8x3; `c` 8x8x3 -> … -> 8x8x1 -> 8x8x6"),
        ("{merge: concat, branches: {a: [{op: conv, filters: 3, kernel_size: 3}], b: [{op: identity, repeat: 3}, {op: flatten}, {op: dense, units: 4}, {op: identity}], c: [{op: dense, units: 5, repeat: 2}]}}", "`concat` joins ranks that differ: a map of 8x8x3, a vector of 4 and a map of 8x8x5", "`b` ends with a vector of 4; `a` with a map of 8x8x3", "`a` 8x8x3; `b` 8x8x3 -> 192 -> 4; `c` 8x8x3 -> 8x8x5 -> 8x8x5"),
        ("{merge: concat, branches: {a: [{op: flatten}, {op: dense, units: 4}], b: [{op: flatten}, {op: dense, units: 5}], c: [{op: identity}]}}", "`concat` joins ranks that differ: a vector of 4, a vector of 5 and a map of 8x8x3", "`c` ends with a map of 8x8x3; `a` with a vector of 4", "`a` 8x8x3 -> 192 -> 4; `b` 8x8x3 -> 192 -> 5; `c` 8x8x3"),
        ("{merge: concat, branches: {a: [{op: flatten}, {op: dense, units: 4}], b: [], c: [{op: flatten}]}}", "`concat` joins ranks that differ: a vector of 4, a map of 8x8x3 and a vector of 192", "`a` ends with a vector of 4; `b` with a map of 8x8x3", "`a` 8x8x3 -> 192 -> 4; `b` 8x8x3; `c` 8x8x3 -> 192"),
        ("{merge: multiply, branches: {a: [], b: [{op: conv, filters: 3, kernel_size: 1}, {op: global_avg_pool}, {op: dense, units: 4}]}}", "`multiply` joins 3 and 4 channels", "`b` ends with 4 channels; `a` with 3", "`a` 8x8x3; `b` 8x8x3 -> 3 -> 4"),
        ("{merge: add, branches: {a: [{use: tower, n: 4}], b: [{use: tower, n: 5}]}}", "`add` joins 4 and 5 channels", "`b` ends with 5 channels; `a` with 4", "`a` 8x8x3 -> 8x8x4; `b` 8x8x3 -> 8x8x5"),
    ],
)  # fmt: skip
def test_what_is_said(mistakes: Mistakes, fork: str, message: str, label: str, shapes: str) -> None:
    found = clash(mistakes, fork)
    assert (found.message, found.label, found.notes) == (message, label, (f"branches: {shapes}",))
    ((_, second),) = found.related
    assert second.startswith(
        label.split("; ")[1].split(" with ")[0] + " ends with " + label.rsplit(" with ", 1)[1]
    )
    assert second.endswith(" channels") == (" channels;" in label)
