"""Every op gives the same bits with every instruction set:  check_bits.py PROGRAM [COMMAND...]

PROGRAM prints `set NAME` and then `row dtype hash`, a line for each op, for its derivative and for trained weights; it is
run under each set that the CPU has. Products are OpenBLAS's with the baseline, which has no fused multiply-adds: rows with
products are compared between the others. COMMAND runs the same program for another CPU, such as `qemu-aarch64-static bits`.
"""

import os
import subprocess
import sys

X86_64, AARCH64 = 62, 183  # how the header of a program (ELF) names them
SETS = {X86_64: ["baseline", "avx2", "avx512", "avx512_bf16", "amx"], AARCH64: ["neon"]}
# How rows with products begin.
PRODUCTS = ("corrcoef", "cov", "einsum", "linalg_matrix_power", "matmul", "tensordot", "training")
# What is computed in long double, which has as many digits everywhere on x86-64, and others elsewhere.
LONG_DOUBLE = ("digamma", "erfinv", "lgamma'", "lgamma_negative'", "polygamma")
SKIPPED = 77


def hashes_of(command, wanted):
    """What the program prints with this instruction set, by row and dtype; nothing where the CPU lacks it."""
    environment = dict(os.environ, XGRAD_ISA=wanted)
    output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True).stdout
    first, *lines = output.splitlines()
    if first != f"set {wanted}":
        return None
    return {tuple(line.split()[:2]): line.split()[2] for line in lines}


def machine_of(command):
    """The kind of CPU that the program is for."""
    with open(command[-1], "rb") as program:
        return int.from_bytes(program.read(20)[18:], "little")


def is_compared(name, row):
    """Whether the row has to be the same with this set as with all others of which that is true."""
    return name != "baseline" or not row[0].startswith(PRODUCTS)


def differences(results, excepted=()):
    """One line for each row whose hashes are not all the same."""
    lines = []
    for row in sorted(set().union(*results.values())):
        if row[0].startswith(excepted):
            continue
        hashes = {name: results[name].get(row, "missing") for name in results if is_compared(name, row)}
        if len(set(hashes.values())) > 1:
            lines.append(f"{' '.join(row)}: " + ", ".join(f"{name} {value}" for name, value in hashes.items()))
    return lines


def main():
    commands = [command for command in (sys.argv[1:2], sys.argv[2:]) if command]
    results = {}
    for command in commands:
        for name in SETS.get(machine_of(command), ["baseline"]):
            hashes = hashes_of(command, name)
            if hashes is None:
                print(f"{name} is skipped: this CPU does not have it, or the system does not permit it")
            else:
                results[name] = hashes
    if len(results) < 2:
        return SKIPPED
    wrong = differences(results, LONG_DOUBLE if len(commands) > 1 else ())
    print("\n".join(wrong))
    print(f"{len(wrong)} of {len(next(iter(results.values())))} rows differ between {', '.join(results)}")
    return 1 if wrong or len(next(iter(results.values()))) < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
