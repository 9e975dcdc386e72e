// Names of earlier versions, which stay for one version.

import AgnesiExpressions

extension FunctionError {
  @available(*, deprecated, renamed: "location")
  public var site: SourceLocation? {
    get { location }
    set { location = newValue }
  }

  @available(*, deprecated, renamed: "text(withLocations:)")
  public func text(withSites: Bool) -> String { text(withLocations: withSites) }
}
