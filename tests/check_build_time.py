"""A clean build takes no more processor time than it should:  check_build_time.py BUILD_FOLDER COMPILER...

Both sides are processor time, which what else the machine does hardly changes, and machines of any speed have one limit:
the build is measured in compilations of one small file, which is compiled here. script/build writes down what the first
build of a folder took; where it did not, the check ends with code 77.
"""

import pathlib
import re
import resource
import subprocess
import sys
import tempfile

LIMIT = 420  # about 240 on an idle machine; processor time grows where others share its cores
LIMIT_OF_ONNX = 110  # for the library of ONNX files and its tests, where they are built, too: about 65
LIMIT_OF_MPI = 20  # the same for the library of MPI: about 12
LIMIT_OF_GRADBENCH = 130  # and for GradBench's objectives: about 80 with all libraries that they are compared with
TRIES = 3
SKIPPED = 77
REFERENCE = pathlib.Path(__file__).resolve().parent / "install" / "xtensor_only.cpp"


def seconds_of_build(text):
    """User and system time of child processes: the second line of what the shell's `times` prints."""
    return sum(60 * int(minutes) + float(seconds) for minutes, seconds in re.findall(r"(\d+)m([\d.]+)s", text.splitlines()[1]))


def seconds_of_reference(compiler):
    flags = subprocess.run(["pkg-config", "--cflags", "xtensor"], check=True, capture_output=True, text=True).stdout.split()
    seconds = []
    with tempfile.TemporaryDirectory() as folder:
        command = [*compiler, "-std=c++20", "-O2", *flags, "-c", str(REFERENCE), "-o", f"{folder}/reference.o"]
        for _ in range(TRIES):
            before = resource.getrusage(resource.RUSAGE_CHILDREN)
            subprocess.run(command, check=True)
            after = resource.getrusage(resource.RUSAGE_CHILDREN)
            seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return sorted(seconds)[TRIES // 2]


def main():
    build, *compiler = sys.argv[1:]
    record = pathlib.Path(build) / "processor_times"
    if not record.exists():
        print(f"{record} is missing: script/build writes it when it builds everything in a new folder")
        return SKIPPED
    taken, reference = seconds_of_build(record.read_text()), seconds_of_reference(compiler)
    limit = LIMIT
    limit += LIMIT_OF_ONNX if next((pathlib.Path(build) / "onnx").glob("libxgrad-onnx.*"), None) else 0
    limit += LIMIT_OF_MPI if next((pathlib.Path(build) / "distributed").glob("libxgrad-mpi.*"), None) else 0
    limit += LIMIT_OF_GRADBENCH if (pathlib.Path(build) / "benchmarks" / "gradbench" / "gradbench").exists() else 0
    print(f"the build took {taken:.0f} s, {taken / reference:.0f} times the reference's {reference:.2f} s; the limit is {limit}")
    if taken > limit * reference:
        print("see in .ninja_log which files take long, and what they include; build in a new folder to measure anew")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
