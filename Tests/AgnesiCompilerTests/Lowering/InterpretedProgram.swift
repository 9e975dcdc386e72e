import Agnesi
import AgnesiCompiler
import AgnesiLoops
import TestSupport

extension LoweredProgram {
  /// The outputs, by the interpreter, which checks every index. Programs with library calls or
  /// parameters are not for it.
  func interpreted(_ inputs: [NDArray], sizes: [String: Int] = [:]) throws -> [NDArray] {
    var memory = try buffers.map { buffer -> NDArray in
      switch buffer.kind {
      case .input(let position): return inputs[position].contiguous()
      case .constant(let array): return array.contiguous()
      default:
        guard let count = buffer.count.evaluated(sizes) else { throw Unfit("an unknown size") }
        // What is read before it is written shows.
        return buffer.dtype.isFloating
          ? NDArray(filled: .nan, shape: [count], buffer.dtype)
          : NDArray(filled: 1, shape: [count], buffer.dtype)
      }
    }
    for step in steps {
      guard case .kernel(var kernel, _) = step.work else { throw Unfit("a library call") }
      kernel.name = "interpreted"
      try kernel.verify()
      var arguments = step.arguments.map { memory[$0.index] }
      try KernelInterpreter(kernel).run(&arguments, sizes: sizes)
      for (id, array) in zip(step.arguments, arguments) where step.written.contains(id) {
        memory[id.index] = array
      }
    }
    return outputs.map { memory[$0.index] }
  }
}
