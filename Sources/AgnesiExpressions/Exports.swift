// Sizes are part of every shape that a user writes, and loops of every operation.
@_exported import AgnesiLoops
