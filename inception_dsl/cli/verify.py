"""The command that proves the frameworks to be the same network."""

from __future__ import annotations

from typing import Any

import click

from .shared import as_json_text, backend_names, fail, merged, need_packages, spec_options, warn

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ..diagnostics.report import Report
    from ..verify.run import Plan, Target, Verification


@click.command()
@click.argument("specs", nargs=-1, required=True, type=click.Path(), metavar="SPEC...")
@click.option(
    "--backend",
    "names",
    multiple=True,
    metavar="NAME[:ENGINE]",
    shell_complete=backend_names,
    help="May be repeated; an engine is what the framework runs on (keras:jax). Default: every "
    "backend that loads.",
)
@click.option(
    "--dtype",
    "dtypes",
    multiple=True,
    type=click.Choice(["float64", "float32"]),
    default=["float64"],
    show_default=True,
    help="May be repeated.",
)
@click.option(
    "--train", is_flag=True, help="Also the loss, every gradient, and one step of gradient descent."
)
@click.option("--seed", default=0, show_default=True, help="Of the weights and the batch.")
@click.option(
    "--batch",
    "samples",
    default=2,
    show_default=True,
    type=click.IntRange(2),
    help="Number of samples.",
)
@click.option(
    "--timeout", default=1800.0, show_default=True, help="Seconds for one framework on one spec."
)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@spec_options
def verify(
    specs: tuple[str, ...],
    names: tuple[str, ...],
    dtypes: tuple[str, ...],
    train: bool,
    seed: int,
    samples: int,
    timeout: float,
    as_json: bool,
    settings: dict[str, str],
    size: str | None,
) -> None:
    """Run every SPEC in every framework with identical weights and compare shapes, counts, outputs,
    block by block.

    The judge is a NumPy reference in float64; errors are in units of its largest value. Leaves with
    1 where a framework does not agree, fails, hangs or is asked for and missing.
    """
    from ..diagnostics.report import Report

    report = Report()
    need_packages(report, ("numpy",))
    targets = _targets(names, report)
    if not report.ok:
        fail(report)
    from ..verify.run import Plan

    plan = Plan(targets, tuple(dict.fromkeys(dtypes)), train, seed, samples, timeout)
    found = _verify(specs, merged(settings, size), plan, report, quiet=as_json)
    if as_json:
        from ..verify.table import to_dict

        click.echo(as_json_text([to_dict(one) for one in found]))
    if not report.ok:
        fail(report)
    if not as_json:
        warn(report)
    failed = [
        o for one in found for o in one.outcomes if not o.ok and (names or o.status != "missing")
    ]
    if failed or not all(any(o.ok for o in one.outcomes) for one in found):
        raise click.exceptions.Exit(1)


def _verify(
    specs: tuple[str, ...], settings: dict[str, str], plan: Plan, report: Report, *, quiet: bool
) -> list[Verification]:
    """Every spec after the other, with a bar on a terminal; a table is printed as soon as it is
    known.
    """
    import sys

    from ..verify.run import verify as run
    from ..verify.table import table

    found = []
    length = len(specs) * (1 + len(plan.jobs()))
    hidden = not sys.stderr.isatty()
    with click.progressbar(
        length=length, file=sys.stderr, hidden=hidden, item_show_func=lambda text: text
    ) as bar:
        for spec in specs:
            one = run(spec, settings, plan, report, lambda text: bar.update(1, text))
            if one is not None:
                found.append(one)
                if not quiet:
                    if not hidden:
                        click.echo("\r\x1b[K", err=True, nl=False)
                    click.echo(table(one))
    return found


def _targets(names: tuple[str, ...], report: Report) -> list[Target]:
    """The backends asked for with their engines, else all that can run what they print."""
    from .. import plugins
    from ..diagnostics.report import Span
    from ..diagnostics.text import printable
    from ..diagnostics.words import suggestion
    from ..verify.run import targets_of

    if not names:
        found, broken = plugins.usable()
        for line in broken:
            click.echo(f"warning: {line}", err=True)
        usable: list[Any] = [targets_of(backend)[0] for _, backend in found if backend.runner]
        if not usable:
            report.error(
                "E501", "no backend is installed that can be run", Span("--backend", 1, 1, 1, 2)
            )
        return usable
    targets = []
    for name in dict.fromkeys(names):
        plain, _, engine = name.partition(":")
        for _, backend in plugins.chosen([plain], report):
            known = {target.engine.name: target for target in targets_of(backend)}
            if not engine:
                targets.append(next(iter(known.values())))
            elif engine in known:
                targets.append(known[engine])
            else:
                span = Span(f"--backend {printable(name)}", 1, len(plain) + 2, 1, len(name) + 1)
                report.texts[span.file] = name
                help = suggestion(engine, known, what="engines")
                report.error(
                    "E501", f"the backend `{plain}` has no engine `{engine}`", span, help=help
                )
    return targets
