// Names of earlier versions, which stay for one version.

import AgnesiExpressions

extension Profiler.Entry {
  @available(*, deprecated, renamed: "location")
  public var site: SourceLocation? { location }
}
