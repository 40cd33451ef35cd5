"""What a model costs: instructions, estimated cycles, flash and RAM, and the compiler decisions behind them."""
