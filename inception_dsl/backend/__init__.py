"""The public API for backends: everything that a backend package may import from the compiler.

A backend is a :class:`Backend` value that a distribution announces under the entry point group
``inception_dsl.backends``.
"""

from __future__ import annotations

from ..analysis.cost import Cost, Layer, cost, layers
from ..analysis.initial import InitialValue
from ..analysis.receptive import receptive_fields
from ..analysis.receptive_words import field_text, fields, last_map
from ..analysis.size_conditions import AxisSizes, Gap
from ..analysis.sizes import RunningSizes, minimum_input, running_sizes
from ..analysis.step_costs import chain_cost
from ..analysis.weights import check_weights, weight_shapes
from ..diagnostics.report import Report, Span
from ..emit.about import bullets, citation, deviations, figure_number, headline, shapes
from ..emit.bibtex import bibtex
from ..emit.cases import cases
from ..emit.groups import GROUPS, GroupSettings, group_settings
from ..emit.latex import divided, latex
from ..emit.mark import generated_by
from ..emit.module import module_from_source, script_from_source
from ..emit.names import Names, class_name, spelled
from ..emit.recipe import recorded
from ..emit.render import render
from ..emit.script import DATA, ScriptFacts, script_facts
from ..ir.flow import Apply as Applied
from ..ir.flow import Flow, ValueId, flow
from ..ir.flow import Merge as Merged
from ..ir.program import (
    INPUT,
    About,
    ForkNode,
    Head,
    Node,
    OpNode,
    Program,
    UseNode,
)
from ..ir.sections import Preprocessing, Resize
from ..ir.typed import Run, TypedChain, TypedFork, TypedOp, TypedProgram, TypedStep, TypedUse

# isort: off
# fmt: off
from ..emit.pycode import (
    Code, Expression, Group, Item, Later, Repeated, assigned, call, comment, docstring, flat,
    layout, listing, literal, name, rows, signature,
)
from ..ops import (
    CORE_OPS, SLOPES, Activation, AdaptiveAvgPool, AvgPool, BatchNorm, BatchNormFields,
    ChannelShuffle, Composite, Conv, ConvBn, ConvTranspose, Crop, Dense, DepthToSpace,
    DepthwiseConv, Dropout, Flatten, GlobalAvgPool, GlobalMaxPool, GroupNorm, Identity,
    L2Normalize, LayerNorm, LocalResponseNorm, MaxPool, Op, Pool, Scale, SeparableConv, Sliding,
    SpaceToDepth, Upsample, ZeroPad,
)
from ..ir.recipe import (
    Augmentation, Average, GradientClip, Optimizer, Schedule, Training, WeightDecay, WeightGroup,
)
from ..ir.walk import (
    applications, own_layers, owned, owners, roots, sharing, uses_of, visit_program, walk,
    walk_program,
)
from .scope import (
    PLAIN, Argument, Form, Read, Scope, VariesError, composed, first_that_fits, given,
    one_or_tuple, own_scope, scope_of, tupled,
)
from .protocol import (
    API_VERSION, GROUP, Backend, Binding, Engine, Feed, Files, ImageBatch, Model, Option, Request,
    Runner, Step, Trained, Updated, main_text,
)
from ..types.optimizers import FORMS, TITLES, Form as OptimizerForm
# fmt: on
# isort: on
from ..reference.arrays import by_input
from ..types.prose import Prose
from ..types.tensor import AXES, ShapeError, TensorType
from ..types.terms import Symbol, Term, add, constant, divide, multiply, subtract
from ..types.weight import Weight
from ..types.window import Padding, Window
from .definitions import Definition, Definitions, Top, named
from .frames import IN_CHANNELS, Frame, Row, Slot, SplitError
from .layer_site import LayerSite
from .loss import Loss, LossTerm
from .options import common, varying
from .plan import ModulePlan, Tap, plan
from .records import Found, Piece, Record, Records, boundaries
from .refused import refuse_sharing
from .sites import ChainSite, ForkSite, Part, Site, StepSite
from .size_checks import SizeRule, When, raised, size_checks, size_rules, unequal_sizes
from .start import Initial, Start
from .statements import Apply, Branch, Chained, Join, Locals, statement, statements
from .use_site import UseSite

# fmt: off
__all__ = [
    "API_VERSION", "AXES", "CORE_OPS", "DATA", "FORMS", "GROUP", "GROUPS", "INPUT", "IN_CHANNELS",
    "PLAIN", "SLOPES", "TITLES", "About", "Activation", "AdaptiveAvgPool", "Applied", "Apply",
    "Argument", "Augmentation", "Average", "AvgPool", "AxisSizes", "Backend", "BatchNorm",
    "BatchNormFields", "Binding", "Branch", "ChainSite", "Chained", "ChannelShuffle", "Code",
    "Composite", "Conv", "ConvBn", "ConvTranspose", "Cost", "Crop", "Definition", "Definitions",
    "Dense", "DepthToSpace", "DepthwiseConv", "Dropout", "Engine", "Expression", "Feed", "Files",
    "Flatten", "Flow", "ForkNode", "ForkSite", "Form", "Found", "Frame", "Gap", "GlobalAvgPool",
    "GlobalMaxPool", "GradientClip", "Group", "GroupNorm", "GroupSettings", "Head", "Identity",
    "ImageBatch", "Initial", "InitialValue", "Item", "Join", "L2Normalize", "Later", "Layer",
    "LayerNorm", "LayerSite", "LocalResponseNorm", "Locals", "Loss", "LossTerm", "MaxPool",
    "Merged", "Model", "ModulePlan", "Names", "Node", "Op", "OpNode", "Optimizer", "OptimizerForm",
    "Option", "Padding", "Part", "Piece", "Pool", "Preprocessing", "Program", "Prose", "Read",
    "Record", "Records", "Repeated", "Report", "Request", "Resize", "Row", "Run", "Runner",
    "RunningSizes", "Scale", "Schedule", "Scope", "ScriptFacts", "SeparableConv", "ShapeError",
    "Site", "SizeRule", "Sliding", "Slot", "SpaceToDepth", "Span", "SplitError", "Start", "Step",
    "StepSite", "Symbol", "Tap", "TensorType", "Term", "Top", "Trained", "Training", "TypedChain",
    "TypedFork", "TypedOp", "TypedProgram", "TypedStep", "TypedUse", "Updated", "Upsample",
    "UseNode", "UseSite", "ValueId", "VariesError", "Weight", "WeightDecay", "WeightGroup", "When",
    "Window", "ZeroPad", "add", "applications", "assigned", "bibtex", "boundaries", "bullets",
    "by_input", "call", "cases", "chain_cost", "check_weights", "citation", "class_name",
    "comment", "common", "composed", "constant", "cost", "deviations", "divide", "divided",
    "docstring", "field_text", "fields", "figure_number", "first_that_fits", "flat", "flow",
    "generated_by", "given", "group_settings", "headline", "last_map", "latex", "layers", "layout",
    "listing", "literal", "main_text", "minimum_input", "module_from_source", "multiply", "name",
    "named", "one_or_tuple", "own_layers", "own_scope", "owned", "owners", "plan", "raised",
    "receptive_fields", "recorded", "refuse_sharing", "render", "roots", "rows", "running_sizes",
    "scope_of", "script_facts", "script_from_source", "shapes", "sharing", "signature",
    "size_checks", "size_rules", "spelled", "statement", "statements", "subtract", "tupled",
    "unequal_sizes", "uses_of", "varying", "visit_program", "walk", "walk_program",
    "weight_shapes",
]
# fmt: on
