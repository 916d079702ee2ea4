import os
import threading

import pytest

from keras_led.files import locks
from keras_led.files.turns import one_at_a_time


class Busy(Exception):
    pass


def refuse():
    raise Busy


def test_second_is_refused_until_the_first_has_ended(tmp_path):
    folder = tmp_path / "runs" / "a"

    def enter(path):
        with one_at_a_time(path, refuse):
            pass

    with one_at_a_time(folder, refuse):
        with pytest.raises(Busy):
            enter(folder)
        with pytest.raises(Busy):
            enter(tmp_path / "runs" / "x" / ".." / "a")
        enter(tmp_path / "runs" / "b")
    enter(folder)
    assert os.listdir(tmp_path / "runs") == []


def test_what_a_killed_process_left_hinders_nobody(tmp_path):
    (tmp_path / ".a.lock").touch()
    with one_at_a_time(tmp_path / "a", refuse):
        assert os.listdir(tmp_path) == [".a.lock"]
    assert os.listdir(tmp_path) == []


def test_waiting_processes_take_turns(tmp_path):
    inside, told, worked = [], [], []

    def work(number):
        with one_at_a_time(tmp_path / "a", lambda: told.append(number)):
            inside.append(number)
            worked.append(list(inside))
            inside.remove(number)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(5)]
    with one_at_a_time(tmp_path / "a", refuse):
        for thread in threads:
            thread.start()
        while len(told) < 5:
            pass
    for thread in threads:
        thread.join()
    assert sorted(worked) == [[0], [1], [2], [3], [4]]
    assert os.listdir(tmp_path) == []


def test_file_system_without_locks_is_no_obstacle(tmp_path, monkeypatch):
    monkeypatch.setattr(locks, "fcntl", None)
    with one_at_a_time(tmp_path / "a", refuse):
        with one_at_a_time(tmp_path / "a", refuse):
            pass
