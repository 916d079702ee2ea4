"""HDF5 files on a disk that becomes full."""

import errno
import resource

import numpy as np
import pytest

from keras_led.checkpoints import hdf5_writer
from keras_led.checkpoints.safetensors_writer import Tensor

NAMES = [f"led/encoder/layers.{i}/fc1/kernel:0" for i in range(20)]


def tensors():
    values = np.arange(20_000, dtype="float32").reshape(100, 200)
    return [
        Tensor(name, values.shape, values.dtype, lambda: values)
        for name in NAMES
    ]


@pytest.fixture
def full_disk():
    """Files end at 200 kB, as on a disk that has no more."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("max_shard_size", ["1GB", "600KB"])
def test_full_disk_is_an_error_of_the_system(
    tmp_path, full_disk, max_shard_size
):
    written = []
    with pytest.raises(OSError, match="tf_model.*h5") as error:
        hdf5_writer.write_tensorflow_shards(
            tensors(), tmp_path, None, max_shard_size, written.append
        )
    assert error.value.errno == errno.EFBIG
    # Not all of the model is read and cast for nothing.
    assert len(written) < 5
