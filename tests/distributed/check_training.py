"""The training program on several ranks:  check_training.py MPIRUN PROGRAM CASE

It trains on the first images of Fashion-MNIST.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile

import run_ranks

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "examples"))
import fashion_mnist  # noqa: E402

SHARDS = ["--shards", "8", "--batch-size", "128", "--hash"]


class Training:
    def __init__(self, mpirun, program, folder):
        self.mpirun, self.program, self.folder = mpirun, program, folder

    def run(self, ranks, *arguments, **environment):
        """What is printed, but for times."""
        command = [self.program, "--data", str(self.folder), *arguments]
        if ranks == 0:
            result = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, timeout=300)
        else:
            result = run_ranks.run(self.mpirun, ranks, *command, timeout=300, **environment)
        assert result.returncode == 0, result
        return result.stdout

    def weights(self, *arguments, **environment):
        return re.search(r"weights=(\w+)", self.run(*arguments, **environment)).group(1)


def scores(text):
    """The lines of epochs without the speed, and the last lines without the time."""
    return [re.sub(r"\s+\d+ samples/s|train_seconds=.*", "", line) for line in text.splitlines()[1:]]


def shards_give_the_same_on_any_number_of_ranks(training):
    alone = training.run(0, "--epochs", "2", *SHARDS)
    for ranks, threads in [(1, "2"), (2, "1"), (4, "2"), (8, "1")]:
        assert scores(training.run(ranks, "--epochs", "2", *SHARDS, XGRAD_THREADS=threads)) == scores(alone), ranks


def a_killed_run_goes_on_on_fewer_ranks(training):
    arguments = ["--epochs", "4", *SHARDS]
    expected = training.weights(0, *arguments)
    checkpoint = str(training.folder / "run.safetensors")
    command = [training.mpirun, "-n", "4", training.program, "--data", str(training.folder), *arguments]
    with subprocess.Popen([*command, "--checkpoint", checkpoint], env=run_ranks.environment(), stdout=subprocess.PIPE,
                          stdin=subprocess.DEVNULL, text=True, start_new_session=True) as first:
        for line in first.stdout:
            if line.startswith("epoch 2/"):
                os.killpg(first.pid, signal.SIGKILL)
                break
        first.wait()
    assert training.weights(2, *arguments, "--checkpoint", checkpoint) == expected


def checkpoints_of_other_ways_are_named(training):
    """One process without shards has a loop of its own, and checkpoints of its own."""
    def fails(ranks, *arguments):
        command = [training.program, "--data", str(training.folder), "--epochs", "1", *arguments]
        if ranks == 0:
            result = subprocess.run(command, capture_output=True, text=True, timeout=300)
        else:
            result = run_ranks.run(training.mpirun, ranks, *command, timeout=300)
        assert result.returncode != 0, result
        return result.stderr

    paths = {name: str(training.folder / f"{name}.safetensors") for name in ["alone", "shards", "ranks"]}
    training.run(0, "--epochs", "1", "--checkpoint", paths["alone"])
    training.run(0, "--epochs", "1", "--checkpoint", paths["shards"], "--shards", "8")
    training.run(2, "--epochs", "1", "--checkpoint", paths["ranks"])
    for text, part in [
        (fails(0, "--checkpoint", paths["shards"]), "was made with --shards 8; give that, too"),
        (fails(0, "--checkpoint", paths["ranks"]), "was made under mpirun; start this under mpirun, too"),
        (fails(2, "--checkpoint", paths["alone"]), "was made by one process without --shards"),
        (fails(0, "--checkpoint", paths["alone"], "--shards", "8"), "was made by one process without --shards"),
        (fails(2, "--checkpoint", paths["shards"]), "shards"),
        (fails(2, "--checkpoint", paths["shards"], "--shards", "4"), "shards"),
    ]:
        assert part in text, (part, text)
    training.run(1, "--epochs", "1", "--checkpoint", paths["ranks"])


def three_ranks_train_without_shards(training):
    last = training.run(3, "--epochs", "8").splitlines()[-1]
    assert float(re.search(r"test_accuracy=([\d.]+)", last).group(1)) > 0.6, last


CASES = [shards_give_the_same_on_any_number_of_ranks, a_killed_run_goes_on_on_fewer_ranks,
         checkpoints_of_other_ways_are_named, three_ranks_train_without_shards]


def main():
    mpirun, program, wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="xgrad-test-") as folder:
        fashion_mnist.make_small_data(pathlib.Path(folder))
        {case.__name__: case for case in CASES}[wanted](Training(mpirun, program, pathlib.Path(folder)))


if __name__ == "__main__":
    main()
