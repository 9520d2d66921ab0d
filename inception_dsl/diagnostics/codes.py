"""The stable code of every diagnostic, each with its meaning in one line.

A code never changes its meaning. `E` is an error, `W` a warning. The first digit is the stage that
reports it: 1 text, 2 fields, 3 names and links, 4 shapes, 5 backends and plugins, 6 output files, 7
weights.
"""

from __future__ import annotations

from typing import Final

CODES: Final[dict[str, str]] = {
    # 1: the text
    "E101": "the file cannot be read",
    "E102": "the text is not UTF-8 or contains a character that is not allowed",
    "E103": "the text is not valid YAML",
    "E104": "a mapping has a duplicate key",
    "E105": "an unsupported YAML feature (tag, merge key, anchor cycle, multiple documents)",
    "E106": "the text is too large or too deeply nested",
    "E107": "a scalar that YAML versions read differently, or a number that is not finite",
    "E108": "a tuple in parentheses whose commas separate fields",
    # 2: the fields
    "E201": "unknown field",
    "E202": "a required field is missing",
    "E203": "a value has the wrong type or is out of range",
    "E204": "unknown op",
    "E205": "not a step: exactly one of `op`, `branches` and `use` is required",
    "E206": "invalid name",
    "E207": "an expression cannot be parsed or evaluated",
    "E208": "the document is neither a network nor a block",
    "E209": "a `--set` option matches no parameter or field of the spec",
    "E210": "training settings contradict each other",
    "E211": "the recipe lacks what a training script needs",
    # 3: names and links
    "E301": "an imported or extended file cannot be used",
    "E302": "unknown block",
    "E303": "duplicate block",
    "E304": "unknown parameter",
    "E305": "a parameter has no value",
    "E306": "blocks use each other in a cycle",
    "E307": "two steps or branches have the same path",
    "E308": "unknown step",
    "E309": "the expanded network exceeds a limit",
    "E310": "an override matches no step of the spec that it extends",
    "E311": "a path under `checkpoints` matches no weights",
    "E312": "two layers have the same published name",
    "E313": "a layer has no published name",
    "E314": "the number range in a published name does not match the repetitions",
    "E315": "the spec requires another version of inception-dsl",
    "E316": "a step cannot have the weights of another step",
    "E317": "a rule of `rewrite` cannot be applied to the spec",
    # 4: shapes
    "E401": "the window is larger than its input",
    "E402": "the branches of a merge have incompatible shapes",
    "E403": "an attribute does not match the shape or the rank of the input",
    "E404": "the spec has no input",
    "E405": "the loss does not fit the output",
    "E406": "steps with the same weights differ",
    "E407": "the first step is not a fork with a branch for each input",
    # 5: backends
    "E501": "unknown backend",
    "E502": "a backend plugin is broken",
    "E503": "the backend does not support this",
    # 6: files
    "E601": "a file cannot be written",
    "E602": "a generated file is not up to date",
    "E603": "a file that was not generated, or was edited since, would be overwritten",
    # 7: weights
    "E701": "a weight file cannot be read",
    "E702": "the weights do not match the spec: missing, unknown, of another shape or type, not "
    "finite, negative variances, or beyond the range of the type",
    "E703": "the weight file's metadata does not match its contents",
    "E704": "unknown format of a weight file",
    "E705": "a package that weights, the language server or `serve` need is missing or cannot be "
    "imported",
    "E706": "a framework cannot read or write the weights",
    "E707": "the weights were made for another network, or for another input size",
    "E711": "the spec has no names for this source of published weights",
    "E712": "an option of `weights import` does not apply to the spec or the file",
    # warnings
    "W301": "a parameter is never used",
    "W302": "a block, or an imported file, is never used",
    "W303": "`allow` silences no warning",
    "W304": "names of published weights do not fit a changed network",
    "W401": "a strided window does not read all pixels of its input",
    "W402": "a residual of more than 1,000 filters is added without scaling",
    "W403": "an expensive large convolution can be factorized",
    "W404": "a bias before batch norm has no effect",
    "W405": "pooling before the filters are widened creates a bottleneck",
    "W406": "the sizes of `--input` are probably channels first, or without channels",
    "W407": "a classifier has one class",
    "W408": "the number of outputs is not that of `classes`",
    "W409": "the output of a network that is trained is a map",
    "W410": "the moving statistics of batch norm need more steps than the run has",
    "W411": "the schedule of the learning rate and the run have different lengths",
    "W501": "a figure is too large for LaTeX and is left out",
}
WARNINGS: Final = tuple(code for code in CODES if code.startswith("W"))
