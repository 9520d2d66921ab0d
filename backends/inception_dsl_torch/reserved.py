"""Names that attributes and arguments of generated classes must not have."""

from __future__ import annotations

from typing import Final

FORBIDDEN: Final = frozenset(
    {
        "F",
        "T_destination",
        "Tensor",
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
        "get_extra_state",
        "get_parameter",
        "get_submodule",
        "half",
        "init_weights",
        "ipu",
        "load_state_dict",
        "min",
        "modules",
        "mtia",
        "named_buffers",
        "named_children",
        "named_modules",
        "named_parameters",
        "nn",
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
        "self",
        "set_extra_state",
        "set_submodule",
        "share_memory",
        "state_dict",
        "to",
        "to_empty",
        "torch",
        "train",
        "training",
        "tuple",
        "type",
        "x",
        "xpu",
        "zero_grad",
    }
)
"""The attributes of ``nn.Module``, the methods of the generated class, and the names that its code
reads.
"""

READ_BY_INIT: Final = frozenset(
    {"F", "Tensor", "_", "float", "i", "max", "min", "nn", "range", "self", "super", "torch"}
)
"""The names that ``__init__`` of a generated class reads, so that its arguments must not have them.
"""
