import Foundation

/// Real data for tests, which lies outside of the repository.
package enum TestData {
  /// The folder that AGNESI_TEST_DATA names; nil where it is not set.
  package static let folder: String? = {
    let path = ProcessInfo.processInfo.environment["AGNESI_TEST_DATA"] ?? ""
    return path.isEmpty ? nil : path
  }()

  /// The path of a file or folder inside; empty where there is no folder.
  package static func path(_ name: String) -> String { folder.map { "\($0)/\(name)" } ?? "" }
}
