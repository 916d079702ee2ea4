"""Debian packages: which versions there are, downloads, what is inside.

Nothing is installed: `apt-get download` only fetches files, and `dpkg-deb`
only reads them.
"""

import contextlib
import dataclasses
import os
import re
import shutil
import subprocess
import tarfile

from keras_led.files import staged_directory

# Program -> the package that has it.
TOOLS = {
    "apt-get": "apt",
    "apt-cache": "apt",
    "dpkg-deb": "dpkg",
    "mandoc": "mandoc",
}
# So many packages are fetched before they are safe from an interruption.
BATCH = 8

# Pages in English; translations lie in `man/de/man1` and the like.
PAGE = re.compile(r"usr/share/(?:postgresql/[^/]+/)?man/man\d\w*/[^/]+")
NOTICE = re.compile(r"usr/share/doc/[^/]+/copyright")


class BuildError(RuntimeError):
    """Raised when the machine cannot build the data set; it says the cure."""


def check_tools():
    """Makes sure that the programs that the build runs are there.

    Raises:
        BuildError: If one is missing.
    """
    missing = [tool for tool in TOOLS if shutil.which(tool) is None]
    if missing:
        debian = sorted({TOOLS[tool] for tool in missing})
        raise BuildError(
            "The build needs a Debian 12 machine with apt-get, dpkg-deb and "
            f"mandoc. Received: missing={', '.join(missing)}. On Debian, "
            f"`apt-get install {' '.join(debian)}` as root brings what is "
            "missing; elsewhere, use a container of Debian 12."
        )


def deb_of(package, folder):
    """The downloaded file of a package, or `None` while there is none."""
    version = package.version.replace(":", "%3a")
    found = sorted(folder.glob(f"{package.name}_{version}_*.deb"))
    return found[0] if found else None


def versions(names):
    """Asks apt for the versions of packages that can be had.

    Args:
        names: list of str.

    Returns:
        Dict from each name to a list of str, the newest version first; empty
        where apt does not know the package.
    """
    result = subprocess.run(
        ["apt-cache", "madison", *names],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C"},
    )
    found = {name: [] for name in names}
    for line in result.stdout.splitlines():
        name, version, _ = (part.strip() for part in line.split("|", 2))
        if name in found and version not in found[name]:
            found[name].append(version)
    return found


def choose(packages, folder, any_version=False):
    """Makes sure that each package is there or can be had.

    Args:
        packages: list of `packages.Package`.
        folder: `pathlib.Path` of the downloads.
        any_version: bool, whether the newest version may stand in for one
            that can no longer be had.

    Returns:
        List of `packages.Package`, with the versions to use.

    Raises:
        BuildError: If a package cannot be had, or not in the right version.
    """
    absent = [p.name for p in packages if deb_of(p, folder) is None]
    offers = versions(absent) if absent else {}
    chosen, faults = [], []
    for package in packages:
        offer = offers.get(package.name)
        if offer is None or package.version in offer:
            chosen.append(package)
        elif offer and any_version:
            chosen.append(dataclasses.replace(package, version=offer[0]))
        else:
            faults.append(
                f"\n  package={package.name}, wanted={package.version}, "
                f"found={' '.join(offer) or 'none'}"
            )
    if faults:
        raise BuildError(
            "Each package must be available in the version of the list. "
            f"Received:{''.join(faults)}\n"
            "Run `apt-get update` as root first. Debian replaces a version "
            "when it mends a package: with --any-version the build takes the "
            "newest one, and a few pages will differ."
        )
    return chosen


def fetch(packages, folder):
    """Downloads the packages that are not in a folder yet.

    Args:
        packages: list of `packages.Package`.
        folder: `pathlib.Path` of the downloads. What is complete stays when
            the work is interrupted.

    Raises:
        BuildError: If apt-get fails.
    """
    absent = [p for p in packages if deb_of(p, folder) is None]
    for start in range(0, len(absent), BATCH):
        batch = absent[start : start + BATCH]
        with staged_directory(folder) as staging:
            result = subprocess.run(
                ["apt-get", "-q", "download"]
                + [f"{package.name}={package.version}" for package in batch],
                cwd=staging,
                capture_output=True,
                text=True,
            )
            missing = [p.name for p in batch if deb_of(p, staging) is None]
            if result.returncode or missing:
                raise BuildError(
                    "apt-get must download every package. Received: "
                    f"missing={' '.join(missing)}, with the message\n"
                    f"{result.stderr.strip()}\nThe downloads before this are "
                    "kept: run the same command again."
                )
        print(f"{start + len(batch)} of {len(absent)} packages downloaded")


def contents(deb):
    """Reads the manual pages and copyright files of a downloaded package.

    Args:
        deb: path of the file.

    Returns:
        Pair of a list of `(path, bytes)`, the pages in the order of their
        paths, without links, the bytes as they are, most of them compressed;
        and a dict from the names of packages to bytes, the copyright files.

    Raises:
        BuildError: If the file is damaged.
    """
    files = _read(deb)
    pages = [path for path in files if PAGE.fullmatch(path)]
    pages.sort(key=lambda path: path.split("/"))
    notices = {
        path.split("/")[3]: content
        for path, content in files.items()
        if NOTICE.fullmatch(path)
    }
    return [(path, files[path]) for path in pages], notices


def notice_of(package, notices):
    """The copyright file of a package, bytes.

    Args:
        package: `packages.Package`.
        notices: dict from the names of packages to bytes, of all packages
            read so far.

    Raises:
        BuildError: If it is not among them.
    """
    if package.notice_package not in notices:
        raise BuildError(
            "The copyright file of every package must be there. Received: "
            f"package={package.name}, without one of the name "
            f"{package.notice_package}. Where a package only links to that of "
            "another one, `Package.notice_package` names that one, which the "
            "table lists too."
        )
    return notices[package.notice_package]


def _read(deb):
    """Reads the pages and notices: a dict from paths to bytes."""
    process = subprocess.Popen(
        ["dpkg-deb", "--fsys-tarfile", deb],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    files = None
    with process, contextlib.suppress(tarfile.TarError):
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            files = dict(_members(archive))
        # The padding behind the archive; else dpkg-deb misses its reader.
        while process.stdout.read(2**16):
            pass
    if files is None or process.returncode:
        raise BuildError(
            "A downloaded package must be whole. Received: "
            f"deb={deb}, which dpkg-deb cannot read. Delete it and run the "
            "same command again."
        )
    return files


def _members(archive):
    """Yields the files of an archive; a hard link as the file it names."""
    seen = {}
    for member in archive:
        path = member.name.removeprefix("./")
        if not (PAGE.fullmatch(path) or NOTICE.fullmatch(path)):
            continue
        if member.isreg():
            seen[path] = archive.extractfile(member).read()
        elif member.islnk():
            seen[path] = seen[member.linkname.removeprefix("./")]
        else:
            continue
        yield path, seen[path]
