"""An installed copy of a build, in a folder that is not the one it was configured for."""

import contextlib
import os
import pathlib
import subprocess
import tempfile

EXAMPLES = pathlib.Path(__file__).resolve().parent


def run(*command, **options):
    return subprocess.run([str(part) for part in command], check=True, text=True, **options)


@contextlib.contextmanager
def installation(build):
    """A temporary folder with everything that `meson install` brings."""
    with tempfile.TemporaryDirectory() as folder:
        run("meson", "install", "-C", build, "--no-rebuild", "--quiet", env={**os.environ, "DESTDIR": folder})
        yield pathlib.Path(folder)


def pkg_config_flags(root, *options, module="xgrad"):
    (file,) = root.rglob(f"{module}.pc")
    environment = {**os.environ, "PKG_CONFIG_PATH": str(file.parent)}
    query = run("pkg-config", "--cflags", "--libs", *options, module, env=environment, capture_output=True)
    return query.stdout.split()


def without_library_path():
    """The environment of a user who set nothing up: what a program needs, it has to find by itself."""
    return {name: value for name, value in os.environ.items() if name != "LD_LIBRARY_PATH"}
