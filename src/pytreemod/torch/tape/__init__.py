"""The tape: a recorded program of array operations, differentiated and compiled as a whole.

Nothing here knows an operator, a tensor or a layer: the tape holds values and the pure functions that make them.
"""
