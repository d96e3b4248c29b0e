"""Compares xgrad with other programs that train the same network:  compare.py BUILD [OPTION...]   (--help lists them)

Programs take turns, so that all of them see the same changes of the machine; what counts is the median over all epochs.
Prints seconds for an epoch of 60,000 images, and in brackets how many times as long as xgrad's compiled training it is.
"""

import argparse
import dataclasses
import json
import math
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile

IMAGES = 60_000
TOO_SLOW = 10  # what takes so many times as long as xgrad has one turn only
LINE = re.compile(r"epoch \d+ seconds \S+ samples_per_second (\S+) loss (\S+)")
HERE = pathlib.Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Workload:
    hidden: str
    batch_size: int
    optimizer: str
    steps: int = 0  # per epoch; 0 for all

    def title(self):
        return f"784-{self.hidden.replace(',', '-')}-10, batch {self.batch_size}, {self.optimizer}"


WORKLOADS = {
    "W1": Workload("128", 32, "adam"),
    "W2": Workload("128", 64, "sgd"),
    "W3": Workload("512,256", 128, "adam"),
    "W4": Workload("2048,2048", 256, "sgd", steps=60),
}
QUICK_STEPS = {"W1": 400, "W2": 300, "W3": 120, "W4": 8}


@dataclasses.dataclass(frozen=True)
class Peer:
    title: str
    program: str
    mode: str = ""
    products: str = ""  # another precision of xgrad's products
    same_kernels: bool = False  # told to use the kernels that xgrad makes OpenBLAS use
    has_loss: bool = True
    rounds: bool = False  # the factors of products, to eight bits: its losses differ by more


PEERS = {
    "compiled": Peer("xgrad, compiled", "train_mlp", "compiled"),
    "bfloat16": Peer("xgrad, products in bfloat16", "train_mlp", "compiled", products="bfloat16", rounds=True),
    "eager": Peer("xgrad, define-by-run", "train_mlp", "eager"),
    "slabs": Peer("by hand, best schedule", "by_hand", "slabs"),
    "simple": Peer("by hand, simple", "by_hand", "simple"),
    "libtorch": Peer("libtorch", "torch_mlp"),
    "libtorch-kernels": Peer("libtorch, same BLAS kernels", "torch_mlp", same_kernels=True),
    "libtorch-bfloat16": Peer("libtorch, autocast to bfloat16", "torch_mlp", "bfloat16", rounds=True),
    "numpy": Peer("NumPy", "numpy_mlp.py"),
    "numpy-kernels": Peer("NumPy, same BLAS kernels", "numpy_mlp.py", same_kernels=True),
    "products": Peer("matrix products alone", "by_hand", "products", has_loss=False),
}
REFERENCE = "compiled"
OBJECTIVES = ["hello", "lse", "llsq", "det", "kmeans", "ode", "gmm", "lstm", "ba", "ht", "particle", "saddle"]
GRADBENCH_PEERS = ["libtorch", "ADOL-C", "Sacado", "Ceres"]


class Machine:
    """What is there to run the programs with."""

    def __init__(self, build, data, scratch):
        self.programs = build / "benchmarks"
        self.data = ["--data", data] if data else []
        self.scratch = scratch
        self.python = find_python_with_numpy()
        printed = subprocess.run([self.programs / "export_task"], capture_output=True, text=True, check=True).stdout
        self.kernels = printed.split()[-1]

    def has(self, peer):
        if peer.program.endswith(".py"):
            return self.python is not None
        return (self.programs / peer.program).exists()

    def command(self, peer, workload, threads, epochs):
        if peer.program.endswith(".py"):
            task = self.export(workload, epochs)
            return [self.python, HERE / peer.program, task, str(workload.batch_size), workload.optimizer, str(epochs),
                    str(workload.steps)]
        command = [self.programs / peer.program, "--hidden", workload.hidden, "--batch-size", str(workload.batch_size),
                   "--optimizer", workload.optimizer, "--epochs", str(epochs), "--steps", str(workload.steps),
                   "--threads", str(threads), *self.data]
        command += ["--mode", peer.mode] if peer.mode else []
        return command + (["--products", peer.products] if peer.products else [])

    def export(self, workload, epochs):
        """Writes the task for programs that cannot make it themselves, once."""
        folder = self.scratch / f"{workload.hidden}-{epochs}"
        if not folder.exists():
            folder.mkdir()
            subprocess.run([self.programs / "export_task", "--hidden", workload.hidden, "--epochs", str(epochs),
                            "--folder", folder, *self.data], check=True, stdout=subprocess.DEVNULL)
        return folder

    def scaling(self, workload, threads):
        """What more cores would do for a step of xgrad's, as a table."""
        peer = Peer("xgrad", "train_mlp", "scaling")
        return subprocess.run(self.command(peer, workload, threads, 1), capture_output=True, text=True, check=True).stdout

    def environment(self, peer, threads):
        result = dict(os.environ, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads))
        if peer.same_kernels:
            result["OPENBLAS_CORETYPE"] = self.kernels
        return result

    def run(self, peer, workload, threads, epochs):
        """Per epoch: seconds for all images, and the mean loss."""
        result = subprocess.run(self.command(peer, workload, threads, epochs), capture_output=True, text=True,
                                env=self.environment(peer, threads))
        if result.returncode != 0:
            sys.exit(f"{peer.title} failed:\n{result.stderr}")
        return [(IMAGES / float(rate), float(loss)) for rate, loss in LINE.findall(result.stdout)]


def find_python_with_numpy():
    for python in [sys.executable, "/usr/bin/python3", "python3"]:
        try:
            if subprocess.run([python, "-c", "import numpy"], capture_output=True).returncode == 0:
                return python
        except OSError:
            pass
    return None


def measure(machine, workload, threads, peers, rounds, epochs):
    """Per peer the median seconds of its epochs over all rounds, and the last loss."""
    seconds = {name: [] for name in peers}
    losses = {}
    for number in range(rounds):
        for name, peer in peers.items():
            if seconds[name] and min(seconds[name]) > TOO_SLOW * min(seconds[REFERENCE]):
                continue
            progress(f"{workload.title()}, {threads} threads, round {number + 1}/{rounds}: {peer.title}")
            runs = machine.run(peer, workload, threads, epochs)
            seconds[name] += [each for each, _ in runs]
            losses[name] = runs[-1][1]
    progress("")
    return {name: statistics.median(values) for name, values in seconds.items()}, losses


def progress(text):
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


def disagreement(losses, peers):
    """The largest relative difference of a program's loss from xgrad's."""
    kept = {name: loss for name, loss in losses.items() if peers[name].has_loss}
    if REFERENCE not in kept:
        return 0.0
    return max(abs(loss - kept[REFERENCE]) / kept[REFERENCE] for loss in kept.values())


def cell(seconds, reference):
    if seconds is None:
        return "not there"
    digits = 3 if seconds < 2 else 2 if seconds < 10 else 1
    ratio = f" ({seconds / reference:.2f})" if reference else ""
    return f"{seconds:.{digits}f}{ratio}"


def with_best_counts(results):
    """The seconds of each program with the best of the numbers of threads up to the one it was given."""
    best = {}
    for (threads, name, workload), seconds in results.items():
        fewer = [s for (t, n, w), s in results.items() if n == name and w == workload and t <= threads]
        best[threads, name, workload] = min([seconds] + fewer)
    return best


def print_table(results, workloads, threads, markdown):
    heads = ["program", *workloads]
    rows = []
    names = [name for name in PEERS if any(key[1] == name for key in results)]
    best = with_best_counts(results)

    def add(title, name, source):
        cells = [source.get((threads, name, workload)) for workload in workloads]
        references = [results.get((threads, REFERENCE, workload)) for workload in workloads]
        rows.append([title, *map(cell, cells, references)])

    for name in names:
        add(PEERS[name].title, name, results)
        keys = [(threads, name, workload) for workload in workloads]
        if name.startswith(("libtorch", "numpy")) and any(best.get(key) != results.get(key) for key in keys):
            add(f"{PEERS[name].title}, best number of threads", name, best)

    print(f"\nSeconds per epoch on {threads} thread{'s' if threads > 1 else ''}, and the ratio to xgrad, compiled\n")
    print_rows([heads, *rows], markdown)


def print_rows(rows, markdown):
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for number, row in enumerate(rows):
        if markdown:
            print("| " + " | ".join(row) + " |")
            if number == 0:
                print("| " + " | ".join("---" for _ in row) + " |")
        else:
            print("  ".join(text.ljust(width) for text, width in zip(row, widths)).rstrip())


def parse_arguments():
    def names(known):
        def parse(text):
            chosen = [name for name in text.split(",") if name]
            unknown = [name for name in chosen if name not in known]
            if unknown:
                raise argparse.ArgumentTypeError(f"{unknown[0]} is none of {', '.join(known)}")
            return chosen
        return parse

    parser = argparse.ArgumentParser(prog="script/bench", description="Compares xgrad with other programs that train "
                                     "the same network, then runs the micro-benchmarks.")
    parser.add_argument("build", type=pathlib.Path, help=argparse.SUPPRESS)
    parser.add_argument("--workloads", type=names(WORKLOADS), default=list(WORKLOADS), metavar="W1,W3",
                        help="; ".join(f"{name}: {each.title()}" for name, each in WORKLOADS.items()))
    parser.add_argument("--threads", type=lambda text: [int(t) for t in text.split(",")], default=[1, 2], metavar="1,2",
                        help="numbers of threads")
    parser.add_argument("--peers", type=names(PEERS), default=list(PEERS), metavar="NAMES", help=", ".join(PEERS))
    parser.add_argument("--rounds", type=int, default=5, help="how often every program has its turn")
    parser.add_argument("--epochs", type=int, default=3, help="epochs of a turn")
    parser.add_argument("--quick", action="store_true", help="a few steps, two rounds: rough figures in a minute")
    parser.add_argument("--markdown", action="store_true", help="print tables in Markdown")
    parser.add_argument("--data", help="folder of the four IDX files")
    parser.add_argument("--gradbench", action="store_true", help="GradBench's objectives instead, on one thread")
    parser.add_argument("--objectives", type=names(OBJECTIVES), default=OBJECTIVES, metavar="NAMES",
                        help=", ".join(OBJECTIVES))
    parser.add_argument("--scaling", action="store_true", help="instead, what each step would take on 1 to 64 cores")
    parser.add_argument("--no-training", action="store_true", help="only the micro-benchmarks")
    parser.add_argument("--no-micro", action="store_true", help="without the micro-benchmarks")
    return parser.parse_args()


def compare_training(machine, options):
    peers = {name: PEERS[name] for name in PEERS if name in options.peers or name == REFERENCE}
    for name in [name for name, peer in peers.items() if not machine.has(peer)]:
        print(f"{peers.pop(name).title}: not installed, skipped")
    rounds = min(options.rounds, 2) if options.quick else options.rounds
    epochs = min(options.epochs, 2) if options.quick else options.epochs
    results = {}
    for threads in options.threads:
        for name in options.workloads:
            workload = WORKLOADS[name]
            if options.quick:
                workload = dataclasses.replace(workload, steps=QUICK_STEPS[name])
            medians, losses = measure(machine, workload, threads, peers, rounds, epochs)
            results |= {(threads, peer, name): seconds for peer, seconds in medians.items()}
            difference = disagreement(losses, peers)
            if difference > 0.02:
                print(f"{name}, {threads} threads: the programs' losses differ by {difference:.1%}: {losses}")
        print_table(results, options.workloads, threads, options.markdown)


def predict_scaling(machine, options):
    for name in options.workloads:
        print(f"\n{name}: {WORKLOADS[name].title()}\n")
        print(machine.scaling(WORKLOADS[name], max(options.threads)), end="", flush=True)


def readable(value, unit):
    for prefix, size in [("G", 1e9), ("M", 1e6), ("k", 1e3)]:
        if value >= size:
            return f"{value / size:.1f} {prefix}{unit}/s"
    return f"{value:.1f} {unit}/s"


def readable_time(seconds):
    for unit, size in [("s", 1), ("ms", 1e-3), ("µs", 1e-6)]:
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def rate_text(entry, peak):
    """Bytes or floating-point operations per second, these beside the peak of one core in the same run."""
    if "bytes" in entry:
        return readable(entry["bytes"], "B")
    if "flops" not in entry:
        return ""
    rate = readable(entry["flops"], "FLOP")
    return f"{rate}, {100 * entry['flops'] / peak:.0f} % of the peak" if peak and entry["name"] != "Peak" else rate


def run_micro(machine, options):
    """One thread and its processor time, so that what others do hardly matters."""
    program = machine.programs / "micro"
    if not program.exists():
        print("micro-benchmarks: Google Benchmark is not installed, skipped")
        return
    least_time = 0.02 if options.quick else 0.2
    printed = subprocess.run([program, f"--benchmark_min_time={least_time}", "--benchmark_format=json"],
                             capture_output=True, text=True, check=True).stdout
    units = {"ns": 1e-9, "us": 1e-6, "ms": 1e-3, "s": 1.0}
    rows = [["micro-benchmark", "time", "of which each", "rate"]]
    entries = json.loads(printed)["benchmarks"]
    peak = next((entry["flops"] for entry in entries if entry["name"] == "Peak"), None)
    for entry in entries:
        each = [f"{readable_time(value)} {name.replace('_', ' ')}" for name, value in entry.items()
                if name.startswith("per_") and isinstance(value, float)]
        time = readable_time(entry["cpu_time"] * units[entry["time_unit"]])
        rows.append([entry["name"], time, " ".join(each), rate_text(entry, peak)])
    print()
    print_rows(rows, options.markdown)


def run_gradbench(machine, options):
    """How many times as long as others xgrad takes for GradBench's objectives and their derivatives."""
    program = machine.programs / "gradbench" / "gradbench"
    environment = dict(os.environ, OMP_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")
    cases = {}
    for name in options.objectives:
        progress(name)  # a process for each: large tapes make ADOL-C slow with small ones that come later
        done = subprocess.run([program, "--only", name, *(["--quick"] if options.quick else [])], text=True,
                              capture_output=True, env=environment)
        if done.returncode != 0:
            sys.exit(f"{name} failed:\n{done.stderr}")
        for line in done.stdout.splitlines():
            objective, size, method, *seconds = line.split("\t")
            cases.setdefault((objective, size), {})[method] = [float(each) for each in seconds]
    progress("")
    for peer in GRADBENCH_PEERS:
        if not any(peer in methods for methods in cases.values()):
            print(f"{peer}: not installed, or does none of these; left out")
    print("\nOn one thread: seconds that xgrad takes, and how many times as long as others that is\n")
    print_rows(list(gradbench_rows(cases)), options.markdown)


def gradbench_rows(cases):
    def ratio(methods, name, column):
        other = methods.get(name)
        if other is None or math.isnan(other[column]):
            return ""
        times = methods["xgrad"][column] / other[column]
        return f"{times:.0f}" if times >= 100 else f"{times:.2g}"

    yield ["objective", "size", "primal", "/ by hand", "/ libtorch", "derivative", "/ by hand",
           *(f"/ {peer}" for peer in GRADBENCH_PEERS), "planning", "ADOL-C's tape"]
    for (objective, size), methods in cases.items():
        planning, primal, derivative = methods["xgrad"]
        tape = readable_time(methods["ADOL-C"][0]) if "ADOL-C" in methods else ""
        yield [objective, size, readable_time(primal), ratio(methods, "by hand", 1), ratio(methods, "libtorch", 1),
               readable_time(derivative), ratio(methods, "by hand", 2),
               *(ratio(methods, peer, 2) for peer in GRADBENCH_PEERS), readable_time(planning), tape]


def main():
    options = parse_arguments()
    with tempfile.TemporaryDirectory(prefix="xgrad-bench-") as scratch:
        machine = Machine(options.build, options.data, pathlib.Path(scratch))
        chosen = os.environ.get("OPENBLAS_CORETYPE")
        print(f"BLAS kernels: {machine.kernels}" + (", as OPENBLAS_CORETYPE says: unset it" if chosen else ""))
        if options.gradbench:
            run_gradbench(machine, options)
            return
        if options.scaling:
            predict_scaling(machine, options)
            return
        if not options.no_training:
            compare_training(machine, options)
        if not options.no_micro:
            run_micro(machine, options)


if __name__ == "__main__":
    main()
