"""Layers of other frameworks that the language does not have, and what it has instead.

A similar name, such as `group_norm` for `instance_norm`, would be another network.
"""

from __future__ import annotations

from typing import Final

from .words import bare

_ABSENT: Final = (
    (
        "prelu parametricrelu",
        "a learned slope is left out; `op: activation, function: leaky_relu` has a fixed `alpha`",
    ),
    (
        "droppath stochasticdepth",
        "write `op: dropout` with `per: sample` at the end of a residual",
    ),
    ("spatialdropout", "write `op: dropout` with `per: channel`"),
    (
        "dropblock alphadropout",
        "left out on purpose; `op: dropout` drops elements, channels or samples",
    ),
    (
        "unpool unpooling maxunpool",
        "left out; `op: upsample` and `op: conv_transpose` enlarge a map",
    ),
    (
        "pixelshuffle",
        "write `op: depth_to_space` with its `block_size` and `order: channels_first`",
    ),
    (
        "pixelunshuffle",
        "write `op: space_to_depth` with its `block_size` and `order: channels_first`",
    ),
    (
        "sknet selectivekernel selectivekernelattn",
        "write a fork, and `op: activation` with `function: softmax` and `parts`: the number of"
        " branches",
    ),
    (
        "attention selfattention multiheadattention mha transformer",
        "left out on purpose; squeeze-and-excitation is a fork with `merge: multiply`",
    ),
    (
        "cbam spatialattention channelattention",
        "write forks with `merge: multiply`; `op: global_avg_pool, over: channels` gives the mean"
        " of each position",
    ),
    (
        "se semodule selayer seblock squeezeexcitation squeezeexcite squeezeandexcitation",
        "write a fork: `branches: {shortcut: [], weights: [{op: global_avg_pool}, …]}`,"
        " `merge: multiply`",
    ),
    (
        "layerscale",
        "write `op: scale` with its first `value` and `learned: true`",
    ),
    (
        "instancenorm instancenormalization",
        "write `op: group_norm` with as many `groups` as channels",
    ),
    ("rmsnorm weightnorm spectralnorm", "left out; `inception-dsl ops` lists the norms that exist"),
    ("rnn lstm gru convlstm embedding", "left out on purpose: a network has no state and no table"),
    (
        "rescaling normalization centercrop randomcrop randomflip",
        "images are prepared outside of the network: `preprocessing` has resize, scale, mean and"
        " std",
    ),
    (
        "split chunk slice channelsplit splitchannels tensorsplit",
        "`split` is a field of a fork: `{branches: {…}, split: equal, merge: concat}`",
    ),
    ("reshape permute transpose unflatten", "left out; `op: flatten` turns a map into a vector"),
    ("lambda custom", "left out on purpose: a spec contains no code"),
)
_TEXTS: Final = {name: text for names, text in _ABSENT for name in names.split()}


def absent(word: str) -> str:
    """What to use instead of a layer that does not exist here; empty for other words."""
    return _TEXTS.get(bare(word), "")
