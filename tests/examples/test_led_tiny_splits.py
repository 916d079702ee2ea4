"""The data of `led-tiny`: copies, clusters and splits of small texts."""

import collections
import json
import random
import zlib

import keras
import numpy as np
import pytest

from examples.led_tiny import build
from examples.led_tiny import copies
from examples.led_tiny import packages
from examples.led_tiny import splits
from examples.led_tiny.rows import Row

if keras.backend.backend() != "torch":
    pytest.skip("no backend takes part", allow_module_level=True)


def text_of(seed, words=200):
    """A text of random words, the same for a seed."""
    generator = random.Random(seed)
    return " ".join(f"w{generator.randrange(5000)}" for _ in range(words))


def row(name, document="", package="p", summary=None, cluster=-1):
    summary = f"About {name} and its kind." if summary is None else summary
    return Row(
        id=f"{package}:{name}(1)",
        title=name,
        document=document or text_of(name),
        summary=summary,
        source_package=package,
        source_version="1",
        license_hint="MIT",
        cluster=cluster,
    )


def names(rows):
    return [row.page for row in rows]


def test_runs_are_five_words_in_a_row():
    assert copies.runs("a b c d e f") == {"a b c d e", "b c d e f"}
    assert copies.runs("A, b!") == {"a b"}
    assert copies.runs("") == {""}


def test_fingerprints_are_the_least_of_mixed_hashes():
    # With numpy's integers replaced by Python's, which do not overflow.
    generator = np.random.default_rng(copies.FACTORS_SEED)
    factors = generator.integers(1, 2**30, copies.PLACES, dtype=np.uint64)
    offsets = generator.integers(0, 2**30, copies.PLACES, dtype=np.uint64)
    hashes = [zlib.crc32(b"a b c d e"), zlib.crc32(b"b c d e f")]
    expected = [
        min(
            (int(factor) * number + int(offset)) % (2**61 - 1)
            for number in hashes
        )
        for factor, offset in zip(factors, offsets, strict=True)
    ]
    assert copies.fingerprints(["A b c, d e f"]).tolist() == [expected]
    assert copies.fingerprints([]).shape == (0, copies.PLACES)


def test_alike_texts_are_found_among_others():
    texts = [text_of(seed) for seed in range(30)]
    texts[20] = texts[3].replace(texts[3].split()[100], "other")
    found = copies.alike(texts, 0.8)
    assert [pair[:2] for pair in found] == [(3, 20)]
    assert 0.8 <= found[0][2] <= 1
    assert copies.alike([text_of(1), text_of(2)], 0.0) == []


def test_many_texts_of_one_template_are_chained(monkeypatch):
    monkeypatch.setattr(copies, "TEMPLATE", 3)
    marks = copies.fingerprints(["a b c d e f"] * 3)
    assert copies.candidates(marks) == [(0, 1), (0, 2), (1, 2)]
    marks = copies.fingerprints(["a b c d e f"] * 4)
    assert copies.candidates(marks) == [(0, 1), (1, 2), (2, 3)]


def test_the_shorter_copy_goes():
    texts = ["four", "three", "four", "x"]
    assert copies.superfluous(texts, [(0, 1)]) == {0}
    assert copies.superfluous(texts, [(1, 2)]) == {2}
    assert copies.superfluous(texts, [(0, 2)]) == {2}
    # 0 is out when it meets 3, which therefore stays.
    assert copies.superfluous(texts, [(0, 1), (0, 3)]) == {0}


def test_clusters_are_what_hangs_together():
    links = [(4, 1), (1, 3), (5, 6), (2, 2)]
    assert splits.clusters(7, links) == [0, 1, 2, 1, 1, 5, 5]
    assert splits.clusters(0, []) == []


def test_copies_go_and_related_rows_share_a_cluster(monkeypatch):
    pairs = [(1, 2, 0.9), (1, 3, 0.7)]
    monkeypatch.setattr(copies, "alike", lambda texts, least: pairs)
    rows = [
        row("alone"),
        row("base", "x", summary="Stand at the base."),
        row("near", "x y", summary="Stand near by."),
        row("half", "x y z", summary="Go half the way."),
        row("ALONE", package="q", summary="Be by itself."),
        # What `alone` says, but for its own name.
        row("same", summary="About and its kind."),
        row("free", summary="Be free."),
    ]
    kept = splits.without_copies(rows)
    assert names(kept) == ["alone", "near", "half", "alone", "same", "free"]
    assert [r.cluster for r in kept] == [0, 1, 1, 0, 0, 6]


def test_a_copy_among_pages_goes():
    base = text_of("base")
    near = base.replace(base.split()[50], "other")
    rows = [row("base", base), row("free"), row("near", near + " longer")]
    assert names(splits.without_copies(rows)) == ["free", "near"]


def test_equal_summaries_hang_together():
    rows = [row("a", summary="Take fish."), row("b", summary="Take fish.")]
    splits.without_copies(rows)
    assert [r.cluster for r in rows] == [0, 0]


def test_a_summary_is_used_three_times():
    rows = [row(f"n{i}", summary=f"Use n{i} now.") for i in range(5)]
    rows.insert(1, row("other", summary="Use it then."))
    assert names(splits.without_repetition(rows)) == ["n0", "other", "n1", "n2"]


def test_whole_clusters_go_into_one_split():
    rows = [row(f"n{i}", "x", cluster=i // 2) for i in range(2000)]
    result = splits.split(rows, unseen=set())
    sizes = {name: len(members) for name, members in result.items()}
    # Shares of 5 % and 4 % of 1,000 clusters, within three deviations.
    assert sizes["test"] == pytest.approx(100, abs=42)
    assert sizes["valid"] == pytest.approx(80, abs=38)
    assert sizes["test_unseen"] == 0
    assert sum(sizes.values()) == 2000
    homes = collections.defaultdict(set)
    for name, members in result.items():
        for member in members:
            homes[member.cluster].add(name)
    assert {len(home) for home in homes.values()} == {1}


def test_the_seed_decides_and_the_order_of_rows_does_not():
    rows = [row(f"n{i}", "x", cluster=i) for i in range(300)]
    result = splits.split(rows, unseen=set())
    again = splits.split(rows[::-1], unseen=set())
    other = splits.split(rows, unseen=set(), seed="other")
    assert result == again
    assert names(result["test"]) != names(other["test"])
    assert names(result["train"]) != sorted(names(result["train"]))


def test_unseen_packages_never_meet_training():
    rows = [
        row("mixed", package="seen", cluster=1),
        row("mixed", package="new", cluster=1),
        row("alone", package="new", cluster=2),
    ]
    result = splits.split(rows, unseen={"new"})
    assert [r.id for r in result["train"]] == ["seen:mixed(1)"]
    assert [r.id for r in result["test_unseen"]] == ["new:alone(1)"]
    assert result["valid"] == result["test"] == []


def test_a_big_cluster_trains():
    # The id of the first row decides: one that would go into the test.
    first = next(
        name
        for name in map(str, range(1000))
        if splits.draw(splits.SEED, f"p:{name}(1)") < splits.TEST_SHARE
    )
    rows = [row(first, "x", cluster=0)]
    rows += [row(f"n{i}", "x", cluster=0) for i in range(19)]
    assert splits.split_of(rows, set(), splits.SEED) == "test"
    rows.append(row("one more", "x", cluster=0))
    assert splits.split_of(rows, set(), splits.SEED) == "train"


def test_draw_is_fixed():
    # The first 12 digits of `printf keras-led:a | sha256sum`.
    assert splits.draw("keras-led", "a") == 0x258622E8D902 / 16**12


def test_what_is_dropped_is_counted_and_written(tmp_path):
    base = text_of("base")
    found = [
        row("base", base),
        row("near", base + " end"),
        *(row(f"n{i}", summary="Use a net.") for i in range(4)),
        row("copy", package="pcp"),
        row("copy", package="fishing"),
    ]
    found[6].document = text_of("of its own")
    dropped = collections.Counter({"not prose": 2})
    result = build.select(found, splits.SEED, dropped)
    assert dropped == {
        "not prose": 2,
        "near-copy of another page": 1,
        "summary used too often": 1,
        "unseen package, but related to others": 1,
    }
    chosen = [
        packages.Package("fishing", "1", "MIT"),
        packages.Package("none", "1", "MIT"),
    ]
    stats = build.statistics(chosen, result, dropped, splits.SEED)
    assert (stats["pages"], stats["kept"]) == (10, 5)
    assert [entry["package"] for entry in stats["packages"]] == ["fishing"]
    build.write(tmp_path, result, stats, {"fishing": b"Free."})
    text = "".join(
        (tmp_path / f"{name}.jsonl").read_text("utf-8") for name in splits.NAMES
    )
    ids = {json.loads(line)["id"] for line in text.splitlines()}
    assert ids == {"p:near(1)", "p:n0(1)", "p:n1(1)", "p:n2(1)"} | {
        "fishing:copy(1)"
    }
    assert (tmp_path / "copyright" / "fishing").read_bytes() == b"Free."
    written = json.loads((tmp_path / "stats.json").read_text("utf-8"))
    assert set(written["sha256"]) == {f"{name}.jsonl" for name in splits.NAMES}
