"""The TFLED classes exist on TensorFlow only."""

import keras

if keras.backend.backend() != "tensorflow":
    collect_ignore_glob = ["test_tf_*.py"]
