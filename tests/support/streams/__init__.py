"""Networks with several inputs and outputs, and with state: generated ones, and builders."""
