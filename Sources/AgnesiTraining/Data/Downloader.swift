import AgnesiArrays
import Foundation
import Synchronization

#if canImport(FoundationNetworking)
  import FoundationNetworking
#endif

/// Fetches files over HTTP, checks them, and goes on where a broken connection stopped.
struct Downloader {
  /// Seconds without a byte after which it gives up.
  var timeout: Double = 30

  /// Fetches `remote` to `path`, which appears only when its checksum is right.
  ///
  /// - Parameter progress: the bytes that are here; called from another thread, at most some ten
  ///   times a second, and once at the end.
  /// - Throws: ``DownloadError``, or `FileError` where the disk refuses.
  func fetch(
    _ remote: RemoteFile, to path: String, progress: @escaping @Sendable (Int) -> Void
  ) throws {
    let file = try PartialFile(for: path, remote.algorithm)
    // Not left to the last reference: the session keeps its own for a while.
    defer { file.close() }
    if file.count > remote.byteCount { try file.clear() }
    let wasResumed = file.count > 0
    try transfer(remote, into: file, progress)
    var digest = file.finishedDigest()
    if !digest.hasPrefix(remote.checksum), wasResumed {
      // The part may have been of another version of the file.
      try file.clear()
      try transfer(remote, into: file, progress)
      digest = file.finishedDigest()
    }
    guard digest.hasPrefix(remote.checksum) else {
      file.remove()
      throw error(
        remote,
        "its \(remote.algorithm.rawValue) is \(digest) instead of \(remote.checksum), so it was thrown away"
      )
    }
    try file.commit()
  }

  /// The size that a server states for a file.
  ///
  /// - Throws: ``DownloadError`` where there is no answer or no size.
  func size(of address: String) throws -> Int {
    guard let url = URL(string: address), ["http", "https"].contains(url.scheme) else {
      throw DownloadError(address: address, problem: "this is not an address of the web")
    }
    var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
    request.httpMethod = "HEAD"
    request.timeoutInterval = timeout
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    let answered = DispatchSemaphore(value: 0)
    let outcome = Mutex<Result<Int, DownloadError>?>(nil)
    let session = URLSession(configuration: .ephemeral)
    defer { session.invalidateAndCancel() }
    session.dataTask(with: request) { _, response, failure in
      let result = Self.size(address, response as? HTTPURLResponse, failure)
      outcome.withLock { $0 = result }
      answered.signal()
    }.resume()
    answered.wait()
    guard let result = outcome.withLock({ $0 }) else {
      throw DownloadError(address: address, problem: "the server did not answer")
    }
    return try result.get()
  }

  private static func size(
    _ address: String, _ response: HTTPURLResponse?, _ failure: (any Error)?
  ) -> Result<Int, DownloadError> {
    func error(_ problem: String) -> Result<Int, DownloadError> {
      .failure(DownloadError(address: address, problem: problem))
    }
    guard let response else {
      return error(failure?.localizedDescription ?? "the answer is not HTTP")
    }
    guard response.statusCode == 200 else {
      return error("the server answered \(response.statusCode)")
    }
    let length = response.value(forHTTPHeaderField: "Content-Length").flatMap { Int($0) }
    guard let length, length > 0 else { return error("the server does not say how large it is") }
    return .success(length)
  }

  private func transfer(
    _ remote: RemoteFile, into file: PartialFile, _ progress: @escaping @Sendable (Int) -> Void
  ) throws {
    if file.count < remote.byteCount {
      guard let url = URL(string: remote.address), ["http", "https"].contains(url.scheme) else {
        throw error(remote, "this is not an address of the web")
      }
      var isComplete = false
      while !isComplete {
        let transfer = Transfer(remote, file, progress)
        isComplete = try transfer.run(request(url, from: file.count), timeout: timeout)
      }
    }
    progress(file.count)
    if file.count < remote.byteCount {
      throw error(
        remote,
        "the connection ended after \(file.count) of \(remote.byteCount) bytes; the next "
          + "try goes on from there")
    }
  }

  private func request(_ url: URL, from start: Int) -> URLRequest {
    var request = URLRequest(url: url, cachePolicy: .reloadIgnoringLocalCacheData)
    // Ours is the deadline that counts; it knows when the last byte came.
    request.timeoutInterval = timeout * 2
    // A server that unpacked or packed the file on its way would change its checksum.
    request.setValue("identity", forHTTPHeaderField: "Accept-Encoding")
    if start > 0 { request.setValue("bytes=\(start)-", forHTTPHeaderField: "Range") }
    return request
  }

  private func error(_ remote: RemoteFile, _ problem: String) -> DownloadError {
    DownloadError(address: remote.address, problem: problem)
  }
}

/// One request and its answer.
///
/// Unchecked because the session calls it on one queue, and what the waiting thread reads is under
/// the condition's lock.
private final class Transfer: NSObject, URLSessionDataDelegate, @unchecked Sendable {
  private let remote: RemoteFile
  private let file: PartialFile
  private let progress: @Sendable (Int) -> Void
  private let condition = NSCondition()
  private var isDone = false
  private var lastActivity = Date()
  private var lastReport = Date.distantPast
  private var mustRestart = false
  private var failure: (any Error)?

  init(_ remote: RemoteFile, _ file: PartialFile, _ progress: @escaping @Sendable (Int) -> Void) {
    self.remote = remote
    self.file = file
    self.progress = progress
  }

  /// Returns when the answer is complete; throws what went wrong.
  ///
  /// - Returns: false where the server cannot go on in the middle, so that the file was emptied and
  ///   the request must be made again.
  func run(_ request: URLRequest, timeout: Double) throws -> Bool {
    let session = URLSession(configuration: .ephemeral, delegate: self, delegateQueue: nil)
    defer { session.invalidateAndCancel() }
    let task = session.dataTask(with: request)
    task.resume()
    condition.lock()
    defer { condition.unlock() }
    while !isDone {
      let deadline = lastActivity.addingTimeInterval(timeout)
      if !condition.wait(until: deadline), !isDone, Date() >= lastActivity + timeout {
        failure = failure ?? error("nothing came for \(seconds(timeout))")
        // The session's queue may still be inside of a callback; the file is its until it ends.
        task.cancel()
        while !isDone { condition.wait() }
      }
    }
    if let failure { throw failure }
    return !mustRestart
  }

  func urlSession(
    _ session: URLSession, dataTask: URLSessionDataTask, didReceive response: URLResponse,
    completionHandler: @escaping (URLSession.ResponseDisposition) -> Void
  ) {
    noteActivity()
    let answer = response as? HTTPURLResponse
    do {
      completionHandler(try accepts(answer) ? .allow : .cancel)
    } catch {
      fail(error)
      completionHandler(.cancel)
    }
  }

  func urlSession(_ session: URLSession, dataTask: URLSessionDataTask, didReceive data: Data) {
    noteActivity()
    if hasFailed { return }
    do {
      if data.count > remote.byteCount - file.count {
        try file.clear()
        throw error("more than the \(remote.byteCount) bytes that are expected came")
      }
      try data.withUnsafeBytes { try file.append($0) }
      report()
    } catch {
      fail(error)
      dataTask.cancel()
    }
  }

  func urlSession(_ session: URLSession, task: URLSessionTask, didCompleteWithError error: Error?) {
    if let error, !hasFailed, !mustRestart, file.count < remote.byteCount {
      fail(self.error(reason(error)))
    }
    condition.withLock {
      isDone = true
      condition.broadcast()
    }
  }

  private func accepts(_ answer: HTTPURLResponse?) throws -> Bool {
    switch answer?.statusCode {
    case 206 where startOfRange(answer) == file.count: return true
    case 200:
      try file.clear()
      return true
    case 206 where file.count > 0, 416 where file.count > 0:
      try file.clear()
      mustRestart = true
      return false
    case let code?:
      let words = HTTPURLResponse.localizedString(forStatusCode: code).lowercased()
      throw error("the server answered \(code) (\(words))")
    case nil: throw error("the answer is not HTTP")
    }
  }

  /// The first number of "bytes 100-199/200".
  private func startOfRange(_ answer: HTTPURLResponse?) -> Int? {
    let range = answer?.value(forHTTPHeaderField: "Content-Range") ?? ""
    return range.split { !$0.isNumber }.first.flatMap { Int($0) }
  }

  private func reason(_ error: any Error) -> String {
    let host = URL(string: remote.address)?.host ?? remote.address
    switch (error as? URLError)?.code {
    case .cannotFindHost?, .dnsLookupFailed?, .notConnectedToInternet?:
      return "the host \(host) is not found; is there a network?"
    case .cannotConnectToHost?: return "the host \(host) cannot be reached"
    case .timedOut?: return "the host \(host) does not answer"
    // Each platform has its own code and words for a connection that ends too early.
    case _ where file.count > 0:
      return "the connection ended after \(file.count) of \(remote.byteCount) bytes; the next try "
        + "goes on from there"
    case .networkConnectionLost?, .badServerResponse?:
      return "the connection ended without an answer"
    default: return error.localizedDescription
    }
  }

  private func error(_ problem: String) -> DownloadError {
    DownloadError(address: remote.address, problem: problem)
  }

  private func seconds(_ value: Double) -> String {
    value == value.rounded() ? "\(Int(value)) seconds" : "\(value) seconds"
  }

  // MARK: Under the lock

  private func noteActivity() { condition.withLock { lastActivity = Date() } }

  private func fail(_ error: any Error) { condition.withLock { failure = failure ?? error } }

  private var hasFailed: Bool { condition.withLock { failure != nil } }

  private func report() {
    let now = Date()
    if now.timeIntervalSince(lastReport) < 0.1 { return }
    lastReport = now
    progress(file.count)
  }
}
