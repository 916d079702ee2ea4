"""One script for each family of checkpoints, all over `keras-led convert`.

Each takes the arguments of that command, with its family or format given:

    python -m conversion.bart facebook/bart-large my-led --attention-window 512
"""
