"""What shows how far it is, and how Ctrl-C ends it:  progress.py PROGRAM CASE

PROGRAM is slow.cpp, which does slowly what it is told. Where the system lacks what a case needs, it ends with code 77.
"""

import fcntl
import os
import pty
import re
import shutil
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
from concurrent.futures import ThreadPoolExecutor

PROGRAM = sys.argv[1]
LINE_START = b"\r\x1b[K"


def skip(reason):
    print(reason)
    sys.exit(77)


def feed(pipe):
    """A table that takes more than a second to come."""
    with pipe:
        pipe.write(b"a,b\n")
        for i in range(30):
            pipe.write(b"1,2\n" * 20_000)
            pipe.flush()
            time.sleep(0.05)


def open_terminal():
    try:
        return pty.openpty()
    except OSError as error:
        skip(f"this system has no pseudo-terminals ({error})")


def on_terminal(*arguments, columns=80, kind="xterm"):
    """What a run shows on a terminal."""
    reader, terminal = open_terminal()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    environment = dict(os.environ, TERM=kind)
    feeds = arguments[0] in ("csv", "schema")
    with subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
        stdout=terminal,
        env=environment,
    ) as process:
        os.close(terminal)
        if feeds:
            threading.Thread(target=feed, args=[process.stdin], daemon=True).start()
        shown = b""
        try:
            while chunk := os.read(reader, 4096):
                shown += chunk
        except OSError:  # Linux reports the end of a terminal as an error
            pass
    os.close(reader)
    assert process.returncode == 0, shown
    return shown.replace(b"\r\n", b"\n")


def in_file(*arguments, kind="xterm"):
    """What a run writes where there is no terminal."""
    feeds = arguments[0] in ("csv", "schema")
    with subprocess.Popen(
        [PROGRAM, *arguments],
        stdin=subprocess.PIPE if feeds else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=dict(os.environ, TERM=kind),
    ) as process:
        if feeds:
            threading.Thread(target=feed, args=[process.stdin], daemon=True).start()
        shown = process.stdout.read()
    assert process.returncode == 0
    return shown


def frames(shown):
    """What stands in the line that changes, one after the other."""
    return [part.split(b"\n")[0].decode() for part in shown.split(LINE_START)[1:]]


RESULTS = {
    "evaluate": ("evaluating", b"loss "),
    "predict": ("predicting", b"50 predictions"),
    "find_learning_rate": ("finding a learning rate", b"learning rate"),
    "csv": ("reading stdin", b"600000 records"),
    "schema": ("reading stdin", b"1 features"),
}


def at_once(check, *argument_lists):
    """Most of what a run takes is sleep."""
    with ThreadPoolExecutor(max_workers=20) as pool:
        list(pool.map(check, *argument_lists))


def shows_how_far_it_is(what):
    title, result = RESULTS[what]
    shown = on_terminal(what)
    lines = frames(shown)
    assert len(lines) >= 3, (what, shown)
    for line in lines[:-1]:
        assert line.startswith(title + " "), (what, line)
        assert len(line) < 80, line
        assert "MB" in line or re.search(r"\[[=> ]*\] +\d+/25  0:0\d left", line), line
    # It goes, and nothing of it is left before the result.
    last = shown.rsplit(LINE_START, 1)[1]
    assert last.startswith(result) or result in last.split(b"\n")[0], (what, last)
    assert b"\x1b[" not in shown.replace(LINE_START, b""), shown  # neither colours nor anything else


def terminals_show_how_far_it_is():
    at_once(shows_how_far_it_is, RESULTS)


def nothing_is_shown_in_the_first_second():
    reader, terminal = open_terminal()
    start = time.monotonic()
    with subprocess.Popen([PROGRAM, "evaluate"], stdout=terminal, env=dict(os.environ, TERM="xterm")) as process:
        os.close(terminal)
        os.read(reader, 1)
        seconds = time.monotonic() - start
        try:
            while os.read(reader, 4096):
                pass
        except OSError:
            pass
    os.close(reader)
    assert process.returncode == 0 and seconds >= 1, seconds


def fits(what, columns):
    for line in frames(on_terminal(what, columns=columns))[:-1]:
        assert 0 < len(line) < columns, (columns, line)


def narrow_terminals_are_not_overrun():
    at_once(fits, ["evaluate", "find_learning_rate", "evaluate"], [60, 40, 20])


def has_no_control_characters(what):
    title, result = RESULTS[what]
    for shown in (in_file(what), on_terminal(what, "quiet"), on_terminal(what, kind="dumb")):
        assert b"\r" not in shown and b"\x1b" not in shown, (what, shown)
        assert title.encode() not in shown, (what, shown)
        assert result in shown, (what, shown)


def files_have_no_control_characters():
    at_once(has_no_control_characters, RESULTS)


def stops_and_says_so(process, stop):
    """The rest of what a fit says that is stopped after a while."""
    time.sleep(1.5)
    stop(process)
    out, _ = process.communicate(timeout=60)
    return out


def start_fit(*wrapper, **options):
    return subprocess.Popen([*wrapper, PROGRAM, "fit", "lines"], stdout=subprocess.PIPE, start_new_session=True, **options)


def ctrl_c_ends_a_fit():
    process = start_fit()
    out = stops_and_says_so(process, lambda p: p.send_signal(signal.SIGINT))
    assert process.returncode == 0 and b"fit has ended: interrupted in epoch 1, batch " in out, out


def two_signals_within_moments_are_one_ctrl_c():
    def twice(process):
        process.send_signal(signal.SIGINT)
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.2)  # the fit has ended meanwhile
        process.send_signal(signal.SIGINT)

    process = start_fit()
    out = stops_and_says_so(process, twice)
    assert process.returncode == 0 and b"fit has ended: interrupted" in out, (process.returncode, out)


def timeout_ends_a_fit():
    timeout = shutil.which("timeout")
    if not timeout:
        skip("there is no timeout (coreutils)")
    result = subprocess.run([timeout, "-s", "INT", "2", PROGRAM, "fit", "lines"], capture_output=True, timeout=60)
    assert result.returncode == 124 and b"fit has ended: interrupted" in result.stdout, result


def a_second_ctrl_c_ends_the_program():
    process = subprocess.Popen([PROGRAM, "stuck"], stdout=subprocess.PIPE, start_new_session=True)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, process.returncode


def what_is_no_fit_ends_as_programs_do():
    process = subprocess.Popen([PROGRAM, "evaluate"], stdout=subprocess.PIPE, start_new_session=True)
    time.sleep(0.7)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == -signal.SIGINT, process.returncode


def reading_ends_as_programs_do():
    process = subprocess.Popen([PROGRAM, "csv"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True)
    process.stdin.write(b"a,b\n1,2\n")
    process.stdin.flush()
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == -signal.SIGINT
    process.stdin.close()
    assert process.stdout.read() == b""


CASES = [
    terminals_show_how_far_it_is,
    nothing_is_shown_in_the_first_second,
    narrow_terminals_are_not_overrun,
    files_have_no_control_characters,
    ctrl_c_ends_a_fit,
    two_signals_within_moments_are_one_ctrl_c,
    timeout_ends_a_fit,
    a_second_ctrl_c_ends_the_program,
    what_is_no_fit_ends_as_programs_do,
    reading_ends_as_programs_do,
]

{case.__name__: case for case in CASES}[sys.argv[2]]()
