"""A clean build takes no more processor time than it should:  check_build_time.py BUILD_FOLDER COMPILER...

Both sides are processor time, which what else the machine does hardly changes, and machines of any speed have one limit:
the build is measured in compilations of one small file, which is compiled here. script/build writes down what the first
build of a folder took; where it did not, the check ends with code 77.

What script/train builds is a part of that, for this machine alone. Its share is that of its files in the seconds that Ninja
has noted for each, which what else the machine does makes longer for all alike.
"""

import pathlib
import re
import resource
import subprocess
import sys
import tempfile

LIMIT = 420  # about 410 on a machine whose cores others share
LIMIT_OF_TRAIN = 190  # for what script/train builds, MPI's library included: about 110
LIMIT_OF_ONNX = 110  # for the library of ONNX files and its tests, where they are built, too: about 80
LIMIT_OF_MPI = 20  # the same for the library of MPI: about 8
LIMIT_OF_GRADBENCH = 130  # and for GradBench's objectives: about 80 with all libraries that they are compared with
TRAINED = "examples/fashion_mnist"  # what script/train builds
TRIES = 3
SKIPPED = 77
REFERENCE = pathlib.Path(__file__).resolve().parent / "install" / "xtensor_only.cpp"


def seconds_of_build(text):
    """User and system time of child processes: the second line of what the shell's `times` prints."""
    return sum(60 * int(minutes) + float(seconds) for minutes, seconds in re.findall(r"(\d+)m([\d.]+)s", text.splitlines()[1]))


def share_of(build, target):
    """The part of a build that a target needs, with the loops of one instruction set: those that take longest."""
    inputs = subprocess.run(["ninja", "-C", build, "-t", "inputs", target], check=True, capture_output=True, text=True)
    needed = {target, *inputs.stdout.split("\n")}
    log = (line.split("\t") for line in (build / ".ninja_log").read_text().splitlines() if not line.startswith("#"))
    seconds = {output: int(end) - int(start) for start, end, _, output, _ in log}
    of_sets = {}
    for output in needed & seconds.keys():
        match = re.search(r"libxgrad_kernels_\w+", output)
        name = match[0] if match else None
        of_sets[name] = of_sets.get(name, 0) + seconds[output]
    rest = of_sets.pop(None)
    return (rest + max(of_sets.values())) / sum(seconds.values())


def is_below(what, seconds, reference, limit):
    print(f"{what} took {seconds:.0f} s, {seconds / reference:.0f} times the reference's {reference:.2f} s; the limit is {limit}")
    return seconds <= limit * reference


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
    build = pathlib.Path(build)
    record = build / "processor_times"
    if not record.exists():
        print(f"{record} is missing: script/build writes it when it builds everything in a new folder")
        return SKIPPED
    taken, reference = seconds_of_build(record.read_text()), seconds_of_reference(compiler)
    limit = LIMIT
    limit += LIMIT_OF_ONNX if next((build / "onnx").glob("libxgrad-onnx.*"), None) else 0
    limit += LIMIT_OF_MPI if next((build / "distributed").glob("libxgrad-mpi.*"), None) else 0
    limit += LIMIT_OF_GRADBENCH if (build / "benchmarks" / "gradbench" / "gradbench").exists() else 0
    good = is_below("the build", taken, reference, limit)
    if (build / TRAINED).exists():
        good &= is_below("script/train's part of it", taken * share_of(build, TRAINED), reference, LIMIT_OF_TRAIN)
    if not good:
        print("see in .ninja_log which files take long, and what they include; build in a new folder to measure anew")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
