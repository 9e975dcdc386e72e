/// Another framework, in one of the given interpreters.
struct Peer: Hashable {
  var framework: String
  /// The interpreter that has it.
  var python: String

  /// The frameworks that the script knows.
  static let frameworks = [
    "torch", "torch-compile", "jax", "onnxruntime", "openvino", "pytensor",
  ]

  /// Names as people write them.
  static let titles = [
    "agnesi": "Agnesi", "torch": "PyTorch", "torch-compile": "torch.compile", "jax": "JAX",
    "onnxruntime": "ONNX Runtime", "openvino": "OpenVINO", "pytensor": "PyTensor",
  ]

  /// One reading, in a process of its own.
  func reading(_ workload: Workload, _ turn: Turn) throws -> Reading {
    let arguments = [
      turn.script, framework, workload.rawValue, "--steps", "\(workload.traits.steps)",
      "--threads", "\(turn.threads)",
    ]
    let child = ChildProcess(executable: python, arguments: arguments, limit: turn.limit)
    return try Reading(lastLineOf: child.output())
  }

  /// What all readings of a run share.
  struct Turn {
    var script: String
    var threads: Int
    /// Seconds after which a process is ended.
    var limit: Double
  }
}
