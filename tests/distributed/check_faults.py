"""What becomes of all ranks when one of them does what it should not:  check_faults.py MPIRUN PROGRAM CASE"""

import os
import signal
import subprocess
import sys
import time

import run_ranks


def fails(mpirun, program, what, *words, ranks=2, within=60):
    """That all ranks end soon, with a code other than 0, and that the words are printed."""
    start = time.monotonic()
    result = run_ranks.run(mpirun, ranks, program, what, timeout=within)
    print(result.stdout, result.stderr, sep="\n")
    print(f"ended with {result.returncode} after {time.monotonic() - start:.1f} s")
    assert result.returncode != 0
    for word in words:
        assert word in result.stdout + result.stderr, f"`{word}` is missing"


def succeeds(mpirun, program, what, *words, ranks=2, **environment):
    result = run_ranks.run(mpirun, ranks, program, what, timeout=60, **environment)
    print(result.stdout, result.stderr, sep="\n")
    assert result.returncode == 0
    for word in words:
        assert word in result.stdout + result.stderr, f"`{word}` is missing"
    return result


def collectives_that_differ(mpirun, program):
    fails(
        mpirun, program, "differ", "[all_reduce] the ranks do not do the same. rank 0: all_reduce of float32(10,)",
        "rank 1: all_reduce of float32(12,) (collective 4)", "faults.cpp",
    )


def rank_that_hangs(mpirun, program):
    fails(
        mpirun, program, "hang", "has waited 3 s for rank 1, in all_reduce of float32(1000,), after 3 collectives",
        ranks=3,
    )


def rank_that_is_stopped(mpirun, program):
    fails(mpirun, program, "stop", "rank 0 has waited 3 s for rank 1")


def rank_that_is_killed(mpirun, program):
    fails(mpirun, program, "die", "signal 9", ranks=3)


def an_exception_that_nobody_catches(mpirun, program):
    fails(mpirun, program, "uncaught", "the data of this rank is broken")


def an_exception_that_is_caught_behind_the_world(mpirun, program):
    fails(
        mpirun, program, "fail", "[world] rank 1 of 2 leaves the others by an exception",
        "main: the data of this rank is broken",
    )


def an_end_before_the_others(mpirun, program):
    fails(mpirun, program, "end", "rank 0: all_reduce of float32(1000,)", "rank 1: the end of its World")


def an_exit_in_the_middle(mpirun, program):
    fails(mpirun, program, "exit", "[world] rank 1 of 2 ended its program before the World")


def rank_that_lingers_at_the_end(mpirun, program):
    succeeds(mpirun, program, "linger", "rank 1: done", "rank 0 has waited 3 s for rank 1", "it goes on waiting")


def all_ranks_pause(mpirun, program):
    """As by Ctrl-Z, for longer than one rank waits for another; then they go on."""
    command = [mpirun, "-n", "2", program, "slow"]
    with subprocess.Popen(command, env=run_ranks.environment(), stdout=subprocess.PIPE, text=True) as job:
        lines = sorted(job.stdout.readline() for _ in range(2))  # rank 0, which waits for the other one, goes on first
        processes = [int(line.split()[-1]) for line in lines]
        time.sleep(1)
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        time.sleep(5)
        for process in processes:
            os.kill(process, signal.SIGCONT)
            time.sleep(0.5)
        printed, _ = job.communicate(timeout=60)
    print(printed)
    assert job.returncode == 0 and printed.count("done") == 2


def one_world_in_a_program(mpirun, program):
    succeeds(
        mpirun, program, "another", "[world] there is a World already", "[exchange] there is no World any more",
        "[world] MPI has ended",
    )


def threads_are_divided(mpirun, program):
    processors = len(os.sched_getaffinity(0))
    result = succeeds(mpirun, program, "threads")
    numbers = [int(line.split()[-1]) for line in result.stdout.splitlines() if "threads" in line]
    assert len(numbers) == 2 and len(set(numbers)) == 1
    assert 1 <= numbers[0] <= max(1, processors // 2)
    succeeds(mpirun, program, "threads", "rank 0: threads 3", "rank 1: threads 3", XGRAD_THREADS="3")


def without_mpirun(_, program):
    for what, words in {"linger": "rank 0: done", "train": "rank 0: threads", "another": "[world] MPI has ended"}.items():
        result = subprocess.run([program, what], env=run_ranks.environment(), capture_output=True, text=True, timeout=60)
        print(result.stdout, result.stderr, sep="\n")
        assert result.returncode == 0 and words in result.stdout
    failing = subprocess.run([program, "exit"], env=run_ranks.environment(), capture_output=True, text=True, timeout=60)
    assert failing.returncode == 0 and not failing.stderr


if __name__ == "__main__":
    globals()[sys.argv[3]](*sys.argv[1:3])
