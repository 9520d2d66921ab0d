"""Seeded defects of ops that move values, and of the softmax over parts."""

from __future__ import annotations

from defect import CORE, KERAS, TORCH, Defect

MOVING_DEFECTS = (
    Defect(
        "a shuffle of channels has one group",
        TORCH,
        "moving",
        'call("nn.ChannelShuffle", scope.text(groups))',
        'call("nn.ChannelShuffle", literal(1))',
    ),
    Defect(
        "a shuffle keeps the order of the channels",
        KERAS,
        "helpers/channel_shuffle.py.j2",
        "for i in range(each) for group in range(groups)",
        "for group in range(groups) for i in range(each)",
    ),
    Defect(
        "a shuffle begins with the last channel of each group",
        KERAS,
        "helpers/channel_shuffle.py.j2",
        "group * each + i",
        "group * each + each - 1 - i",
    ),
    Defect(
        "a crop is the same at both ends",
        CORE,
        "ops.crop",
        "n - sum(cut)",
        "n - 2 * cut[0]",
    ),
    Defect(
        "a crop cuts off the other side",
        TORCH,
        "moving",
        "op.cuts(site.rank) for",
        "tuple(map(tuple, map(reversed, op.cuts(site.rank)))) for",
    ),
    Defect(
        "a crop cuts off the other side",
        KERAS,
        "moving",
        "[op.cuts(site.rank) for",
        "[tuple(map(tuple, map(reversed, op.cuts(site.rank)))) for",
    ),
    Defect(
        "space_to_depth has the other order of channels",
        TORCH,
        "moving",
        'last = site.alike("order") == ("channels_last",)',
        'last = site.alike("order") != ("channels_last",)',
    ),
    Defect(
        "space_to_depth has one order of channels",
        KERAS,
        "helpers/space_to_depth.py.j2",
        'if order == "channels_last"',
        "if order",
    ),
    Defect(
        "the channels of a block are read along columns",
        KERAS,
        "helpers/space_to_depth.py.j2",
        "range(2, len(split) + 1, 2)",
        "range(len(split), 0, -2)",
    ),
    Defect(
        "a larger block has the channels of a smaller one",
        CORE,
        "ops.blocks",
        "(self.block_size,) * rank",
        "(2,) * rank",
    ),
    Defect(
        "depth_to_space counts the positions of one axis",
        TORCH,
        "moving",
        "for _ in range(site.rank - 1)",
        "for _ in range(site.rank - site.rank)",
    ),
    Defect(
        "depth_to_space has the other order of channels",
        KERAS,
        "moving",
        "literal(order)",
        'literal({"channels_last": "channels_first"}.get(order, order))',
    ),
    Defect(
        "depth_to_space fills a block along columns",
        KERAS,
        "helpers/depth_to_space.py.j2",
        "(i + 1, start + i)",
        "(i + 1, start + rank - 1 - i)",
    ),
    Defect(
        "a softmax over parts is over the channels of each part",
        TORCH,
        "lowering",
        "dim=literal(1))\n    return Layer((split",
        "dim=literal(2))\n    return Layer((split",
    ),
    Defect(
        "the parts of a softmax are every n-th channel",
        TORCH,
        "lowering",
        "tupled([parts, literal(-1)])",
        "tupled([literal(-1), parts])",
    ),
    Defect(
        "a softmax over parts is over the channels of each part",
        KERAS,
        "helpers/part_softmax.py.j2",
        "ops.sum(ops.stack(powers, axis=1), axis=1)",
        "ops.sum(ops.stack(powers, axis=1), axis=-1, keepdims=True)[:, 0]",
    ),
    Defect(
        "the parts of a softmax are every n-th channel",
        KERAS,
        "helpers/part_softmax.py.j2",
        "ops.split(x, parts, axis=-1)",
        "[x[..., i::parts] for i in range(parts)]",
    ),
)
