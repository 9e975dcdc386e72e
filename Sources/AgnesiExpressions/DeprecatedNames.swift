// Names of earlier versions, which stay for one version.

extension Nonlinearity {
  @available(*, deprecated, renamed: "gradient(_:at:)")
  public func slope(_ slope: Tensor, at x: Tensor) -> Tensor { gradient(slope, at: x) }
}

@available(*, deprecated, renamed: "SourceLocation")
public typealias Site = SourceLocation

extension GraphError {
  @available(*, deprecated, renamed: "location")
  public var site: SourceLocation? {
    get { location }
    set { location = newValue }
  }

  @available(*, deprecated, renamed: "text(withLocations:withHint:)")
  public func text(withSites: Bool, withHint: Bool = true) -> String {
    text(withLocations: withSites, withHint: withHint)
  }
}

extension GraphError.Operand {
  @available(*, deprecated, renamed: "location")
  public var site: SourceLocation? {
    get { location }
    set { location = newValue }
  }
}

extension ListingOptions {
  @available(*, deprecated, renamed: "init(locations:bodies:)")
  public init(sites: Bool, bodies: Bool = false) { self.init(locations: sites, bodies: bodies) }

  @available(*, deprecated, renamed: "locations")
  public var sites: Bool {
    get { locations }
    set { locations = newValue }
  }
}
