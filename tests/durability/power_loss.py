"""What is left on a disk when the power fails at any moment of a save:  power_loss.py SAVER RECORDER CASE

The recorder notes what the saver does to a folder. That is replayed here on an imagined disk, which keeps what has been
synced and may keep of the rest whatever it likes: of a file's bytes all, none, or zeros in their place; of the entries of
folders any. A rename is kept as a whole or not at all.
"""

import itertools
import os
import pathlib
import subprocess
import sys
import tempfile


class File:
    def __init__(self, synced=b""):
        self.synced = self.bytes = synced

    def sync(self):
        self.synced = self.bytes

    def kept(self, fate):
        if fate == "zeros" and self.bytes != self.synced:
            return bytes(len(self.bytes))
        return self.synced if fate == "synced" else self.bytes


class Folder:
    def __init__(self):
        self.entries = {}


class Link:
    def __init__(self, target):
        self.target = target


class Disk:
    """Folders as they are for programs, the same as they are on the disk, and the changes that may have come there."""

    def __init__(self, path):
        self.path = str(path)
        self.root = self.read(path)
        self.safe = {}  # what is on the disk, of each folder
        self.pending = []  # changes of entries: [(folder, name, what is there then), ...]
        self.descriptors = {}
        self.keep(self.root)

    def read(self, path):
        if path.is_symlink():
            return Link(os.readlink(path))
        if path.is_file():
            return File(path.read_bytes())
        folder = Folder()
        folder.entries = {entry.name: self.read(entry) for entry in path.iterdir()}
        return folder

    def keep(self, folder):
        self.safe[folder] = dict(folder.entries)
        for entry in folder.entries.values():
            if isinstance(entry, Folder):
                self.keep(entry)

    def place(self, path):
        """The folder that a path leads to, and the name in it."""
        assert path.startswith(self.path), path
        names = [name for name in path[len(self.path) :].split("/") if name not in ("", ".")]
        folder = self.root
        for name in names[:-1]:
            folder = folder.entries[name]
        return folder, names[-1] if names else None

    def at(self, path):
        folder, name = self.place(path)
        return folder.entries[name] if name else folder

    def change(self, *entries):
        for folder, name, there in entries:
            folder.entries.pop(name, None)
            if there is not None:
                folder.entries[name] = there
        self.pending.append(entries)

    def do(self, event, *words):
        if event == "open":
            number, path, how = words
            if how == "fresh":
                self.change((*self.place(path), File()))
            self.descriptors[number] = opened = self.at(path)
            if how == "emptied":
                opened.bytes = b""
        elif event == "duplicate":
            self.descriptors[words[1]] = self.descriptors[words[0]]
        elif event == "close":
            del self.descriptors[words[0]]
        elif event == "write":
            file, place, added = self.descriptors[words[0]], words[1], bytes.fromhex(words[2])
            start = len(file.bytes) if place == "next" else int(place)
            file.bytes = file.bytes[:start].ljust(start, b"\0") + added + file.bytes[start + len(added) :]
        elif event == "sync":
            self.sync(self.descriptors[words[0]])
        elif event == "mkdir":
            folder = Folder()
            self.safe[folder] = {}
            self.change((*self.place(words[0]), folder))
        elif event == "remove":
            self.change((*self.place(words[0]), None))
        elif event == "rename":
            self.change((*self.place(words[0]), None), (*self.place(words[1]), self.at(words[0])))
        elif event == "exchange":
            one, other = self.at(words[0]), self.at(words[1])
            self.change((*self.place(words[0]), other), (*self.place(words[1]), one))
        else:
            raise AssertionError(event)

    def sync(self, what):
        if isinstance(what, File):
            what.sync()
            return
        self.safe[what] = dict(what.entries)
        self.pending = [change for change in self.pending if all(folder is not what for folder, _, _ in change)]

    def after_power_loss(self):
        """Every tree that may be found afterwards, as content() gives them."""
        for fate in ("synced", "all", "zeros"):
            for kept in subsets(self.pending):
                entries = {folder: dict(there) for folder, there in self.safe.items()}
                for change in kept:
                    for folder, name, there in change:
                        entries[folder].pop(name, None)
                        if there is not None:
                            entries[folder][name] = there
                yield content(self.root, lambda folder: entries[folder], lambda file: file.kept(fate))

    def now(self):
        return content(self.root, lambda folder: folder.entries, lambda file: file.bytes)


def subsets(changes):
    """All of a few; of many, those that keep the first ones, and those that lack one."""
    if len(changes) <= 6:
        for size in range(len(changes) + 1):
            yield from itertools.combinations(changes, size)
    else:
        yield from (changes[:end] for end in range(len(changes) + 1))
        yield from (changes[:lost] + changes[lost + 1 :] for lost in range(len(changes)))


def content(what, entries_of, bytes_of):
    if isinstance(what, Folder):
        return {name: content(there, entries_of, bytes_of) for name, there in entries_of(what).items()}
    return bytes_of(what) if isinstance(what, File) else ("link", what.target)


def found_at(tree, path):
    for name in path.split("/"):
        tree = tree.get(name) if isinstance(tree, dict) else None
        if isinstance(tree, tuple):
            raise AssertionError("give the target of a link")
    return tree


class Save:
    """One save of the second version, over the first where there is one: what it did, and what it may leave."""

    def __init__(self, programs, kind, name, over_another, folder, target=None, fail=None, lacks="", left=None):
        self.saver, self.recorder = programs
        self.folder = folder / "disk"
        self.folder.mkdir()
        self.name = target or name
        if target is not None:
            (self.folder / name).symlink_to(target)
        path = self.folder / name
        if over_another:
            subprocess.run([self.saver, kind, path, "1"], check=True)
        if left is not None:
            (self.folder / left).write_text("some")
        self.before = Disk(self.folder).now()
        log = folder / "log"
        log.touch()
        environment = os.environ | {
            "LD_PRELOAD": str(self.recorder),
            "XGRAD_RECORD_FOLDER": str(self.folder),
            "XGRAD_RECORD_LOG": str(log),
            "XGRAD_RECORD_FAIL": str(fail),
            "XGRAD_RECORD_LACKS": lacks,
        }
        self.result = subprocess.run(
            [self.saver, kind, path, "2"], env=environment, capture_output=True, text=True, check=False
        )
        self.after = Disk(self.folder).now()
        self.events = [line.split("\t") for line in log.read_text().splitlines()]


def losses(save, start, events):
    """What is wrong with what may be left, at whatever moment."""
    old, new = found_at(save.before, save.name), found_at(save.after, save.name)
    assert new is not None and new != old
    disk = start
    for count in range(len(events) + 1):
        if count > 0:
            disk.do(*events[count - 1])
        for tree in disk.after_power_loss():
            found = found_at(tree, save.name)
            if found != new and (found != old or count == len(events)):
                yield f"after {count} of {len(events)} events, {events[max(count - 1, 0)]}: {str(found)[:100]}"


def on_a_disk_like(save, folder):
    """The disk before the save."""
    root = folder / "again"
    write_tree(root, save.before)
    disk = Disk(root)
    disk.path = str(save.folder)
    return disk


def write_tree(path, tree):
    if isinstance(tree, bytes):
        path.write_bytes(tree)
    elif isinstance(tree, tuple):
        path.symlink_to(tree[1])
    else:
        path.mkdir(exist_ok=True)
        for name, there in tree.items():
            write_tree(path / name, there)


def check(programs, kind, name, over_another, target=None):
    def saved(fail=None):
        with tempfile.TemporaryDirectory() as folder:
            return Save(programs, kind, name, over_another, pathlib.Path(folder).resolve(), target, fail)

    def lost(save, events):
        with tempfile.TemporaryDirectory() as folder:
            return next(losses(save, on_a_disk_like(save, pathlib.Path(folder)), events), None)

    save = saved()
    assert save.result.returncode == 0, save.result.stderr
    with tempfile.TemporaryDirectory() as folder:
        disk = on_a_disk_like(save, pathlib.Path(folder))
        for event in save.events:
            disk.do(*event)
        assert disk.now() == save.after, "something that the program does is not noted"
    problem = lost(save, save.events)
    assert problem is None, problem

    # Without the syncs of any one file or folder, something would be lost.
    synced = {}
    with tempfile.TemporaryDirectory() as folder:
        disk = on_a_disk_like(save, pathlib.Path(folder))
        for i, event in enumerate(save.events):
            if event[0] == "sync":
                synced.setdefault(disk.descriptors[event[1]], set()).add(i)
            disk.do(*event)
    assert len(synced) >= 2
    for left_out in synced.values():
        events = [event for i, event in enumerate(save.events) if i not in left_out]
        assert lost(save, events) is not None, f"the syncs {left_out} of {save.events} are not needed"

    # Where one fails, the program says so; and what was there is there.
    count = sum(event[0] == "sync" for event in save.events)
    for number in range(1, count + 1):
        failed = saved(fail=number)
        assert failed.result.returncode == 1, failed.result
        assert "Input/output error" in failed.result.stderr, failed.result.stderr
        old, new = found_at(save.before, save.name), found_at(save.after, save.name)
        there = found_at(failed.after, save.name)
        assert there == old if number < count else there in (old, new), f"sync {number} failed: {there}"
        assert not any(".part" in key for key in failed.after), failed.after


def check_what_a_file_system_lacks(programs):
    """Saves without locks and without the exchange of folders, with what an earlier writer left in the way."""
    for kind, name in [("npy", "numbers.npy"), ("state", "state")]:
        for lacks in ["", "locks", "exchange"]:
            with tempfile.TemporaryDirectory() as place:
                folder = pathlib.Path(place).resolve()
                left = f".{name}.0123456789abcdef.part"
                save = Save(programs, kind, name, True, folder, lacks=lacks, left=left)
                assert save.result.returncode == 0, save.result.stderr
                assert found_at(save.after, name) not in (None, found_at(save.before, name)), save.after
                expected = {name, left} if lacks == "locks" else {name}
                assert set(save.after) == expected, (lacks, save.after)


CASES = {
    "a_new_file": ("npy", "numbers.npy", False),
    "a_file_over_another": ("npy", "numbers.npy", True),
    "a_compressed_file": ("npy", "numbers.npy.gz", True),
    "a_table": ("csv", "table.csv", True),
    "a_file_behind_a_link": ("npy", "link.npy", True, "numbers.npy"),
    "a_new_state_in_new_folders": ("state", "in/new/folders", False),
    "a_state_over_another": ("state", "state", True),
}


if __name__ == "__main__":
    if sys.argv[3] == "what_a_file_system_lacks":
        check_what_a_file_system_lacks(sys.argv[1:3])
    else:
        check(sys.argv[1:3], *CASES[sys.argv[3]])
