import Foundation

// Functions of numbers under names that tensors do not have.

func ln(_ x: Double) -> Double { log(x) }
func power(of exponent: Double) -> Double { exp(exponent) }
