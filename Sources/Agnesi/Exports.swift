@_exported import AgnesiArrays
@_exported import AgnesiCPU
@_exported import AgnesiCompiler
@_exported import AgnesiExpressions
@_exported import AgnesiLayers
@_exported import AgnesiModels
@_exported import AgnesiReference
@_exported import AgnesiTraining
