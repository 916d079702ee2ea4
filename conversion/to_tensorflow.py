"""Any LED to the tf_model.h5 that transformers 4 reads.

Run it from the root of the repository:

    python -m conversion.to_tensorflow SOURCE TARGET [OPTIONS]
"""

from conversion.command import main

if __name__ == "__main__":
    main("--to", "tf-h5")
