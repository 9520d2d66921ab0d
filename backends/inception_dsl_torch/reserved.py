"""Names that attributes, arguments and variables of generated classes must not have."""

from __future__ import annotations

import builtins
from typing import Final

FORBIDDEN: Final = frozenset(
    {
        "T_destination",
        "add_module",
        "apply",
        "bfloat16",
        "buffers",
        "call_super_init",
        "children",
        "compile",
        "cpu",
        "cuda",
        "double",
        "dump_patches",
        "eval",
        "extra_repr",
        "float",
        "forward",
        "forward_features",
        "forward_head",
        "get_buffer",
        "get_classifier",
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "init_weights",
        "ipu",
        "load_state_dict",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "num_features",
        "parameters",
        "register_backward_hook",
        "register_buffer",
        "register_forward_hook",
        "register_forward_pre_hook",
        "register_full_backward_hook",
        "register_full_backward_pre_hook",
        "register_load_state_dict_post_hook",
        "register_load_state_dict_pre_hook",
        "register_module",
        "register_parameter",
        "register_state_dict_post_hook",
        "register_state_dict_pre_hook",
        "requires_grad_",
        "reset_classifier",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "train",
        "training",
        "type",
        "xpu",
        "zero_grad",
    }
)
"""The attributes of ``nn.Module`` and the methods of the generated class, so that other attributes
have other names.
"""

BUILTINS: Final = frozenset(dir(builtins))
"""Python's own names, which generated code does not redefine."""

READ_BY_INIT: Final = BUILTINS | {
    "F",
    "Tensor",
    "_",
    "i",
    "nn",
    "nullcontext",
    "partial",
    "self",
    "torch",
}
"""The names that ``__init__`` of a generated class reads, so that its arguments must not have them.
"""

READ_BY_FORWARD: Final = BUILTINS | {
    "F",
    "Tensor",
    "check_size",
    "heads",
    "logits",
    "nn",
    "output",
    "pre_logits",
    "probabilities",
    "self",
    "torch",
    "x",
}
"""The names that the other methods read, so that their variables must not have them."""
