"""BART of Hugging Face to LED, for documents of any length.

Run it from the root of the repository:

    python -m conversion.bart SOURCE TARGET [OPTIONS]
"""

from conversion.command import main

if __name__ == "__main__":
    main("--from", "bart")
