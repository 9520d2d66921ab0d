"""The stable codes of every diagnostic: one line of what each means.

A code never changes its meaning. The hundreds name the stage that finds the mistake: 1 the text, 2
the fields, 3 names and links, 4 shapes, 5 backends and plugins, 6 files that are written, 7
weights. `E` is a mistake, `W` a warning.
"""

from __future__ import annotations

from typing import Final

CODES: Final[dict[str, str]] = {
    # 1: the text
    "E101": "the file cannot be read",
    "E102": "the text is not UTF-8 or holds a character that is not allowed",
    "E103": "the text is not valid YAML",
    "E104": "a key stands twice in one mapping",
    "E105": "a YAML feature that specs do not use (tag, merge key, anchor cycle, several "
    "documents)",
    "E106": "the text is too large or too deeply nested",
    "E107": "a scalar whose meaning differs between YAML versions",
    "E108": "what looks like a tuple, but is cut into fields at its commas",
    # 2: the fields
    "E201": "unknown field",
    "E202": "a field is missing",
    "E203": "a value has the wrong type or is out of range",
    "E204": "unknown op",
    "E205": "not a step: neither `op`, `branches` nor `use`, or more than one of them",
    "E206": "not a valid name",
    "E207": "an expression cannot be parsed or evaluated",
    "E208": "the document is neither a network nor a block",
    "E209": "a setting given on the command line does not fit the spec",
    # 3: names and links
    "E301": "an imported or extended file cannot be used",
    "E302": "unknown block",
    "E303": "a block is defined twice",
    "E304": "unknown parameter",
    "E305": "a parameter has no value",
    "E306": "blocks use each other in a circle",
    "E307": "two steps or branches have the same path",
    "E308": "a step that is named does not exist",
    "E309": "the spec expands beyond the limit",
    "E310": "an override does not fit the spec that it extends",
    "E311": "a name of published weights stands for nothing",
    "E312": "two layers have the same name in published weights",
    "E313": "a layer has no name in published weights",
    "E314": "the numbers in a name of published weights are not those of the repetitions",
    # 4: shapes
    "E401": "the window does not fit its input",
    "E402": "the branches of a merge do not fit together",
    "E403": "an attribute does not fit the shape or the rank of the input",
    "E404": "the spec has no input",
    # 5: backends
    "E501": "unknown backend",
    "E502": "a backend plugin is broken",
    "E503": "the backend cannot express this",
    # 6: files
    "E601": "a file cannot be written",
    "E602": "a generated file is not up to date",
    "E603": "a file that was not generated, or was edited since, would be replaced",
    # 7: weights
    "E701": "a weight file cannot be read",
    "E702": "the weights do not fit the spec: missing, unknown, of another shape or type, or "
    "not finite",
    "E703": "what a weight file says of itself does not hold",
    "E704": "a format of weight files that is not known",
    "E705": "a package that weights need cannot be used",
    "E706": "a framework cannot read or write the weights",
    "E711": "the spec does not know the names that a source of published weights gives",
    # warnings
    "W301": "a parameter is never used",
    "W302": "a block, or an imported file, is never used",
    "W303": "`allow` silences nothing",
    "W401": "a window at a stride leaves pixels of its input unread",
    "W402": "a residual of more than 1,000 filters is added without scale",
    "W403": "an expensive large convolution factorises",
    "W404": "a bias before batch norm has no effect",
    "W405": "a pool before the filters are widened is a bottleneck",
}
WARNINGS: Final = tuple(code for code in CODES if code.startswith("W"))
