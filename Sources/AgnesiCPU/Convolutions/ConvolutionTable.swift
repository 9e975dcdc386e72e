import CAgnesi
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// How long convolutions take by either algorithm, as `agnesi tune` measured it on machines whose
/// cache folder is this one.
///
/// The file is text, one measurement a line, with tabs between the fields: processor (a check sum of all
/// that it says of itself), library, threads, convolution, seconds of the direct algorithm, seconds of
/// Winograd's.
package struct ConvolutionTable: Hashable, Sendable {
  /// What times are good for.
  package struct Machine: Hashable, Sendable {
    package var processor: String
    package var library: String
    package var threads: Int

    package init(processor: String, library: String, threads: Int) {
      (self.processor, self.library, self.threads) = (processor, library, threads)
    }
  }

  /// Seconds of one call.
  package struct Times: Hashable, Sendable {
    package var direct: Double
    package var winograd: Double

    package init(direct: Double, winograd: Double) {
      (self.direct, self.winograd) = (direct, winograd)
    }

    /// A gain below this is within the error of measurement, and not worth digits.
    private static let margin = 0.97

    package var choice: ConvolutionAlgorithm {
      winograd < Self.margin * direct ? .winograd : .direct
    }
  }

  private var entries: [Machine: [String: Times]] = [:]

  package init() {}

  /// The times of a machine by convolution.
  package subscript(machine: Machine) -> [String: Times] {
    get { entries[machine] ?? [:] }
    set { entries[machine] = newValue.isEmpty ? nil : newValue }
  }

  /// These measurements, and those of `other` that are missing here.
  package func filled(from other: ConvolutionTable) -> ConvolutionTable {
    var result = self
    for (machine, times) in other.entries { result[machine].merge(times) { own, _ in own } }
    return result
  }
}

extension ConvolutionTable.Machine {
  /// This one, with so many threads.
  package static func current(threads: Int) -> Self {
    Self(processor: identity.processor, library: identity.library, threads: threads)
  }

  private static let identity: (processor: String, library: String) = {
    let text = Array(Processor.identity.utf8)
    let sum = text.withUnsafeBytes { CheckSum.of($0, seed: 0x9e37_79b9_7f4a_7c15) }
    var bytes = [CChar](repeating: 0, count: 64)
    agnesi_dnn_identity(&bytes, bytes.count)
    let library = bytes.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }
    return (String(sum, radix: 16), "oneDNN " + String(decoding: library, as: UTF8.self))
  }()
}

// MARK: Text

extension ConvolutionTable {
  private static let header = "agnesi convolutions 1"

  /// Why a text is no table.
  package struct Problem: Error, CustomStringConvertible {
    package let description: String
  }

  package init(text: String) throws(Problem) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first == Self.header[...], lines.last == "" else {
      throw Problem(description: "it is no table of convolutions, or not a whole one")
    }
    for (number, line) in lines.enumerated().dropFirst().dropLast() {
      let fields = line.split(separator: "\t", omittingEmptySubsequences: false)
      guard fields.count == 6, let threads = Int(fields[2]), let direct = Double(fields[4]),
        let winograd = Double(fields[5]), direct > 0, winograd > 0, (direct + winograd).isFinite
      else {
        throw Problem(description: "line \(number + 1) is no measurement")
      }
      let machine = Machine(
        processor: String(fields[0]), library: String(fields[1]), threads: threads)
      entries[machine, default: [:]][String(fields[3])] = Times(direct: direct, winograd: winograd)
    }
  }

  /// In an order that depends on the content only.
  package var text: String {
    let lines = entries.flatMap { machine, times in
      times.map { key, times in
        let fields = [machine.processor, machine.library, String(machine.threads), key]
        return (fields + [String(times.direct), String(times.winograd)]).joined(separator: "\t")
      }
    }
    return ([Self.header] + lines.sorted()).map { $0 + "\n" }.joined()
  }
}

// MARK: The file

extension ConvolutionTable {
  /// The table of this process: read once, so that what others write meanwhile changes no choice.
  package static let standard = reading(standardPath)

  package static var standardPath: String { path(in: CompileCache.standard.folder) }

  package static func path(in folder: String) -> String { "\(folder)/convolutions.txt" }

  /// The table at `path`; empty where there is none, and, after a warning, where it cannot be read.
  package static func reading(
    _ path: String,
    warn: (String) -> Void = { FileBytes.complain($0) }
  ) -> ConvolutionTable {
    let bytes: [UInt8]
    do throws(FileBytes.Failure) {
      bytes = try FileBytes.read(path, limit: Self.limit)
    } catch {
      if error.code != ENOENT { warn(warning(path, error.text)) }
      return ConvolutionTable()
    }
    do throws(Problem) {
      return try ConvolutionTable(text: String(decoding: bytes, as: UTF8.self))
    } catch {
      warn(warning(path, error.description))
      return ConvolutionTable()
    }
  }

  /// Far more than all convolutions of a person's networks.
  private static let limit = 64 << 20

  private static func warning(_ path: String, _ reason: String) -> String {
    """
    agnesi: the measurements in \(path) are ignored: \(reason)
      `agnesi tune` writes the file anew
    """
  }

  /// Adds these measurements to the file at `path`, in the place of older ones of the same convolutions.
  /// What other processes add at the same time is kept.
  package func add(to path: String) throws {
    guard let slash = path.lastIndex(of: "/") else {
      throw Problem(description: "\(path) is in no folder")
    }
    do throws(FileBytes.Failure) {
      try FileBytes.makeFolder(String(path[..<slash]))
      let lock = open(path + ".lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
      guard lock >= 0 else { throw .last }
      // Closing it gives it back.
      defer { close(lock) }
      while flock(lock, LOCK_EX) != 0 { if errno != EINTR { throw .last } }
      // Whoever reads a broken file says so; here it is replaced.
      let all = filled(from: Self.reading(path) { _ in })
      try FileBytes.replace(path, with: Array(all.text.utf8), beside: "\(path).\(getpid()).tmp")
    } catch {
      throw Problem(description: "cannot write \(path): \(error.text)")
    }
  }
}
