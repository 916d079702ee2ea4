"""AllenAI's original Longformer encoder-decoder to LED.

Run it from the root of the repository:

    python -m conversion.allenai SOURCE TARGET [OPTIONS]
"""

from conversion.command import main

if __name__ == "__main__":
    main("--from", "allenai")
