"""LED of Hugging Face, PyTorch or TensorFlow, to safetensors for PyTorch.

Run it from the root of the repository:

    python -m conversion.huggingface SOURCE TARGET [OPTIONS]
"""

from conversion.command import main

if __name__ == "__main__":
    main("--from", "led")
