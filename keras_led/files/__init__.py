"""Files on disk and on the Hugging Face hub."""

from keras_led.files.atomic import replaced_directory
from keras_led.files.atomic import staged_directory
from keras_led.files.atomic import staged_file
from keras_led.files.atomic import write_bytes
from keras_led.files.atomic import write_json
from keras_led.files.atomic import write_text
from keras_led.files.hub import read_json
from keras_led.files.hub import resolve
from keras_led.files.together import read_together
from keras_led.files.turns import one_at_a_time
from keras_led.files.upload import push_to_hub
