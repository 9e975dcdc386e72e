#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// A running command, without a shell. `Foundation.Process` would take longer to start than a
/// small unit to compile.
struct CompilerProcess {
  /// Why a command could not be started.
  struct Failure: Error {
    var reason: String
  }

  /// How a command ended; `isSuccess` is exit status 0.
  struct Outcome {
    var isSuccess: Bool
    /// "exit 1" or "signal 9".
    var text: String
  }

  private let process: pid_t

  /// - Parameter errors: the file that standard error (and output) goes to.
  init(_ path: String, _ arguments: [String], errors: String) throws(Failure) {
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
      var attributes: posix_spawnattr_t?
    #else
      var actions = posix_spawn_file_actions_t()
      var attributes = posix_spawnattr_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    posix_spawnattr_init(&attributes)
    defer {
      posix_spawn_file_actions_destroy(&actions)
      posix_spawnattr_destroy(&attributes)
    }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, 1, errors, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
    posix_spawn_file_actions_adddup2(&actions, 1, 2)
    // A group of its own: Ctrl-C asks training to stop after this step, which needs the code.
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))
    var vector: [UnsafeMutablePointer<CChar>?] = ([path] + arguments).map { strdup($0) }
    vector.append(nil)
    defer { for pointer in vector { free(pointer) } }
    var process = pid_t()
    let code = posix_spawn(&process, path, &actions, &attributes, vector, environ)
    guard code == 0 else { throw Failure(reason: String(cString: strerror(code))) }
    self.process = process
  }

  /// Ends the command and what it started, where the whole process is about to end.
  func stop() { kill(-process, SIGKILL) }

  /// Waits for the end; to be called once.
  func wait() -> Outcome {
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      if errno != EINTR { return Outcome(isSuccess: false, text: String(cString: strerror(errno))) }
    }
    let signal = status & 0x7f
    let exit = status >> 8 & 0xff
    return Outcome(
      isSuccess: status == 0, text: signal == 0 ? "exit \(exit)" : "signal \(signal)")
  }
}

/// A shared library in this process, unloaded when nobody holds it any more.
final class LoadedLibrary: Sendable {
  private nonisolated(unsafe) let handle: UnsafeMutableRawPointer

  /// - Throws: what the loader says.
  init(_ path: String) throws(KernelCompilationError) {
    guard let handle = dlopen(path, RTLD_NOW | RTLD_LOCAL) else {
      throw .loading(dlerror().map { String(cString: $0) } ?? "unknown reason")
    }
    self.handle = handle
  }

  func address(of name: String) -> UnsafeMutableRawPointer? { dlsym(handle, name) }

  deinit { dlclose(handle) }
}
