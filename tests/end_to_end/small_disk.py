"""A disk that tests can fill: a small tmpfs in a mount namespace of the test's own."""

import contextlib
import os
import pathlib
import subprocess
import sys
import tempfile

# Exit code of a test that cannot have one.
SKIPPED = 77
IN_NAMESPACE = "WEFT_TEST_IN_MOUNT_NAMESPACE"


class NoSmallDisk(Exception):
    """Says why."""


def enter_namespace():
    """Starts this test again where it may mount."""
    if IN_NAMESPACE in os.environ:
        return
    enter = ["unshare", "--mount"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    try:
        tried = subprocess.run([*enter, "true"], capture_output=True, text=True)
    except FileNotFoundError:
        raise NoSmallDisk("unshare is not installed") from None
    if tried.returncode != 0:
        raise NoSmallDisk(tried.stderr.strip())
    os.execvpe(enter[0], [*enter, sys.executable, *sys.argv], {**os.environ, IN_NAMESPACE: "1"})


@contextlib.contextmanager
def small_disk(mebibytes):
    """Mounts it; gives its folder and one that is elsewhere."""
    enter_namespace()
    with tempfile.TemporaryDirectory(prefix="weft-disk-") as temporary:
        disk, elsewhere = pathlib.Path(temporary, "disk"), pathlib.Path(temporary, "elsewhere")
        disk.mkdir()
        elsewhere.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={mebibytes}m", "tmpfs", str(disk)],
            capture_output=True,
            text=True,
        )
        if mounted.returncode != 0:
            raise NoSmallDisk(mounted.stderr.strip())
        try:
            yield disk, elsewhere
        finally:
            subprocess.run(["umount", str(disk)], check=False)


def run_on_small_disk(mebibytes, run):
    """Calls run(disk, elsewhere); the exit code says how that went."""
    try:
        with small_disk(mebibytes) as places:
            run(*places)
    except NoSmallDisk as reason:
        print(f"SKIPPED: no small file system can be mounted here: {reason}")
        return SKIPPED
    except AssertionError as error:
        print(f"FAILED: {error}")
        return 1
    print("passed")
    return 0


def free_bytes(path):
    status = os.statvfs(path)
    return status.f_bavail * status.f_frsize


def fill(path, leave_bytes=0):
    """Makes `path` larger until no more than so many bytes of the disk are free."""
    with open(path, "ab", buffering=0) as out:
        for size in (1 << 20, 4096):
            try:
                while free_bytes(path.parent) >= leave_bytes + size:
                    out.write(bytes(size))
            except OSError:
                continue
