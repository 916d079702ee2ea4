"""Files that other programs run: SavedModel, ONNX, OpenVINO, LiteRT."""
