// Names of earlier versions, which stay for one version.

@available(*, deprecated, renamed: "Gradients")
public typealias Slopes = Gradients
