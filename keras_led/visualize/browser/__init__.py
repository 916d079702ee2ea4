"""What pages need to color a document by the words of its summary."""

from pathlib import Path

SCRIPT: Path = Path(__file__).parent / "sources_view.js"
STYLE: Path = Path(__file__).parent / "sources_view.css"
FILES: tuple[Path, ...] = (SCRIPT, STYLE)
