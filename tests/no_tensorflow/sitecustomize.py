"""Makes TensorFlow look not installed to a Python with this on PYTHONPATH.

Hiding it takes no second environment. Every finder is asked through a wrapper
that answers "not found", which is also what `importlib.util.find_spec` says
of a package that is not there.
"""

import sys

HIDDEN = ("tensorflow", "tensorflow_text")


class HidingFinder:
    """Passes every question on to `finder`, except about `HIDDEN`."""

    def __init__(self, finder):
        self.finder = finder

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in HIDDEN:
            return None
        return self.finder.find_spec(name, path, target)

    def __getattr__(self, name):
        return getattr(self.finder, name)


sys.meta_path[:] = [HidingFinder(finder) for finder in sys.meta_path]
