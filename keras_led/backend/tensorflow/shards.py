"""Documents are not spread over devices."""

from keras_led.backend import without_shards

SHARDS_DOCUMENTS = without_shards.SHARDS_DOCUMENTS
document_shards = without_shards.document_shards
run_in_shards = without_shards.run_in_shards
shard_index = without_shards.shard_index
shard_seed = without_shards.shard_seed
halo = without_shards.halo
sum_over_shards = without_shards.sum_over_shards
gather_over_shards = without_shards.gather_over_shards
