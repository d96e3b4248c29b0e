"""The programs of script/bench train the same network on the same batches:  same_losses.py BUILD CASE

Each runs a few steps, and the mean losses of two epochs are compared. They add in different orders, so the last digits
differ.
"""

import pathlib
import sys
import tempfile

HERE = pathlib.Path(__file__).parent
sys.path.insert(0, str(HERE.parent.parent / "benchmarks"))
import compare  # noqa: E402

TOLERANCE = 2e-3
ROUNDED_TOLERANCE = 2e-2  # of factors with eight significant bits
STEPS = 20
CASES = {
    "adam": compare.Workload("128,64", 32, "adam", STEPS),
    "sgd": compare.Workload("64", 50, "sgd", STEPS),
}


def losses_of(machine, peer, workload, threads):
    losses = [loss for _, loss in machine.run(peer, workload, threads, 2)]
    assert len(losses) == 2, (peer.title, losses)
    return losses


def main():
    build, wanted = sys.argv[1:]
    workload = CASES[wanted]
    with tempfile.TemporaryDirectory(prefix="xgrad-test-") as scratch:
        machine = compare.Machine(pathlib.Path(build), None, pathlib.Path(scratch))
        expected = losses_of(machine, compare.PEERS["compiled"], workload, 1)
        assert expected[1] < 0.8 * expected[0], expected
        for name, peer in compare.PEERS.items():
            if not machine.has(peer) or not peer.has_loss:
                continue
            tolerance = ROUNDED_TOLERANCE if peer.rounds else TOLERANCE
            for threads in [1, 2]:
                losses = losses_of(machine, peer, workload, threads)
                for loss, right in zip(losses, expected):
                    assert abs(loss - right) <= tolerance * right, (name, threads, losses, expected)


if __name__ == "__main__":
    main()
