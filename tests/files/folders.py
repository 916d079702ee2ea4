"""Folders of small text files, and processes that are killed while saving."""

import os
import shutil

from keras_led.files import exchange
from keras_led.files.pending import current_files
from keras_led.files.pending import current_path


def write_all(folder, contents):
    """Writes `{name: text}` into a folder, made when missing."""
    for name, text in contents.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def read_all(folder):
    """Reads a folder as any program sees it, as `{name: text}`."""
    return {
        str(path.relative_to(folder)): path.read_text()
        for path in folder.rglob("*")
        if path.is_file()
    }


def read_current(folder):
    """Reads the files of a folder as this library sees them."""
    return {
        name: current_path(folder, name).read_text()
        for name in current_files(folder)
    }


def check_kills(monkeypatch, folder, save_old, save_new):
    """Kills a save at each step; either save must be there, as it was made.

    Args:
        monkeypatch: pytest's.
        folder: `pathlib.Path` to save into, not there yet.
        save_old: callable that takes a folder.
        save_new: callable that takes the folder of the older save.
    """
    mortal = Mortal(monkeypatch)
    states = []
    for steps in range(400):
        target = folder / str(steps)
        save_old(target)
        states.append(read_bytes(target))
        if not mortal.dies(steps, lambda: save_new(target)):  # noqa: B023
            break
        states.append(read_bytes(target))
    old, new = states[0], read_bytes(target)
    assert old.keys() & new.keys() and old != new
    assert steps > 20 and new in states
    assert [x for x in states if x not in (old, new)] == []


def read_bytes(folder):
    """Reads a folder as any program sees it, as `{name: bytes}`."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


class Killed(BaseException):
    """Stands for SIGKILL: nothing on the disk changes after it."""


class Mortal:
    """Lets every change to the disk count, and end the process at one.

    A dead process changes nothing more, and its locks are gone. Use it in
    place of a real kill, which would cost a process for each step.

    Args:
        monkeypatch: pytest's.
    """

    def __init__(self, monkeypatch):
        self.left = None
        for name in ("replace", "rename", "link", "unlink", "mkdir", "rmdir"):
            monkeypatch.setattr(os, name, self._count(getattr(os, name)))
        # A kill cannot tell whether the disk was waited for, which is slow.
        monkeypatch.setattr(os, "fsync", self._count(lambda descriptor: None))
        monkeypatch.setattr(
            exchange, "exchange", self._count(exchange.exchange)
        )
        monkeypatch.setattr(shutil, "rmtree", self._count(shutil.rmtree))

    def dies(self, steps, work):
        """Runs `work` for some steps; whether it was killed."""
        self.left = steps
        try:
            work()
        except Killed:
            return True
        finally:
            self.left = None
        return False

    def _count(self, function):
        def counted(*arguments, **options):
            if self.left is not None:
                if self.left == 0:
                    raise Killed
                self.left -= 1
            return function(*arguments, **options)

        return counted
