"""Runs a program as several ranks, as tests do on any machine:  run_ranks.py MPIRUN RANKS PROGRAM [ARGUMENT...]

Without enough processors, as root, in a container; ends as the program does.
"""

import os
import pathlib
import subprocess
import sys

SUPPRESSIONS = pathlib.Path(__file__).with_name("openmpi.supp")


def environment():
    """For OpenMPI: as root, and more ranks than processors. For the address sanitizer: what MPI never frees; its modules are
    gone when leaks are reported, so whole stacks are needed to know them."""
    own = {
        "OMPI_ALLOW_RUN_AS_ROOT": "1",
        "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
        "OMPI_MCA_rmaps_base_oversubscribe": "1",
        "OMPI_MCA_hwloc_base_binding_policy": "none",
        "ASAN_OPTIONS": "fast_unwind_on_malloc=0",
        "LSAN_OPTIONS": f"suppressions={SUPPRESSIONS}:print_suppressions=0",
    }
    return {**own, **os.environ}


def run(mpirun, ranks, program, *arguments, timeout=None, **more_environment):
    """The process when it has ended: its code, what it printed."""
    return subprocess.run(
        [mpirun, "-n", str(ranks), program, *arguments],
        env={**environment(), **more_environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=timeout,
    )


def main():
    result = run(*sys.argv[1:])
    sys.stdout.write(result.stdout)
    sys.stderr.write(result.stderr)
    return result.returncode


if __name__ == "__main__":
    sys.exit(main())
