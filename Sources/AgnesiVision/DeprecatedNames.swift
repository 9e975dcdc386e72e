// Names of earlier versions, which stay for one version.

import AgnesiArrays

extension Explanation {
  @available(*, deprecated, renamed: "gradients")
  public var slopes: NDArray? { gradients }
}
