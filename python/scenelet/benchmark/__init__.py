"""What a model costs: instructions, modelled cycles, flash and RAM, and the compiler decisions behind them."""
