"""Suggestions for unknown words: a similar known word, or the synonym of another framework."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

_SEARCHED: Final = 100
SYNONYMS: Final[dict[str, str]] = {
    # attributes
    "channels": "filters units",
    "depth": "filters units",
    "kernels": "filters",
    "numfilters": "filters",
    "numoutput": "filters units",
    "outchannels": "filters units",
    "outfeatures": "units filters",
    "outputchannels": "filters units",
    "outputs": "units filters",
    "width": "filters units",
    "filters": "units",
    "units": "filters",
    "filtersize": "kernel_size",
    "kernel": "kernel_size",
    "kernelshape": "kernel_size",
    "ksize": "kernel_size",
    "poolsize": "kernel_size",
    "size": "kernel_size",
    "window": "kernel_size",
    "windowsize": "kernel_size",
    "step": "stride staircase",
    "strides": "stride",
    "subsample": "stride",
    "bordermode": "padding",
    "pad": "padding",
    "pads": "padding",
    "paddings": "padding",
    "atrous": "dilation",
    "dilationrate": "dilation",
    "dilations": "dilation",
    "rate": "dilation",
    "group": "groups",
    "numgroups": "groups",
    "bias": "use_bias",
    "biasterm": "use_bias",
    "eps": "epsilon",
    "momentum": "decay",
    "movingaveragefraction": "decay",
    "affine": "scale",
    "beta": "center",
    "shift": "center",
    "countincludepadding": "count_include_pad",
    "channelmultiplier": "depth_multiplier",
    "multiplier": "depth_multiplier",
    "ceil": "ceil_mode",
    "dropoutrate": "rate",
    "keep": "rate",
    "keepprob": "rate",
    "p": "rate",
    "prob": "rate",
    "act": "activation function",
    "activation": "activation function",
    "activationfn": "activation",
    "fn": "function",
    "nonlinearity": "activation function",
    "normalizer": "batch_norm",
    "norm": "batch_norm",
    "factor": "value",
    "count": "repeat",
    "n": "repeat",
    "number": "repeat int",
    "repeats": "repeat",
    "times": "repeat",
    "id": "name",
    "axis": "merge",
    "combine": "merge",
    "join": "merge",
    "mode": "merge method",
    "interpolation": "method",
    "scalefactor": "factor value",
    "outputsize": "size",
    "chunks": "split",
    "divide": "split",
    "sections": "split",
    "splitsizes": "split",
    "paths": "branches",
    "towers": "branches",
    "block": "use",
    "kind": "op type",
    "layer": "op",
    "type": "op",
    # training
    "poly": "polynomial",
    "lr": "rate",
    "learningrate": "rate",
    "rho": "decay",
    "alpha": "decay",
    "gamma": "scale factor",
    "clipnorm": "norm",
    "ema": "average",
    "regularizer": "weight_decay",
    "scheduler": "schedule",
    "milestones": "at_epochs",
    "stepsize": "every_steps",
    "iterations": "steps",
    # other fields
    "backbone": "body",
    "layers": "steps body",
    "modules": "steps body",
    "ops": "steps body",
    "trunk": "body",
    "classifier": "head",
    "top": "head",
    "aux": "aux_heads",
    "auxiliary": "aux_heads",
    "auxiliaryheads": "aux_heads",
    "at": "after",
    "from": "after extends",
    "source": "after",
    "weight": "loss_weight",
    "nclasses": "classes",
    "numclasses": "classes",
    "image": "input",
    "imagesize": "input",
    "inputshape": "input",
    "inputsize": "input",
    "shape": "input",
    "arguments": "params",
    "parameters": "params",
    "variables": "params",
    "include": "import",
    "imports": "import",
    "requires": "import",
    "base": "extends",
    "inherits": "extends",
    "smoothing": "label_smoothing",
    "downscalefactor": "block_size",
    "dcr": "channels_last",
    "crd": "channels_first",
    "upscalefactor": "block_size",
    "c": "channels",
    "h": "height",
    "w": "width",
    # ops
    "bn": "batch_norm",
    "basicconv": "conv_bn",
    "convbnact": "conv_bn",
    "convbnrelu": "conv_bn",
    "convolution": "conv",
    "dw": "depthwise_conv",
    "depthwise": "depthwise_conv",
    "separable": "separable_conv",
    "conv1dtranspose": "conv_transpose",
    "conv2dtranspose": "conv_transpose",
    "conv3dtranspose": "conv_transpose",
    "deconv": "conv_transpose",
    "deconvolution": "conv_transpose",
    "transposeconv": "conv_transpose",
    "transposedconv": "conv_transpose",
    "transposedconvolution": "conv_transpose",
    "interpolate": "upsample",
    "resize": "upsample",
    "resizing": "upsample",
    "upsampling": "upsample",
    "averagepooling": "avg_pool",
    "averagepool": "avg_pool",
    "avgpooling": "avg_pool",
    "meanpool": "avg_pool",
    "maxpooling": "max_pool",
    "pool": "max_pool",
    "pooling": "max_pool",
    "gap": "global_avg_pool",
    "globalaveragepool": "global_avg_pool",
    "globalaveragepooling": "global_avg_pool",
    "globalavgpooling": "global_avg_pool",
    "globalmaxpooling": "global_max_pool",
    "adaptiveaveragepooling": "adaptive_avg_pool",
    "fc": "dense",
    "fullyconnected": "dense",
    "innerproduct": "dense",
    "linear": "dense none",
    "l2norm": "l2_normalize",
    "unitnormalization": "l2_normalize",
    "lrn": "local_response_norm",
    "localresponsenormalization": "local_response_norm",
    "batchnormalization": "batch_norm",
    "groupnormalization": "group_norm",
    "layernormalization": "layer_norm",
    "zeropadding": "zero_pad",
    "cropping": "crop",
    "shuffle": "channel_shuffle",
    "noop": "identity",
    "shortcut": "identity",
    "skip": "identity",
    # values
    "swish": "silu",
    "lrelu": "leaky_relu",
    "bilinear": "linear",
    "trilinear": "linear",
    "identity": "none",
    "addition": "add",
    "eltwise": "add",
    "plus": "add",
    "residual": "add",
    "sum": "add",
    "cat": "concat",
    "concatenation": "concat",
    "concatenate": "concat",
    "depthconcat": "concat",
    "stack": "concat",
    "mul": "multiply",
    "product": "multiply",
    "half": "same",
    "none": "valid",
    "boolean": "bool",
    "integer": "int",
    "double": "float",
    "string": "str",
    "text": "str",
    "bce": "binary_cross_entropy",
    "bcewithlogits": "binary_cross_entropy",
    "ce": "cross_entropy",
    "categoricalcrossentropy": "cross_entropy",
    "crossentropyloss": "cross_entropy",
    "nll": "cross_entropy",
    "softmax": "cross_entropy",
    "sparsecategoricalcrossentropy": "cross_entropy",
    "l2": "mean_squared_error",
    "mse": "mean_squared_error",
    "mseloss": "mean_squared_error",
    "glorot": "glorot_uniform",
    "xavier": "glorot_uniform",
    "he": "he_normal",
    "kaiming": "he_normal",
    "msra": "he_normal",
    "normal": "truncated_normal",
}
"""Names in other frameworks and common synonyms, normalized by :func:`bare`, each with the names in
specs; the first that is valid in the context is suggested.
"""


def bare(word: str) -> str:
    """``word`` in lower case, without punctuation and without a final ``1d``, ``2d`` or ``3d``."""
    found = re.sub(r"[^a-z0-9]", "", word[:100].lower())
    return re.sub(r"[123]d$", "", found)


def _parts(word: str) -> list[str]:
    """The words of a name, sorted."""
    return sorted(re.findall(r"[a-z0-9]+", word[:100].lower()))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is probably meant by ``word``, if any."""
    words = list(known)
    if len(words) > _SEARCHED:
        words = [w for w in words if w[:1] == word[:1] and abs(len(w) - len(word)) < 4][:_SEARCHED]
    return same(word, words) or _closest(word[:100], words) or _synonym(word, words)


def _synonym(word: str, words: list[str]) -> str | None:
    """The known word whose synonym is ``word`` with a typing error."""
    plain = bare(word)
    for known, meant in SYNONYMS.items():
        close = min(len(plain), len(known)) > 5 and abs(len(plain) - len(known)) < 3
        if close and plain[0] == known[0] and typing_error(plain, known):
            return next((w for w in meant.split() if w in words), None)
    return None


def same(word: str, known: Iterable[str]) -> str | None:
    """The known word that means the same as ``word``: another spelling, or a synonym."""
    words, plain = list(known), bare(word)
    for found in words:
        if bare(found) == plain != "":
            return found
    for meant in SYNONYMS.get(plain, "").split():
        if meant in words:
            return meant
    parts = _parts(word)
    return next((w for w in words if len(parts) > 1 and _parts(w) == parts), None)


def typing_error(word: str, known: str) -> bool:
    """Whether ``word`` is ``known`` with a typing error, and not another word like it."""
    from difflib import SequenceMatcher

    return SequenceMatcher(None, word[:100].lower(), known).ratio() >= 0.8


def _closest(word: str, words: list[str]) -> str | None:
    """The most similar of ``words``, if its similarity is above 0.6.

    Words whose letters alone rule them out are not compared: the comparison is slow.
    """
    from difflib import SequenceMatcher  # slow to import, and only errors need it

    matcher = SequenceMatcher(b=word)
    bounds = []
    for known in words:
        matcher.set_seq1(known)
        bounds.append((matcher.quick_ratio(), known))
    best = (0.6, "")
    for bound, known in sorted(bounds, reverse=True):
        if bound < best[0]:
            break
        matcher.set_seq1(known)
        best = max(best, (matcher.ratio(), known))
    return best[1] or None


def suggestion(word: str, known: Iterable[str], *, what: str) -> str:
    """A help text: the nearest known word, or else all of them."""
    words = sorted(known)
    best = nearest(word, words)
    if best is not None:
        return f"did you mean `{best}`?"
    return f"{what}: {listed(words)}" if words else ""


def listed(words: Iterable[str]) -> str:
    """The words separated by commas; of more than 30, the first 30."""
    found = list(words)
    more = f" and {len(found) - 30} more" if len(found) > 30 else ""
    return ", ".join(found[:30]) + more
