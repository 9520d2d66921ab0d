from inception_dsl.backend import Backend, Report, TypedProgram


def emit(typed: TypedProgram, report: Report) -> str:
    print("emitted, loudly")
    return "# nothing\n"


print("imported, loudly")
BACKEND = Backend(name="loud", title="Loud", emit=emit)
