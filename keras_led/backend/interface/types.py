"""Types that stand for those of the backend that runs."""

from typing import Any

Tensor = Any
