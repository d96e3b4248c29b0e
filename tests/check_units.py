"""The library's sources compile as one, so it never matters which of them are compiled together:  check_units.py COMPILER...

As three, to be exact: those that know no tensors are always apart from the others, and those that take no time to run from
both. Those of the library of MPI are one more, where there is MPI. It also finds types of the same name, which no linker would.
"""

import concurrent.futures
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
GROUND = ["autograd/runtime", "autograd/array", "autograd/kernels", "autograd/formula", "datasets"]
ABOVE = ["autograd/graph", "autograd/ops", "autograd/transforms", "autograd/loops", "autograd/plan", "nn"]
UPPER = ["autograd/plan/report", "autograd/plan/trace", "autograd/provenance", "datasets", "nn"]
MPI = ["distributed"]
# Compiled once per instruction set, and a program.
BY_THEMSELVES = ("autograd/kernels/isa/", "nn/inspect/", "nn/report/xgrad_report.cpp")
FLAGS = "-std=c++20 -fsyntax-only -Wall -Wextra -Wshadow -Wno-restrict -Wno-subobject-linkage -Wno-unknown-warning-option -DHAVE_CBLAS=1 -I.".split()


def flags_of(module):
    """What pkg-config says; None where there is no such module."""
    found = subprocess.run(["pkg-config", "--cflags", module], capture_output=True, text=True)
    return found.stdout.split() if found.returncode == 0 else None


def mpi_flags():
    """Without MPI's own C++ interface. None where there is no MPI."""
    flags = flags_of("ompi-c") or flags_of("mpich")
    return flags and [*flags, "-DOMPI_SKIP_MPICXX", "-DMPICH_SKIP_MPICXX"]


def errors_of(rooms):
    sources = [str(path.relative_to(ROOT)) for room in rooms for path in sorted((ROOT / room).rglob("*.cpp"))]
    text = "".join(f'#include "{source}"\n' for source in sources if not source.startswith(BY_THEMSELVES))
    command = [*(sys.argv[1:] or ["c++"]), *FLAGS, *(flags_of("openblas") or []), *(mpi_flags() or []), "-x", "c++", "-"]
    return subprocess.run(command, cwd=ROOT, input=text, capture_output=True, text=True).stderr


def main():
    with concurrent.futures.ThreadPoolExecutor() as pool:
        units = [GROUND, ABOVE, UPPER, *([MPI] if mpi_flags() else [])]
        errors = [error for error in pool.map(errors_of, units) if error]
    print(*errors, sep="\n")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
