// Names of earlier versions, which stay for one version.

extension Nonlinearity {
  @available(*, deprecated, renamed: "gradient(_:at:)")
  public func slope(_ slope: Tensor, at x: Tensor) -> Tensor { gradient(slope, at: x) }
}
