"""Pictures in, arrays out. Knows no person, no shop, no database.

onnxruntime reports usage to its maker unless it is told not to before its first import. Only this package imports it (a test
enforces that), and Python runs this file before any of the package's modules, so this is the one place that cannot be missed.
"""

import os

os.environ["ORT_DISABLE_TELEMETRY"] = "1"
