import Agnesi
import ArgumentParser
import Foundation

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// What goes to a person on standard error, so that standard output holds results only.
struct Console: Sendable {
  let isTerminal = isatty(STDERR_FILENO) != 0

  func note(_ text: String) { write(text + "\n") }

  /// Where standard error cannot be written to, there is nobody to say so to.
  private func write(_ text: String) {
    try? FileHandle.standardError.write(contentsOf: Data(FileName.printable(text).utf8))
  }

  /// A line that the next one replaces, on a terminal only.
  func progress(_ text: String) {
    guard isTerminal else { return }
    write("\r\(text)\u{1B}[K")
  }

  /// Clears the line of ``progress(_:)``.
  func endLine() {
    guard isTerminal else { return }
    write("\r\u{1B}[K")
  }

  func show(_ download: DownloadProgress) {
    let total = max(download.file.byteCount, 1)
    let percent = min(100, download.received * 100 / total)
    progress(
      "download \(download.number)/\(download.count) \(download.file.name)"
        + " [\(bar(percent))] \(percent) %")
  }

  /// How many of `total` are done, as a bar that the next one replaces.
  func showBar(_ done: Int, of total: Int, _ what: String) {
    progress("[\(bar(done * 100 / max(total, 1)))] \(done) of \(total) \(what)")
  }

  private func bar(_ percent: Int) -> String {
    let filled = min(100, percent) * 30 / 100
    return String(repeating: "#", count: filled) + String(repeating: ".", count: 30 - filled)
  }
}

/// Writes a line of results at once, because somebody may read line by line while the command goes on.
///
/// - Throws: `FileError` where standard output cannot be written to.
func printNow(_ line: String) throws {
  do {
    try FileHandle.standardOutput.write(contentsOf: Data("\(line)\n".utf8))
  } catch {
    throw FileError(
      action: "write", path: "standard output", reason: error.localizedDescription)
  }
}

/// A mistake of the command line itself, whatever files and data there are: exit status 64, as for what the
/// parser of arguments refuses.
struct WrongUse: Error, CustomStringConvertible {
  let error: any Error
  var description: String { shownText(of: error) }
}

/// Runs what looks at the command line alone: what it throws becomes ``WrongUse``.
func checkingUse<Result>(_ body: () throws -> Result) throws -> Result {
  do { return try body() } catch { throw WrongUse(error: error) }
}

/// Runs the body of a command: whatever it throws becomes one clear message and exit status 1, or 64 where it
/// is ``WrongUse``; a status that it throws itself stays as it is.
///
/// - Parameter stopped: what is said where a signal ends it, outside of what handles signals in its own
///   way.
func reportingErrors(stopped: String = "stopped", _ body: () throws -> Void) throws {
  do {
    try Interruption.whileHandling(message: "", endingWith: stopped, after: 0) { _ in try body() }
    // What was printed and not written is lost, which is no success.
    if fflush(nil) != 0 {
      throw FileError(
        action: "write", path: "standard output", reason: String(cString: strerror(errno)))
    }
  } catch let status as ExitCode {
    throw status
  } catch {
    // Written here, because the parser of arguments would put a word of its own before it.
    let console = Console()
    console.endLine()
    console.note(shownText(of: error))
    throw error is WrongUse ? ExitCode.validationFailure : .failure
  }
}

/// What a person at the command line is told of an error: of a mistake in a graph the words of the
/// network's notation, or what does not fit, without places and advice in Swift; of memory that is
/// not there, what wants it, without places.
func shownText(of error: any Error) -> String {
  if let shortage = error as? MemoryError { return shortage.textForReaders }
  guard let mistake = error as? GraphError else { return String(describing: error) }
  return mistake.wording ?? mistake.text(withLocations: false, withHint: false)
}

/// One object of a command's output for programs: equal values are equal lines. NaN and infinity,
/// which JSON has not, are null.
func jsonLine(_ value: some Encodable) throws -> String {
  try JSONText.encoded(value, nonFinite: .null)
}

extension Evaluation {
  /// As in "94.77 % (8 of 153 wrong; 95 % interval 90.0 to 97.7 %)".
  var accuracyText: String {
    String(format: "%.2f %%", accuracy * 100)
      + " (\(errorCount) of \(count) wrong; \(accuracyInterval.text))"
  }

  /// Prints the loss, and which classes were most often taken for which.
  func printLossAndConfusions(classCount: Int, name: (Int) -> String) throws {
    print("mean cross-entropy \(String(format: "%.4f", loss)) nats")
    for confusion in try confusion(classCount: classCount).largestConfusions(5) {
      let (actual, taken) = (name(confusion.actual), name(confusion.predicted))
      print("  \(confusion.count) × \(actual) taken for \(taken)")
    }
  }
}

/// An error whose text is all there is to say.
struct CommandFailure: Error, CustomStringConvertible {
  let message: String
  var description: String { message }
}

/// The command as it was typed, so that a shell takes it again: words with more than letters, digits
/// and a few signs are quoted.
var repeatableCommand: String {
  let plain = Set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=,+@%")
  return CommandLine.arguments.map { word in
    let isPlain = !word.isEmpty && word.allSatisfy(plain.contains)
    return isPlain ? word : "'" + word.replacingOccurrences(of: "'", with: #"'\''"#) + "'"
  }.joined(separator: " ")
}
