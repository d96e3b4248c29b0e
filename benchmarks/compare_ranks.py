#!/usr/bin/env python3
"""What ranks and shards cost:  python3 benchmarks/compare_ranks.py [BUILD] [--rounds N] [--steps PART]

Steps of a Trainer, in turns: on two ranks of one thread each, on one rank of two threads, and on one rank with eight
shards. The least of all steps of all rounds counts, as other programs only add to it. The table of docs/distributed.md.
"""

import argparse
import os
import pathlib
import re
import subprocess
import sys

STEPS = {"W1": 400, "W3": 400, "W4": 30}
# What is compared: name, ranks, threads of each, shards.
WAYS = [("2 ranks, 1 thread", 2, 1, 0), ("1 rank, 2 threads", 1, 2, 0), ("1 rank, 1 thread", 1, 1, 0)]
WAYS_OF_SHARDS = [("8 shards, 2 threads", 1, 2, 8), ("8 shards, 1 thread", 1, 1, 8)]
RATIOS = [("2 ranks over 2 threads", WAYS[0], WAYS[1]), ("8 shards over none, 2 threads", WAYS_OF_SHARDS[0], WAYS[1]),
          ("8 shards over none, 1 thread", WAYS_OF_SHARDS[1], WAYS[2])]


def ways_of(workload):
    return WAYS + (WAYS_OF_SHARDS if workload == "W1" else [])


def measure(program, workload, way, steps):
    """Milliseconds of a step: the least and the median."""
    _, ranks, threads, shards = way
    environment = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1", **os.environ,
                   "OMPI_MCA_rmaps_base_oversubscribe": "1", "OMPI_MCA_hwloc_base_binding_policy": "none",
                   "XGRAD_THREADS": str(threads)}
    command = ["mpirun", "-n", str(ranks), program, "--workload", workload, "--shards", str(shards), "--steps", str(steps)]
    result = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    found = re.search(r"least=([\d.]+) median=([\d.]+)", result.stdout)
    if result.returncode != 0 or not found:
        sys.exit(f"{' '.join(map(str, command))} failed:\n{result.stdout}{result.stderr}")
    return float(found.group(1)), float(found.group(2))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", nargs="?", default="build/release", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--steps", type=float, default=1, help="how many, as a part of the usual number")
    options = parser.parse_args()
    program = options.build / "benchmarks" / "ranked_steps"
    least = {}
    medians = {}
    for _ in range(options.rounds):
        for workload, steps in STEPS.items():
            for way in ways_of(workload):
                one, median = measure(program, workload, way, max(2, round(steps * options.steps)))
                least[workload, way] = min(one, least.get((workload, way), one))
                medians.setdefault((workload, way), []).append(median)
    for workload in STEPS:
        print(workload)
        for way in ways_of(workload):
            middle = sorted(medians[workload, way])[len(medians[workload, way]) // 2]
            print(f"  {way[0]:<30} least {least[workload, way]:8.3f} ms   median {middle:8.3f} ms")
        for name, way, beside in RATIOS:
            if (workload, way) in least:
                print(f"  {name:<30} {least[workload, way] / least[workload, beside]:.2f}")


if __name__ == "__main__":
    main()
