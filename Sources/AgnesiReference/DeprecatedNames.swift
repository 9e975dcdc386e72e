// Names of earlier versions, which stay for one version.

import AgnesiExpressions

extension ExecutionError {
  @available(*, deprecated, renamed: "location")
  public var site: SourceLocation { location }

  @available(*, deprecated, renamed: "text(withLocation:)")
  public func text(withSite: Bool) -> String { text(withLocation: withSite) }
}
