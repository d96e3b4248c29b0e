"""What script/bench prints:  table.py BUILD CASE"""

import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
COMPARE = HERE.parent.parent / "benchmarks" / "compare.py"


def run(build, *options):
    result = subprocess.run([sys.executable, COMPARE, build, *options], capture_output=True, text=True, timeout=300)
    return result.returncode, result.stdout, result.stderr


def training(build):
    """One row per program, with its ratio to the first."""
    code, printed, errors = run(build, "--quick", "--markdown", "--no-micro", "--workloads", "W1,W2", "--threads", "1",
                                "--rounds", "1", "--epochs", "1", "--peers", "slabs,simple")
    assert code == 0, errors
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines() if line[:1] == "|"]
    assert rows[0] == ["program", "W1", "W2"] and rows[1] == ["---"] * 3, rows
    assert [row[0] for row in rows[2:]] == ["xgrad, compiled", "by hand, best schedule", "by hand, simple"], rows
    seconds = [[float(number) for cell in row[1:] for number in re.fullmatch(r"(\S+) \((\S+)\)", cell).groups()]
               for row in rows[2:]]
    first = seconds[0]
    assert first[1] == first[3] == 1, first
    for each in seconds:
        for i in [0, 2]:
            assert abs(each[i] / first[i] - each[i + 1]) <= 0.02 * each[i + 1] + 0.01, (each, first)


def gradbench(build):
    """A row per objective and size, whose ratios are above 0."""
    code, printed, errors = run(build, "--gradbench", "--quick", "--markdown", "--objectives", "hello,lse")
    assert code == 0, errors
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in printed.splitlines() if line[:1] == "|"]
    assert rows[0][:4] == ["objective", "size", "primal", "/ by hand"] and rows[1] == ["---"] * len(rows[0]), rows
    assert [row[:2] for row in rows[2:]] == [["hello", "1"], ["lse", "n = 1000"], ["lse", "n = 30000"]], rows
    for row in rows[2:]:
        assert float(row[3]) > 0 and float(row[6]) > 0, row
    for peer in ["libtorch", "ADOL-C", "Sacado", "Ceres"]:
        there = any(row[rows[0].index(f"/ {peer}", 4)] for row in rows[2:])
        assert there != (f"{peer}: not installed, or does none of these; left out" in printed), (peer, printed)


def scaling(build):
    """A line per number of cores, for each workload."""
    code, printed, errors = run(build, "--scaling", "--workloads", "W1,W2", "--threads", "1")
    assert code == 0, errors
    tables = re.split(r"^(W\d): ", printed, flags=re.MULTILINE)[1:]
    assert tables[::2] == ["W1", "W2"], printed
    for table in tables[1::2]:
        rows = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+)", table, flags=re.MULTILINE)
        assert [int(row[0]) for row in rows] == [1, 2, 4, 8, 16, 32, 64], table
        for workers, seconds, speedup in rows:
            assert 0 < float(speedup) <= int(workers), table
            assert abs(float(rows[0][1]) / float(seconds) - float(speedup)) <= 0.01 * float(speedup) + 0.01, table


def wrong_options(build):
    for option in [["--workloads", "W9"], ["--peers", "nobody"], ["--rounds", "x"]]:
        code, printed, errors = run(build, *option)
        assert code == 2 and printed == "" and option[1] in errors, (option, code, printed, errors)


if __name__ == "__main__":
    {"training": training, "gradbench": gradbench, "scaling": scaling, "wrong_options": wrong_options}[sys.argv[2]](sys.argv[1])
