// Sizes are part of every shape that a user writes.
@_exported import struct AgnesiLoops.Size
