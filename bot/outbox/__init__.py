"""Durable rows of what is to go out, the gate before them and the sender behind them."""
