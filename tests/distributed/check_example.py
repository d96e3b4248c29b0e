"""The example trains to the same weights on any number of ranks:  check_example.py MPIRUN PROGRAM"""

import sys

import run_ranks


def weights(mpirun, program, ranks):
    result = run_ranks.run(mpirun, ranks, program, "--epochs", "1", timeout=120)
    print(result.stdout, result.stderr, sep="\n")
    assert result.returncode == 0
    last = result.stdout.splitlines()[-1]
    assert last.startswith(f"ranks={ranks} weights=")
    return last.split("=")[-1]


def main():
    mpirun, program = sys.argv[1:]
    one, two, four = (weights(mpirun, program, ranks) for ranks in (1, 2, 4))
    assert one == two == four
    refused = run_ranks.run(mpirun, 3, program, timeout=120)
    assert refused.returncode != 0 and "3 ranks; start 1, 2, 4 or 8" in refused.stderr


if __name__ == "__main__":
    main()
