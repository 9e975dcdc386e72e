import Foundation

/// A web server on this machine that answers as a test wants it to.
///
/// Unchecked because what threads share is under the lock.
final class TestServer: @unchecked Sendable {
  struct Request {
    let path: String
    /// Whether only the head of the answer is asked for.
    let isHead: Bool
    /// The first byte that is asked for.
    let start: Int?
  }

  enum Answer {
    /// An answer; the connection ends after `sent` bytes of the body where that is not nil.
    case content([UInt8], status: String = "200 OK", headers: [String] = [], sent: Int? = nil)
    /// The first bytes of a longer body, and then nothing while the server exists.
    case silence([UInt8], promised: Int)
  }

  let address: String
  private let answer: @Sendable (Request) -> Answer
  /// The listening socket is closed: by the thread that accepts, since its number may at once be that of
  /// another file of this process.
  private let isClosed = DispatchSemaphore(value: 0)
  private let lock = NSLock()
  private var isStopped = false
  private var received: [Request] = []
  private var open: [Int32] = []

  init(_ answer: @escaping @Sendable (Request) -> Answer) throws {
    self.answer = answer
    #if canImport(Glibc)
      let kind = Int32(SOCK_STREAM.rawValue)
    #else
      let kind = SOCK_STREAM
    #endif
    let socket = Foundation.socket(AF_INET, kind, 0)
    var name = sockaddr_in()
    name.sin_family = sa_family_t(AF_INET)
    name.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let isReady = withUnsafeMutablePointer(to: &name) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(socket, $0, size) == 0 && listen(socket, 16) == 0
          && getsockname(socket, $0, &size) == 0
      }
    }
    guard isReady else {
      close(socket)
      throw POSIXError(.EADDRNOTAVAIL)
    }
    address = "http://127.0.0.1:\(UInt16(bigEndian: name.sin_port))/"
    Thread.detachNewThread { [weak self, isClosed] in
      while let server = self, !server.lock.withLock({ server.isStopped }) {
        var waiting = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        guard poll(&waiting, 1, 20) > 0 else { continue }
        let connection = accept(socket, nil, nil)
        if connection < 0 { break }
        Thread.detachNewThread { server.serve(connection) }
      }
      close(socket)
      isClosed.signal()
    }
  }

  /// Ends all connections; nobody answers at the address any more. A second call does nothing.
  func stop() {
    let isFirst = lock.withLock {
      defer { isStopped = true }
      return !isStopped
    }
    guard isFirst else { return }
    isClosed.wait()
    for connection in lock.withLock({ open }) { close(connection) }
  }

  /// What was asked for.
  var requests: [Request] { lock.withLock { received } }

  private func serve(_ connection: Int32) {
    guard let request = read(connection) else {
      close(connection)
      return
    }
    lock.withLock { received.append(request) }
    switch answer(request) {
    case .content(let body, let status, let headers, let sent):
      let sent = request.isHead ? 0 : sent ?? body.count
      send(connection, head(status, body.count, headers) + body.prefix(sent))
      shutdown(connection, Int32(SHUT_RDWR))
      close(connection)
    case .silence(let part, let promised):
      send(connection, head("200 OK", promised, []) + part)
      let isLate = lock.withLock {
        if !isStopped { open.append(connection) }
        return isStopped
      }
      if isLate { close(connection) }
    }
  }

  private func head(_ status: String, _ count: Int, _ headers: [String]) -> [UInt8] {
    let lines =
      ["HTTP/1.1 \(status)", "Content-Length: \(count)", "Connection: close"] + headers + ["", ""]
    return Array(lines.joined(separator: "\r\n").utf8)
  }

  private func read(_ connection: Int32) -> Request? {
    var text = ""
    var buffer = [UInt8](repeating: 0, count: 4096)
    while !text.contains("\r\n\r\n") {
      let count = recv(connection, &buffer, buffer.count, 0)
      if count <= 0 { return nil }
      text += String(decoding: buffer[..<count], as: UTF8.self)
    }
    let range = text.components(separatedBy: "\r\n").first { $0.lowercased().hasPrefix("range:") }
    let start = range.flatMap { $0.split { !$0.isNumber }.first }.flatMap { Int($0) }
    return Request(
      path: text.split(separator: " ").dropFirst().first.map(String.init) ?? "",
      isHead: text.hasPrefix("HEAD "), start: start)
  }

  private func send(_ connection: Int32, _ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      #if canImport(Glibc)
        let flags = Int32(MSG_NOSIGNAL)
      #else
        let flags: Int32 = 0
      #endif
      let count = rest.withUnsafeBytes {
        Foundation.send(connection, $0.baseAddress, $0.count, flags)
      }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }
}
