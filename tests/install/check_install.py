"""Installs a build into a temporary folder and uses it from outside the tree, as a user would:

    check_install.py SOURCE_FOLDER BUILD_FOLDER COMPILER...

A program builds with pkg-config's flags alone and runs, with the shared library and with the static one where that was
built; its headers add no more to the time of compilation than xtensor's own take; and all installed headers compile
together without a warning, so none includes one that is not installed. Where they were built, the libraries of ONNX files
and of MPI are used, too.
"""

import resource
import subprocess
import sys

from installed import EXAMPLES, installation, pkg_config_flags, run, without_library_path

INSPECTS = EXAMPLES.parent / "inspect" / "inspect.py"
TRIES = 6
WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wshadow", "-Wconversion", "-Werror"]


def cpu_seconds(*command):
    """Processor time of a command: unlike the clock's, it does not depend on what else the machine does."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(*command)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def check_compile_time(root, compiler, flags):
    """A user's file compiles in at most twice the time of one with xtensor alone. The two are compiled in turns, as other
    work on the machine slows one for a while and then the other."""
    compile_ours = [*compiler, EXAMPLES / "program.cpp", *flags, "-o", root / "program"]
    compile_theirs = [*compiler, EXAMPLES / "xtensor_only.cpp", *flags, "-o", root / "xtensor_only"]
    ours, theirs = [], []
    while len(ours) < TRIES and (not ours or min(ours) > 2 * min(theirs)):
        theirs.append(cpu_seconds(*compile_theirs))
        ours.append(cpu_seconds(*compile_ours))
    print(f"compile time: {min(ours):.2f} s, with xtensor only {min(theirs):.2f} s")
    if min(ours) > 2 * min(theirs):
        sys.exit("a file that includes our headers takes more than twice as long to compile as one with xtensor's alone")


def check_headers(root, compiler, flags):
    (headers,) = (path.parent.parent for path in root.rglob("autograd/autograd.hpp"))
    everything = root / "everything.cpp"
    includes = [f"#include <{path.relative_to(headers)}>\n" for path in sorted(headers.rglob("*.hpp"))]
    everything.write_text("".join(includes), encoding="utf-8")
    # Not as a system folder, as pkg-config's -I is: warnings in headers must show.
    run(*compiler, *WARNINGS, "-fsyntax-only", everything, *flags)
    print(f"{len(includes)} headers installed")


def check_beside(root, compiler, name):
    """A library beside it, where it was built: its package brings the other one's."""
    if list(root.rglob(f"xgrad-{name}.pc")):
        program = root / f"{name}_program"
        flags = pkg_config_flags(root, module=f"xgrad-{name}")
        run(*compiler, EXAMPLES / f"{name}_program.cpp", *flags, "-o", program)
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
        check_compile_time(root, compiler, flags)
        run(root / "program", env=without_library_path())
        for program in root.rglob("bin/xgrad-*"):
            run(program, "--help", env=without_library_path(), stdout=subprocess.DEVNULL)
        for program in root.rglob("bin/xgrad-inspect"):
            run(sys.executable, INSPECTS, program, "compares_two_files", env=without_library_path())
        check_headers(root, compiler, flags)
        check_beside(root, compiler, "onnx")
        check_beside(root, compiler, "mpi")
        if list(root.rglob("libxgrad.a")):
            check_static(root, compiler)


if __name__ == "__main__":
    main()
