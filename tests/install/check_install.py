"""Installs a build into a temporary folder and uses it from outside the tree, as a user would:

    check_install.py SOURCE_FOLDER BUILD_FOLDER COMPILER...

A program builds with pkg-config's flags alone and runs, with the shared library and with the static one where that was
built; its headers add less than two seconds to xtensor's own; and all installed headers compile together without a
warning, so none includes one that is not installed. Where it was built, the library of ONNX files is used, too.
"""

import resource
import subprocess
import sys

from installed import EXAMPLES, installation, pkg_config_flags, run, without_library_path

INSPECTS = EXAMPLES.parent / "inspect" / "inspect.py"
MAX_ADDED_SECONDS = 2.0
TRIES = 3
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def cpu_seconds(*command):
    """Processor time of a command: unlike the clock's, it does not depend on what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def added_seconds(root, compiler, flags):
    """What our headers cost a user's file, beside xtensor's."""
    compile_xtensor_only = [*compiler, EXAMPLES / "xtensor_only.cpp", *flags, "-o", root / "xtensor_only"]
    ours = min(cpu_seconds(*compiler, EXAMPLES / "program.cpp", *flags, "-o", root / "program") for _ in range(TRIES))
    theirs = min(cpu_seconds(*compile_xtensor_only) for _ in range(TRIES))
    print(f"compile time: {ours:.2f} s, with xtensor only {theirs:.2f} s")
    return ours - theirs


def check_headers(root, compiler, flags):
    (headers,) = (path.parent.parent for path in root.rglob("autograd/autograd.hpp"))
    everything = root / "everything.cpp"
    includes = [f"#include <{path.relative_to(headers)}>\n" for path in sorted(headers.rglob("*.hpp"))]
    everything.write_text("".join(includes), encoding="utf-8")
    # Not as a system folder, as pkg-config's -I is: warnings in headers must show.
    run(*compiler, *WARNINGS, "-fsyntax-only", everything, *flags)
    print(f"{len(includes)} headers installed")


def check_onnx(root, compiler):
    """The library of ONNX files, where it was built: its package brings the other one's."""
    if list(root.rglob("xgrad-onnx.pc")):
        program = root / "onnx_program"
        run(*compiler, EXAMPLES / "onnx_program.cpp", *pkg_config_flags(root, module="xgrad-onnx"), "-o", program)
        run(program, env=without_library_path())


def check_static(root, compiler):
    """A program of the static library needs nothing of the shared one, which is taken away."""
    for library in root.rglob("libxgrad.so*"):
        library.unlink()
    program = root / "static_program"
    run(*compiler, EXAMPLES / "program.cpp", *pkg_config_flags(root, "--static"), "-o", program)
    run(program, env=without_library_path())


def main():
    _, build, *compiler = sys.argv[1:]
    compiler.append("-std=c++20")
    with installation(build) as root:
        flags = pkg_config_flags(root)
        added = added_seconds(root, compiler, flags)
        run(root / "program", env=without_library_path())
        for program in root.rglob("bin/xgrad-*"):
            run(program, "--help", env=without_library_path(), stdout=subprocess.DEVNULL)
        for program in root.rglob("bin/xgrad-inspect"):
            run(sys.executable, INSPECTS, program, "compares_two_files", env=without_library_path())
        check_headers(root, compiler, flags)
        check_onnx(root, compiler)
        if list(root.rglob("libxgrad.a")):
            check_static(root, compiler)
    return 0 if added < MAX_ADDED_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main())
