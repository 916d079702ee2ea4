"""Builds the data set that `led-tiny` is trained on.

    python -m examples.led_tiny.build --output runs/led-tiny/data

A row is a manual page of Debian 12: its NAME section, `page - description`,
gives the summary, as the page's authors wrote it, and the rest is the
document. Run it from a checkout, on Debian 12, with `mandoc`; nothing is
installed. It downloads 320 MB and takes three minutes of processor time.

The folder gets `train.jsonl`, `valid.jsonl`, `test.jsonl`, of the same
packages, and `test_unseen.jsonl`, of packages that are nowhere else;
`stats.json`, with a count of what was left out and why; the `copyright` file
of each package, whose licences hold for the rows; and the downloads. The same
packages and the same seed give the same bytes. A second run only downloads
what is missing.
"""

import argparse
import collections
import functools
import hashlib
import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from examples.led_tiny import download
from examples.led_tiny import packages
from examples.led_tiny import rows
from examples.led_tiny import splits
from examples.led_tiny.pages import Unusable
from keras_led.files import staged_directory
from keras_led.files import write_json
from keras_led.files import write_text

# SHA-256 of the files that the published model was trained and scored on.
TRAINED_ON = {
    "train.jsonl": (
        "28240e2692b299a3d051a22451732e56634429fd54970b7ad661fb7ab9c42b25"
    ),
    "valid.jsonl": (
        "292d0dcd5b71d74371b03db1602629bc8dc78b01a916692b0c61e0ab37cdda40"
    ),
    "test.jsonl": (
        "6dcaaeceff0db0028388a886f35e61802214c9b07830ed91f1d94039620fde9a"
    ),
    "test_unseen.jsonl": (
        "29b5eb263ca3d617abad5fee21ae7c45952a87dcd7bfc2eee58bea1f2854b7bf"
    ),
}


def read(chosen, downloads, pool, dropped):
    """Makes rows of the pages of all packages.

    Args:
        chosen: list of `packages.Package`.
        downloads: `pathlib.Path` of the folder of downloads.
        pool: executor, in which pages are rendered.
        dropped: `Counter` of reasons, which is added to.

    Returns:
        List of `Row`, and a dict from the name of each package to its
        copyright file, bytes.
    """
    found, notices = [], {}
    for number, package in enumerate(chosen, 1):
        deb = download.deb_of(package, downloads)
        pages, own = download.contents(deb)
        notices.update(own)
        notices[package.name] = download.notice_of(package, notices)
        make = functools.partial(attempt, package)
        for result in pool.map(make, pages):
            if isinstance(result, str):
                dropped[result] += 1
            else:
                found.append(result)
        print(f"{number} of {len(chosen)} packages read: {package.name}")
    wanted = {package.name for package in chosen}
    return found, {name: notices[name] for name in sorted(wanted)}


def attempt(package, page):
    """A page's `Row`, or the reason why there is none, a str."""
    path, source = page
    try:
        return rows.row_of(package, path.rpartition("/")[2], source)
    except Unusable as reason:
        return str(reason)


def select(found, seed, dropped):
    """Drops copies and repetitions and divides the rest into splits.

    Args:
        found: list of `Row`, of all packages.
        seed: str, of the choice of the test rows.
        dropped: `Counter` of reasons, which is added to.

    Returns:
        Dict from the names of the splits to lists of `Row`.
    """
    originals = splits.without_copies(found)
    dropped["near-copy of another page"] += len(found) - len(originals)
    varied = splits.without_repetition(originals)
    dropped["summary used too often"] += len(originals) - len(varied)
    result = splits.split(varied, seed=seed)
    left = len(varied) - sum(map(len, result.values()))
    dropped["unseen package, but related to others"] += left
    return result


def json_lines(members):
    """Rows as the text of a file, one JSON object a line."""
    return "".join(
        json.dumps(row.as_json(), ensure_ascii=False) + "\n" for row in members
    )


def statistics(chosen, result, dropped, seed):
    """What `stats.json` says about the data set; see `build`."""
    counts = {
        name: collections.Counter(row.source_package for row in members)
        for name, members in result.items()
    }
    kept = sum(map(len, result.values()))
    return {
        "seed": seed,
        "pages": kept + sum(dropped.values()),
        "kept": kept,
        "kept_after_cutting_sentences": sum(
            row.leaks > 0 for members in result.values() for row in members
        ),
        "dropped": dict(dropped),
        "splits": {name: len(members) for name, members in result.items()},
        "packages": packages.card_rows(chosen, counts),
    }


def write(output, result, stats, notices):
    """Writes the folder of the data set; `stats.json` goes last.

    Args:
        output: `pathlib.Path`, which may hold an older data set.
        result: dict from the names of the splits to lists of `Row`.
        stats: dict of `statistics`; the SHA-256 of each file is added.
        notices: dict from the names of the packages to bytes, their copyright
            files.

    Returns:
        dict, what `stats.json` holds.
    """
    stats = {**stats, "sha256": {}}
    with staged_directory(output) as staging:
        for name, members in result.items():
            file = staging / f"{name}.jsonl"
            write_text(file, json_lines(members))
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            stats["sha256"][file.name] = digest
        (staging / "copyright").mkdir()
        for name, notice in notices.items():
            (staging / "copyright" / name).write_bytes(notice)
        write_json(staging / "stats.json", stats)
    return stats


def build(
    output,
    listed,
    *,
    downloads=None,
    seed=splits.SEED,
    any_version=False,
    jobs=None,
):
    """Builds the data set.

    Args:
        output: `pathlib.Path` of its folder.
        listed: list of `packages.Package`.
        downloads: `pathlib.Path` where packages are kept. Defaults to
            `downloads` in the folder.
        seed: str, of the choice of the test rows.
        any_version: bool, whether the newest version may stand in for one
            that can no longer be had.
        jobs: int, how many pages are rendered at a time. Defaults to the
            number of cores.

    Returns:
        dict, what `stats.json` holds.

    Raises:
        download.BuildError: If a tool or a package is missing.
    """
    download.check_tools()
    downloads = downloads or output / "downloads"
    downloads.mkdir(parents=True, exist_ok=True)
    chosen = download.choose(listed, downloads, any_version)
    download.fetch(chosen, downloads)
    dropped = collections.Counter()
    with ThreadPoolExecutor(jobs or os.cpu_count()) as pool:
        found, notices = read(chosen, downloads, pool, dropped)
    result = select(found, seed, dropped)
    stats = statistics(chosen, result, dropped, seed)
    return write(output, result, stats, notices)


def main(arguments=None):
    """Reads the command line, builds the data set and prints its size."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--output", type=Path, required=True, help="folder for the data set"
    )
    parser.add_argument(
        "--downloads", type=Path, help="folder for packages; OUTPUT/downloads"
    )
    parser.add_argument(
        "--packages",
        type=Path,
        default=packages.TABLE,
        help="take this table of packages, versions and licences instead",
    )
    parser.add_argument(
        "--any-version",
        action="store_true",
        help="take the newest version where that of the table is gone",
    )
    parser.add_argument(
        "--seed", default=splits.SEED, help="any text; of the test rows"
    )
    parser.add_argument("--jobs", type=int, help="pages at a time; all cores")
    chosen = parser.parse_args(arguments)
    try:
        stats = build(
            chosen.output,
            packages.read(chosen.packages),
            downloads=chosen.downloads,
            seed=chosen.seed,
            any_version=chosen.any_version,
            jobs=chosen.jobs,
        )
    except (download.BuildError, ValueError, FileNotFoundError) as error:
        sys.exit(f"error: {error}")
    print(json.dumps({"kept": stats["kept"], **stats["splits"]}))
    same = stats["sha256"] == TRAINED_ON
    print(f"These are {'' if same else 'not '}the rows of the published model.")


if __name__ == "__main__":
    main()
