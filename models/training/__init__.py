"""How the starter pack was made, so that it can be made again. Not part of the running product: needs torch and onnx besides."""
