"""The doors events come through: how each one's bodies become inbox rows, and rows become events again."""
