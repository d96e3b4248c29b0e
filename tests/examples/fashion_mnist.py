"""What the training program promises on its command line:  fashion_mnist.py PROGRAM CASE

The cases train on the first images of Fashion-MNIST only, so that each takes a moment. Where the system lacks what a
case needs, it ends with code 77.
"""

import base64
import fcntl
import gzip
import json
import os
import pathlib
import pty
import re
import struct
import subprocess
import sys
import tempfile
import termios
import zlib

SOURCES = pathlib.Path(__file__).resolve().parent.parent.parent
TRAINING_IMAGES, TEST_IMAGES = 2048, 512
LAST_LINE = re.compile(r"test_accuracy=0\.\d{4} epochs=(\d+) train_seconds=\d+\.\d+")
WRONG_ARGUMENTS = [
    ["--unknown"],
    ["surplus"],
    ["--epochs", "0"],
    ["--epochs", "2.5"],
    ["--epochs"],
    ["--optimizer", "foo"],
    ["--activation", "foo"],
    ["--hidden", "0"],
    ["--hidden", "abc"],
    ["--hidden", "64,-1"],
    ["--momentum", "2"],
    ["--momentum", "nan"],
    ["--learning-rate", "-1"],
    ["--learning-rate", "0"],
    ["--learning-rate", "nan"],
    ["--learning-rate", "inf"],
    ["--batch-size", "x"],
    ["--batch-size", "0"],
    ["--seed", "-1"],
    ["--threads", "0"],
    ["--shards", "-1"],
    ["--shards", "8", "--recipe", "best"],
    ["--recipe", "foo"],
    ["--recipe", "best", "--hidden", "64"],
    ["--ensemble", "2"],
    ["--ensemble", "0", "--recipe", "best"],
    ["--validate"],
]


def system_data():
    return pathlib.Path(os.environ.get("XGRAD_DATA") or "/usr/share/datasets/fashion-mnist")


def copy_first(source, target, name, samples, sample_bytes, header_bytes):
    """Writes the first samples of an IDX file: the number of samples is the second word of its header."""
    plain, zipped = source / name, source / f"{name}.gz"
    with plain.open("rb") if plain.exists() else gzip.open(zipped) as file:
        content = file.read(header_bytes + samples * sample_bytes)
    (target / name).write_bytes(content[:4] + samples.to_bytes(4, "big") + content[8:])


def make_small_data(folder):
    for part, samples in [("train", TRAINING_IMAGES), ("t10k", TEST_IMAGES)]:
        copy_first(system_data(), folder, f"{part}-images-idx3-ubyte", samples, 28 * 28, 16)
        copy_first(system_data(), folder, f"{part}-labels-idx1-ubyte", samples, 1, 8)


def skip(reason):
    print(reason)
    sys.exit(77)


def without_times(lines):
    """What is left of a run's output when time and threads are taken out: it should always be the same."""
    return [re.sub(r"\S+ samples/s|train_seconds=.*|\d+ threads?$", "", line) for line in lines]


class Job:
    def __init__(self, program, data):
        self.program = program
        self.data = data

    def run(self, *arguments, environment=None):
        return subprocess.run([self.program, *arguments], capture_output=True, text=True, timeout=300, env=environment)

    def train(self, *arguments):
        """The lines of a run that must succeed."""
        result = self.run("--data", self.data, *arguments)
        assert result.returncode == 0, result
        assert result.stderr == "", result.stderr
        return result.stdout.splitlines()

    def accuracy(self, *arguments):
        """The final accuracy as printed, `0.8215`."""
        return self.train(*arguments)[-1].split()[0].removeprefix("test_accuracy=")


def last_line_tells_the_result(job):
    lines = job.train("--epochs", "3")
    match = LAST_LINE.fullmatch(lines[-1])
    assert match and match[1] == "3", lines[-1]
    epochs = [line for line in lines if line.startswith("epoch ")]
    assert len(epochs) == 3, lines
    final = f"test_accuracy {job.accuracy('--epochs', '3')} "
    assert epochs[-1].startswith("epoch 3/3 ") and final in epochs[-1], epochs[-1]


def learns(job):
    assert float(job.accuracy("--epochs", "4")) > 0.7


def result_depends_on_seed_alone(job):
    first = job.train("--epochs", "2", "--seed", "5", "--threads", "1")
    for threads in ["1", "2", "3"]:
        again = job.train("--epochs", "2", "--seed", "5", "--threads", threads)
        assert without_times(again) == without_times(first), again
    other = job.train("--epochs", "2", "--seed", "6", "--threads", "1")
    assert other[-1].split()[0] != first[-1].split()[0], other


def options_have_an_effect(job):
    """Every choice of network and optimiser trains, and each gives a result of its own."""
    choices = [
        [],
        ["--optimizer", "sgd"],
        ["--optimizer", "sgd", "--momentum", "0"],
        ["--optimizer", "sgd", "--learning-rate", "0.02"],
        ["--activation", "tanh"],
        ["--activation", "sigmoid"],
        ["--hidden", "64,32"],
        ["--hidden", "64"],
        ["--batch-size", "100"],
    ]
    results = {}
    for choice in choices:
        lines = job.train("--epochs", "2", *choice)
        results["".join(line for line in without_times(lines) if line.startswith("epoch "))] = choice
        assert LAST_LINE.fullmatch(lines[-1]), lines[-1]
        assert float(lines[-1].split()[0].removeprefix("test_accuracy=")) > 0.3, (choice, lines)
    assert len(results) == len(choices), results
    parameters = (784 + 1) * 64 + (64 + 1) * 32 + (32 + 1) * 10
    assert f" {parameters} parameters" in job.train("--epochs", "1", "--hidden", "64,32")[0]


def seed_results(lines):
    """What a recipe says of its networks: accuracies by seed."""
    return dict(re.findall(r"^seed (\d+) .* test_accuracy (0\.\d{4})  ensemble_accuracy ", "\n".join(lines), re.M))


def recipes_train(job):
    """Each recipe learns, does as many epochs as told, and gives what depends on the seed alone."""
    results = {}
    for recipe in ["best", "plain-best"]:
        lines = job.train("--recipe", recipe, "--epochs", "4", "--threads", "1")
        match = LAST_LINE.fullmatch(lines[-1])
        assert match and match[1] == "4", lines[-1]
        assert len([line for line in lines if line.startswith("epoch ")]) == 4, lines
        results[recipe] = lines[-1].split()[0].removeprefix("test_accuracy=")
        assert float(results[recipe]) > 0.6, lines
        assert seed_results(lines) == {"0": results[recipe]}, lines
        again = job.train("--recipe", recipe, "--epochs", "4", "--threads", "2")
        assert seed_results(again) == seed_results(lines), again
    assert results["best"] != results["plain-best"], results


def ensemble_averages_networks(job):
    lines = job.train("--recipe", "plain-best", "--epochs", "2", "--ensemble", "3", "--seed", "4")
    members = seed_results(lines)
    assert list(members) == ["4", "5", "6"], lines
    alone = job.train("--recipe", "plain-best", "--epochs", "2", "--seed", "5")
    assert seed_results(alone) == {"5": members["5"]}, alone
    together = re.findall(r"ensemble_accuracy (0\.\d{4})$", "\n".join(lines), re.M)
    assert len(together) == 3 and together[0] == members["4"], lines
    assert LAST_LINE.fullmatch(lines[-1]) and lines[-1].startswith(f"test_accuracy={together[2]} "), lines
    assert float(together[2]) >= min(map(float, members.values())), lines


def validation_leaves_test_images_alone(job):
    arguments = ["--recipe", "plain-best", "--epochs", "2", "--validate"]
    lines = job.train(*arguments)
    assert re.match(r"17\d\d training and 34\d validation images", lines[0]), lines[0]
    assert re.fullmatch(r"validation_accuracy=0\.\d{4} epochs=2 train_seconds=\d+\.\d+", lines[-1]), lines[-1]
    labels = pathlib.Path(job.data) / "t10k-labels-idx1-ubyte"
    labels.write_bytes(labels.read_bytes()[:8] + bytes(TEST_IMAGES))
    again = job.train(*arguments)
    assert without_times(again)[-1] == without_times(lines)[-1], again


def wrong_arguments_are_one_line_and_code_2(job):
    for arguments in WRONG_ARGUMENTS:
        result = job.run("--data", job.data, *arguments)
        assert result.returncode == 2, (arguments, result)
        assert result.stdout == "", (arguments, result)
        assert result.stderr.count("\n") == 1 and result.stderr.endswith("\n"), (arguments, result)
        assert arguments[0] in result.stderr, (arguments, result)


def shards_give_the_same_weights_for_any_number_of_threads(job):
    arguments = ["--data", job.data, "--epochs", "2", "--hash", "--shards"]
    results = [job.run(*arguments, shards, "--threads", threads) for shards, threads in ["81", "82", "41"]]
    hashes = []
    for result in results:
        assert result.returncode == 0, result
        *others, weights, last = result.stdout.splitlines()
        assert re.fullmatch(r"weights=[0-9a-f]{16}", weights) and LAST_LINE.fullmatch(last), result
        assert sum(line.startswith("epoch ") for line in others) == 2, result
        hashes.append(weights)
    assert hashes[0] == hashes[1] != hashes[2], hashes
    plain = job.run("--data", job.data, "--epochs", "1", "--hash").stdout.splitlines()
    assert re.fullmatch(r"weights=[0-9a-f]{16}", plain[-2]), plain
    odd = job.run("--data", job.data, "--epochs", "1", "--shards", "3")
    assert odd.returncode == 1 and "3 shards on 1 ranks" in odd.stderr, odd


def weights_are_the_same_with_every_instruction_set(job):
    if not has_avx512():
        skip("this CPU has no AVX-512 to compare with AVX2")
    weights = {}
    for name in ["avx2", "avx512"]:
        environment = dict(os.environ, XGRAD_ISA=name)
        result = job.run("--data", job.data, "--epochs", "2", "--hash", environment=environment)
        assert result.returncode == 0, result
        weights[name] = result.stdout.splitlines()[-2]
        assert re.fullmatch(r"weights=[0-9a-f]{16}", weights[name]), result
    assert weights["avx2"] == weights["avx512"], weights


def products_may_be_rounded(job):
    arguments = ["--data", job.data, "--epochs", "2", "--hash", "--products"]
    weights = {}
    for products, isa in [("float32", ""), ("bfloat16", ""), ("bfloat16", "avx2"), ("bfloat16_3x", "")]:
        result = job.run(*arguments, products, environment=dict(os.environ, XGRAD_ISA=isa))
        assert result.returncode == 0, result
        weights[products, isa] = result.stdout.splitlines()[-2]
    assert weights["bfloat16", ""] == weights["bfloat16", "avx2"], weights
    assert len(set(weights.values())) == 3, weights


def has_avx512():
    flags = re.search(r"^flags\s*: (.*)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    wanted = {"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}
    return flags is not None and wanted <= set(flags.group(1).split())


def missing_data_is_one_line_and_code_1(job):
    environment = {name: value for name, value in os.environ.items() if name != "XGRAD_DATA"}
    nowhere = f"{job.data}/nowhere"
    by_argument = job.run("--data", nowhere, environment=environment)
    by_variable = job.run(environment=environment | {"XGRAD_DATA": nowhere})
    for result in [by_argument, by_variable]:
        assert result.returncode == 1, result
        assert result.stdout == "", result
        assert nowhere in result.stderr and result.stderr.count("\n") == 1, result
    assert "XGRAD_DATA" in by_variable.stderr, by_variable


def help_names_every_option(job):
    result = job.run("--help")
    assert result.returncode == 0 and result.stderr == "", result
    for option in ["hidden", "epochs", "batch-size", "optimizer", "learning-rate", "momentum", "activation", "seed",
                   "threads", "data", "recipe", "ensemble", "validate", "report", "shards", "hash"]:
        assert f"--{option} " in result.stdout, (option, result.stdout)
    # script/train answers before anything is built.
    train = subprocess.run([SOURCES / "script" / "train", "--help"], capture_output=True, text=True)
    # Versions of CLI11 lay options out differently.
    listed = [set(re.findall(r"(?m)^ +(?:-h, ?)?(--[a-z-]+)", text)) for text in (train.stdout, result.stdout)]
    assert train.returncode == 0 and listed[0] == listed[1], (listed, "write examples/fashion_mnist_help.txt anew")


def numbers_in(page):
    return json.loads(re.search(r'id="xgrad-run">(.*)</script>', page.read_text(encoding="utf-8"))[1])["runs"][0]


def pixels_of(png):
    """Width, height and bytes of a grey PNG file without filters."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(png):
        size, kind = struct.unpack(">I4s", png[at : at + 8])
        content = png[at + 8 : at + 8 + size]
        assert zlib.crc32(kind + content) == struct.unpack(">I", png[at + 8 + size : at + 12 + size])[0]
        chunks[kind] = content
        at += 12 + size
    width, height, depth, colour = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colour) == (8, 0) and b"IEND" in chunks
    lines = zlib.decompress(chunks[b"IDAT"])
    rows = [lines[i * (width + 1) : (i + 1) * (width + 1)] for i in range(height)]
    assert all(row[0] == 0 for row in rows)
    return width, height, b"".join(row[1:] for row in rows)


def report_tells_the_run(job):
    page, checkpoint = (pathlib.Path(job.data) / name for name in ["report.html", "run.safetensors"])
    arguments = ["--epochs", "3", "--seed", "5", "--hidden", "32"]
    lines = job.train(*arguments, "--report", str(page), "--checkpoint", str(checkpoint))
    printed = [re.search(r"loss (\S+)  train_accuracy (\S+)  test_accuracy (\S+)", line) for line in lines]
    printed = [match.groups() for match in printed if match]
    run = numbers_in(page)
    told = [tuple(f"{epoch[name]:.4f}" for name in ["loss", "accuracy", "test_accuracy"]) for epoch in run["epochs"]]
    assert len(told) == 3 and told == printed, (told, printed)
    assert run["seed"] == "5" and ["hidden", "32"] in run["options"], run
    assert sum(run["classification"]["counts"]) == TEST_IMAGES and run["classification"]["classes"][1] == "Trouser", run
    assert [layer["type"] for layer in run["network"]["layers"]] == ["Dense", "ReLU", "Dense"], run
    mistake = run["classification"]["mistakes"][0]
    images = (pathlib.Path(job.data) / "t10k-images-idx3-ubyte").read_bytes()[16:]
    sample = images[mistake["sample"] * 784 : (mistake["sample"] + 1) * 784]
    assert pixels_of(base64.b64decode(mistake["png"])) == (28, 28, sample), mistake
    assert page.stat().st_size < 2_000_000 and not run["running"]
    # The report changes nothing, and one that goes on from a checkpoint knows what was before.
    assert without_times(job.train(*arguments)) == without_times(lines)
    page.unlink()
    job.train(*arguments, "--report", str(page), "--checkpoint", str(checkpoint))
    again = numbers_in(page)  # although nothing was left to do
    assert again["epochs"] == run["epochs"] and again["weights"] == run["weights"], (again, run)


def progress_bar_is_for_terminals(job):
    plain = job.run("--data", job.data, "--epochs", "1").stdout
    assert "\r" not in plain and "\033" not in plain, plain

    shown = on_terminal(job, 80)
    assert re.search(rb"\repoch +1 \[#+ *\] +\d+% ", shown), shown
    assert b"100%" in shown, shown
    last = shown.decode().replace("\r\n", "\n").splitlines()[-1]
    assert LAST_LINE.fullmatch(last), last
    assert b"\r" not in on_terminal(job, 80, kind="dumb").replace(b"\r\n", b"\n")


def on_terminal(job, columns, kind="xterm"):
    """What an epoch shows on a terminal."""
    try:
        reader, terminal = pty.openpty()
    except OSError as error:
        skip(f"this system has no pseudo-terminals ({error})")
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    command = [job.program, "--data", job.data, "--epochs", "1"]
    with subprocess.Popen(command, stdout=terminal, env=dict(os.environ, TERM=kind)) as process:
        os.close(terminal)
        shown = b""
        try:
            while chunk := os.read(reader, 4096):
                shown += chunk
        except OSError:  # Linux reports the end of a terminal as an error
            pass
    os.close(reader)
    assert process.returncode == 0
    return shown


def lines_of_epochs_fit_the_terminal(job):
    for columns, text in [(120, "train_accuracy "), (80, "  train 0."), (40, "  test 0.")]:
        parts = on_terminal(job, columns).decode().replace("\x1b[K", "\r").replace("\n", "\r").split("\r")
        lines = [part for part in parts if part.startswith(("epoch ", "1/1"))]
        assert all(len(line) < columns for line in lines), lines
        assert text in lines[-1], lines


CASES = [
    last_line_tells_the_result,
    learns,
    lines_of_epochs_fit_the_terminal,
    result_depends_on_seed_alone,
    shards_give_the_same_weights_for_any_number_of_threads,
    products_may_be_rounded,
    weights_are_the_same_with_every_instruction_set,
    options_have_an_effect,
    recipes_train,
    ensemble_averages_networks,
    validation_leaves_test_images_alone,
    wrong_arguments_are_one_line_and_code_2,
    missing_data_is_one_line_and_code_1,
    help_names_every_option,
    progress_bar_is_for_terminals,
    report_tells_the_run,
]


def main():
    program, wanted = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="xgrad-test-") as folder:
        make_small_data(pathlib.Path(folder))
        {case.__name__: case for case in CASES}[wanted](Job(program, folder))


if __name__ == "__main__":
    main()
