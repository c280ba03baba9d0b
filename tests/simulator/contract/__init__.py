"""Every endpoint the simulator offers: one success held against the catalogue and one refusal, at least."""
