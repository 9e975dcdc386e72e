import AgnesiArrays
import COpenSSL

/// The checksum of bytes that come piece by piece, by OpenSSL.
///
/// - Source: FIPS 180-4, §6.1 and §6.2.
package final class MessageDigest {
  /// How it is computed.
  package enum Algorithm: String, Hashable, Sendable {
    case sha256 = "SHA-256"
    /// Tells damage, but no longer malice; some makers have published nothing else.
    case sha1 = "SHA-1"

    fileprivate var byteCount: Int { self == .sha256 ? 32 : 20 }
  }

  private let algorithm: Algorithm
  private let context: OpaquePointer

  package init(_ algorithm: Algorithm = .sha256) {
    let method = algorithm == .sha256 ? EVP_sha256() : EVP_sha1()
    guard let context = EVP_MD_CTX_new(), EVP_DigestInit_ex(context, method, nil) == 1 else {
      fatalError("OpenSSL has no \(algorithm.rawValue)")
    }
    self.algorithm = algorithm
    self.context = context
  }

  deinit { EVP_MD_CTX_free(context) }

  package func update(_ bytes: UnsafeRawBufferPointer) {
    EVP_DigestUpdate(context, bytes.baseAddress, bytes.count)
  }

  /// The digest in hexadecimal; nothing may be added afterwards.
  package func finish() -> String {
    var digest = [UInt8](repeating: 0, count: algorithm.byteCount)
    EVP_DigestFinal_ex(context, &digest, nil)
    return digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  /// The digest of `bytes`, in hexadecimal.
  package static func of(_ bytes: [UInt8], _ algorithm: Algorithm = .sha256) -> String {
    let digest = MessageDigest(algorithm)
    bytes.withUnsafeBytes { digest.update($0) }
    return digest.finish()
  }

  /// The digest of a file's bytes, in hexadecimal.
  package static func ofFile(
    _ path: String, _ algorithm: Algorithm = .sha256
  ) throws -> String {
    let file = try InputFile(path, unpacking: false)
    let digest = MessageDigest(algorithm)
    var buffer = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = try buffer.withUnsafeMutableBytes { bytes in
        let count = try file.read(into: bytes)
        digest.update(UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        return count
      }
      if count == 0 { return digest.finish() }
    }
  }
}
