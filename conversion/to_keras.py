"""Any LED to Keras' own model.keras.

Run it from the root of the repository:

    python -m conversion.to_keras SOURCE TARGET [OPTIONS]
"""

from conversion.command import main

if __name__ == "__main__":
    main("--to", "keras")
