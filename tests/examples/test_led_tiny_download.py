"""The data of `led-tiny`: the table, downloads, and the whole command.

Scripts stand in for Debian's tools: a "package" is a plain tar archive, and a
page is written as mandoc would draw it.
"""

import io
import json
import tarfile

import keras
import pytest

from examples.led_tiny import build
from examples.led_tiny import download
from examples.led_tiny import packages
from examples.led_tiny import rows
from examples.led_tiny.packages import Package

if keras.backend.backend() != "torch":
    pytest.skip("no backend takes part", allow_module_level=True)

NET = Package("net", "1:2-3", "MIT")
MAN = "./usr/share/man/man1/"
PAGE = b"""NET(1)

NAME
     net - take fish out of a stream

DESCRIPTION
     It is made of string, and it does not wait for long.

net 1.2
"""
TOOLS = {
    "apt-cache": 'echo "   net | 1:2-3 | some place"; echo "net | 1:2-1 | x"',
    # `apt-get -q download net=1:2-3`; the archive waits beside the script.
    "apt-get": 'cp "$(dirname "$0")/net.deb" net_1%3a2-3_all.deb',
    "dpkg-deb": '[ "$1" = --fsys-tarfile ] && cat "$2"',
    "mandoc": "cat",
}


def archive(files, links=()):
    """A tar archive, bytes, of paths and contents, and of hard links."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w") as tar:
        for path, data in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
        for path, target, kind in links:
            entry = tarfile.TarInfo(path)
            entry.type, entry.linkname = kind, target
            tar.addfile(entry)
    return content.getvalue()


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """The folder of the scripts, first on the path."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name, command in TOOLS.items():
        (folder / name).write_text(f"#!/bin/sh\n{command}\n")
        (folder / name).chmod(0o755)
    (folder / "net.deb").write_bytes(
        archive(
            {
                MAN + "net.1": PAGE,
                MAN + "short.1": b"X\n\nNAME\n  short - a\n\nx\n",
                "./usr/share/doc/net/copyright": b"Free.",
            }
        )
    )
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    return folder


def test_the_table_is_in_order_and_has_the_unseen_packages():
    table = packages.read()
    names = [package.name for package in table]
    assert len(names) == 127
    assert names == sorted(set(names))
    assert packages.UNSEEN < set(names)
    assert {package.notice_package for package in table} < set(names)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("b\t1", r"three|tab between.* Received: line=\['b', '1'\]"),
        ("b\t\tMIT", r"Received: line=\['b', '', 'MIT'\]"),
        ("a\t2\tMIT", r"only once.* Received: packages=\['a'\]"),
    ],
)
def test_a_wrong_table_is_refused(tmp_path, line, message):
    table = tmp_path / "table.tsv"
    table.write_text(f"package\tversion\tlicense\na\t1\tMIT\n{line}\n")
    with pytest.raises(ValueError, match=message):
        packages.read(table)


def test_rows_of_a_model_card():
    counts = {"train": {"net": 3}, "test": {"net": 1, "hook": 2}}
    table = [NET, Package("hook", "4", "curl"), Package("none", "5", "MIT")]
    found = packages.card_rows(table, counts)
    assert packages.markdown(found) == (
        "| package | version | license | train | test |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| net | 1:2-3 | MIT | 3 | 1 |\n"
        "| hook | 4 | curl | 0 | 2 |\n"
    )


def test_missing_tools_are_named(tools, monkeypatch):
    monkeypatch.setenv("PATH", str(tools))
    download.check_tools()
    (tools / "mandoc").unlink()
    message = "Received: missing=mandoc. On Debian, `apt-get install mandoc`"
    with pytest.raises(download.BuildError, match=message):
        download.check_tools()


def test_versions_that_are_gone_are_all_named(tools, tmp_path):
    wanted = [NET, Package("net", "9", "MIT"), Package("hook", "4", "curl")]
    with pytest.raises(download.BuildError, match="any-version") as raised:
        download.choose(wanted, tmp_path)
    assert "package=net, wanted=9, found=1:2-3 1:2-1\n" in str(raised.value)
    assert "package=hook, wanted=4, found=none\n" in str(raised.value)
    assert "wanted=1:2-3" not in str(raised.value)


def test_the_newest_version_stands_in_where_that_is_asked_for(tools, tmp_path):
    other = Package("net", "9", "MIT")
    assert download.choose([other], tmp_path, any_version=True) == [NET]
    hook = Package("hook", "4", "curl")
    with pytest.raises(download.BuildError, match="package=hook"):
        download.choose([hook], tmp_path, any_version=True)


def test_what_is_downloaded_is_not_asked_for_again(tools, tmp_path):
    download.fetch([NET], tmp_path)
    for name in ("apt-cache", "apt-get"):
        (tools / name).write_text("#!/bin/sh\nexit 1\n")
    assert download.choose([NET], tmp_path) == [NET]
    download.fetch([NET], tmp_path)
    assert download.deb_of(NET, tmp_path).name == "net_1%3a2-3_all.deb"


def test_a_failed_download_leaves_nothing_half_done(tools, tmp_path):
    (tools / "apt-get").write_text(
        "#!/bin/sh\necho half > net_1%3a2-3_all.deb\necho cut >&2\nexit 100\n"
    )
    folder = tmp_path / "downloads"
    with pytest.raises(download.BuildError, match="\ncut\n"):
        download.fetch([NET], folder)
    assert not folder.exists() or not list(folder.iterdir())


def test_contents_are_pages_in_order_and_notices(tools, tmp_path):
    deb = tmp_path / "a.deb"
    deb.write_bytes(
        archive(
            {
                MAN + "b.1.gz": b"b",
                MAN + "a.1.gz": b"a",
                "./usr/share/man/de/man1/a.1.gz": b"German",
                "./usr/share/postgresql/15/man/man7/x.7.gz": b"x",
                "./usr/share/doc/net/copyright": b"Free.",
                "./usr/bin/net": b"program",
            },
            [
                (MAN + "c.1.gz", MAN + "b.1.gz", tarfile.LNKTYPE),
                (MAN + "d.1.gz", "b.1.gz", tarfile.SYMTYPE),
            ],
        )
    )
    found, notices = download.contents(deb)
    assert found == [
        ("usr/share/man/man1/a.1.gz", b"a"),
        ("usr/share/man/man1/b.1.gz", b"b"),
        ("usr/share/man/man1/c.1.gz", b"b"),
        ("usr/share/postgresql/15/man/man7/x.7.gz", b"x"),
    ]
    assert notices == {"net": b"Free."}
    deb.write_bytes(b"no archive")
    with pytest.raises(download.BuildError, match=r"deb=.*a\.deb, .* Delete"):
        download.contents(deb)


def test_a_package_without_its_notice_is_refused():
    pages = Package("manpages-dev", "6", "mixed free")
    assert download.notice_of(pages, {"manpages": b"x"}) == b"x"
    message = "package=manpages-dev, without one of the name manpages"
    with pytest.raises(download.BuildError, match=message):
        download.notice_of(pages, {"manpages-dev": b"x"})


def test_the_command_builds_and_says_what_is_wrong(
    tools, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(rows, "MIN_WORDS", 5)
    table, output = tmp_path / "table.tsv", tmp_path / "data"
    table.write_text("package\tversion\tlicense\nnet\t1:2-3\tMIT\n")
    arguments = ["--output", str(output), "--packages", str(table)]
    build.main([*arguments, "--jobs", "2"])
    *_, sizes, comparison = capsys.readouterr().out.splitlines()
    assert json.loads(sizes)["kept"] == 1
    assert comparison == "These are not the rows of the published model."
    stats = json.loads((output / "stats.json").read_text("utf-8"))
    assert stats["pages"] == 2
    assert stats["dropped"]["summary too short or too long"] == 1
    assert stats["packages"][0]["version"] == "1:2-3"
    assert set(stats["sha256"]) == set(build.TRAINED_ON)
    monkeypatch.setattr(build, "TRAINED_ON", stats["sha256"])
    build.main(arguments)
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "These are the rows of the published model."
    table.write_text("package\tversion\tlicense\nnet\t9\tMIT\n")
    with pytest.raises(SystemExit, match="package=net, wanted=9"):
        build.main(arguments)
