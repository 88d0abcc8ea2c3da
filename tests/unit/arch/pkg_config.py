# SPDX-License-Identifier: BSD-3-Clause
"""Holds evs.pc to what pkg-config makes of it wherever the prefix was moved to.

  pkg_config.py EVS_PC LIBDIR INCLUDEDIR      as they are below the prefix; 77 where they are not, or there is no pkg-config
"""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def check(source, libdir, includedir):
    complaints = []
    with tempfile.TemporaryDirectory() as folder:
        prefix = pathlib.Path(folder).resolve() / "moved"
        place = prefix / libdir / "pkgconfig"
        place.mkdir(parents=True)
        shutil.copy(source, place / "evs.pc")
        environment = dict(os.environ, PKG_CONFIG_PATH=str(place))

        def asked(*what):
            return subprocess.run(["pkg-config", *what, "evs"], env=environment, capture_output=True, text=True, check=True).stdout.split()
        wanted = {"--variable=prefix": prefix, "--variable=libdir": prefix / libdir, "--variable=includedir": prefix / includedir,
                  "--variable=plugindir": prefix / libdir / "evs/plugins", "--cflags": prefix / includedir, "--libs": prefix / libdir}
        for what, path in wanted.items():
            told = asked(what)[0].removeprefix("-I").removeprefix("-L")
            if os.path.normpath(told) != str(path):
                complaints.append(f"pkg-config {what} evs: {told}, not {path}")
    return complaints


if __name__ == "__main__":
    if shutil.which("pkg-config") is None or any(os.path.isabs(path) for path in sys.argv[2:]):
        sys.exit(77)
    result = check(*sys.argv[1:])
    print("\n".join(result) or "it may be moved")
    sys.exit(1 if result else 0)
