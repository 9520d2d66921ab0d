from inception_dsl.backend import Backend, Files, Report, Request, TypedProgram


def emit(typed: TypedProgram, request: Request, report: Report) -> Files:
    print("emitted, loudly")
    return {f"{request.name}.py": "# nothing\n"}


print("imported, loudly")
BACKEND = Backend(name="loud", title="Loud", emit=emit)
