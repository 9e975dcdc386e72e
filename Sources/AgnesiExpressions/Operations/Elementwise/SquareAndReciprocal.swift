// Functions that are short enough to be formulas: the same nodes as when they are written out, so
// that rewrites know one spelling only.

/// x · x of each element; the shape and dtype of `x`.
public func square(_ x: Tensor) -> Tensor { x * x }

/// 1/x of each element; the shape of `x`, floating.
public func reciprocal(_ x: Tensor) -> Tensor { 1 / x }
