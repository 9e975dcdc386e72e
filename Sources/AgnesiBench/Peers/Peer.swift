/// Another framework, in one of the given interpreters.
struct Peer: Hashable {
  var framework: String
  /// The interpreter that has it.
  var python: String

  /// The frameworks that scripts may know, `Scripts/peers.py` among them.
  static let frameworks = [
    "torch", "torch-channels-last", "torch-attention", "torch-compile",
    "torch-compile-channels-last",
    "torch-compile-attention", "jax", "onnxruntime", "openvino", "pytensor",
  ]

  /// Names as people write them.
  static let titles = [
    "agnesi": "Agnesi", "torch": "PyTorch", "torch-channels-last": "PyTorch, channels last",
    "torch-attention": "PyTorch, its attention", "torch-compile": "torch.compile",
    "torch-compile-channels-last": "torch.compile, channels last",
    "torch-compile-attention": "torch.compile, its attention", "jax": "JAX",
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
