"""Text to token ids and back."""

from keras_led.tokenizer.batch_encoding import BatchEncoding
from keras_led.tokenizer.batch_encoding import CharSpan
from keras_led.tokenizer.batch_encoding import TokenSpan
from keras_led.tokenizer.led_tokenizer import LEDTokenizer
from keras_led.tokenizer.led_tokenizer import LEDTokenizerFast
