import Foundation

/// The natural logarithm of a number; `log` alone would be that of tensors here.
func logarithm(_ x: Double) -> Double { Foundation.log(x) }
