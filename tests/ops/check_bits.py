"""Every op gives the same bits with every instruction set:  check_bits.py PROGRAM

PROGRAM prints `set NAME` and then `row dtype hash`, a line for each op; it is run under each set that the CPU has. Products
are OpenBLAS's with the baseline, which has no fused multiply-adds: rows with products are compared between the others.
"""

import os
import subprocess
import sys

SETS = ["baseline", "avx2", "avx512", "amx"]
PRODUCTS = ("corrcoef", "cov", "einsum", "linalg_matrix_power", "matmul", "tensordot")  # how rows with products begin
SKIPPED = 77


def hashes_of(program, wanted):
    """What the program prints with this instruction set, by row and dtype; nothing where the CPU lacks it."""
    environment = dict(os.environ, XGRAD_ISA=wanted)
    output = subprocess.run([program], env=environment, check=True, capture_output=True, text=True).stdout
    first, *lines = output.splitlines()
    if first != f"set {wanted}":
        return None
    return {tuple(line.split()[:2]): line.split()[2] for line in lines}


def differences(results):
    """One line for each row whose hashes are not all the same."""
    lines = []
    for row in sorted(set().union(*results.values())):
        compared = [name for name in results if name != "baseline" or not row[0].startswith(PRODUCTS)]
        hashes = {name: results[name].get(row, "missing") for name in compared}
        if len(set(hashes.values())) > 1:
            lines.append(f"{' '.join(row)}: " + ", ".join(f"{name} {value}" for name, value in hashes.items()))
    return lines


def main():
    results = {}
    for name in SETS:
        hashes = hashes_of(sys.argv[1], name)
        if hashes is None:
            print(f"{name} is skipped: this CPU does not have it")
        else:
            results[name] = hashes
    if len(results) < 2:
        return SKIPPED
    wrong = differences(results)
    print("\n".join(wrong))
    print(f"{len(wrong)} of {len(next(iter(results.values())))} rows differ between {', '.join(results)}")
    return 1 if wrong or len(next(iter(results.values()))) < 300 else 0


if __name__ == "__main__":
    sys.exit(main())
