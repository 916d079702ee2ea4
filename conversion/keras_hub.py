"""A BART preset of KerasHub to LED.

Run it from the root of the repository:

    python -m conversion.keras_hub SOURCE TARGET [OPTIONS]
"""

from conversion.command import main

if __name__ == "__main__":
    main("--from", "keras_hub")
