import CAgnesiFiles

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

extension FileWorkers.Answer {
  /// Why the request failed, as the end of a sentence, and what may help; nil where it did not.
  package func failure(_ limits: DecodingLimits) -> (reason: String, hint: String?)? {
    switch answer.status {
    case AGNESI_STATUS_DONE: return nil
    case AGNESI_STATUS_TOO_SLOW:
      return ("it takes more than \(limits.seconds) s to decode", nil)
    case AGNESI_STATUS_DIED:
      let signal = answer.detail == 0 ? "" : ": \(String(cString: strsignal(answer.detail)))"
      return ("the process that decoded it ended\(signal)", "the file is damaged or hostile")
    case AGNESI_STATUS_NO_WORKER:
      let code = answer.detail == 0 ? "" : ": \(String(cString: strerror(answer.detail)))"
      return (
        "no process to decode it came up\(code)",
        "AGNESI_WORKER may name a program that links Agnesi, such as the command agnesi"
      )
    default: return (text, nil)
    }
  }

  /// The worker's own words.
  private var text: String {
    withUnsafeBytes(of: answer.text) { bytes in
      String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
}
