"""Backends whose runners compute something else, end the process, want a framework that is not
there, or never end.
"""

from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram


def emit(typed: TypedProgram, request: Request, report: Report) -> Files:
    """One line: what runs is the program itself."""
    return {f"{request.name}.py": f"# {typed.program.id}\n"}


def _backend(name: str) -> Backend:
    runner = f"inception_dsl_wrong.{name}"
    return Backend(name=name, title=name.title(), emit=emit, runner=runner, shares=True)


WRONG, RIGHT, ABORTS, ABSENT, HANGS = map(_backend, ("wrong", "right", "aborts", "absent", "hangs"))
