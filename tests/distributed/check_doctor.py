"""xgrad-doctor says once how the ranks that mpirun starts are placed:  check_doctor.py MPIRUN PROGRAM"""

import sys

import run_ranks


def main():
    mpirun, doctor = sys.argv[1:]
    result = run_ranks.run(mpirun, 2, doctor, "--quick", timeout=60)
    print(result.stdout, result.stderr, sep="\n")
    assert result.returncode == 0
    assert result.stdout.count("\nRanks\n") == 1
    for line in ["  started                 2 by ", "2 of them on this machine; this is rank 0", "  binding                 none"]:
        assert line in result.stdout, line


if __name__ == "__main__":
    main()
