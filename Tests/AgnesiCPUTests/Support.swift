import AgnesiArrays
import CAgnesi

/// Repeatable numbers between -1 and 1.
func numbers(_ count: Int, _ name: String) -> [Float] {
  var generator = PhiloxGenerator(seed: 1, name: name)
  return (0..<count).map { _ in Float.random(in: -1...1, using: &generator) }
}

/// The largest difference, in relation to the largest expected number; infinite for NaN.
func difference(_ actual: [Float], _ expected: [Float]) -> Float {
  guard actual.count == expected.count else { return .infinity }
  var largest: Float = 0
  var scale: Float = 1e-6
  for (a, e) in zip(actual, expected) {
    guard a.isFinite else { return .infinity }
    largest = max(largest, abs(a - e))
    scale = max(scale, abs(e))
  }
  return largest / scale
}

/// Calls a library as a compiled function does, so that the tests' many threads share one pool.
///
/// Returns 0, or 1 when the call failed.
func callOnExecutor(
  _ call: @escaping agnesi_call, _ context: UnsafeMutableRawPointer,
  _ addresses: [UnsafeMutableRawPointer?]
) -> Int32 {
  let slots = addresses.indices.map { Int32($0) }
  return slots.withUnsafeBufferPointer { slots in
    var step = agnesi_step()
    step.call = call
    step.context = context
    step.slots = slots.baseAddress
    step.slot_count = Int32(slots.count)
    step.threads = 2
    return agnesi_run_on(agnesi_shared_executor(), &step, 1, addresses, nil) == -1 ? 0 : 1
  }
}

/// A library's context, owned.
final class Context {
  let pointer: OpaquePointer

  init?(_ pointer: OpaquePointer?) {
    guard let pointer else { return nil }
    self.pointer = pointer
  }

  deinit { agnesi_context_destroy(pointer) }

  /// The conversion between two layouts; nil stands for plain.
  static func reorder(_ from: Layout?, _ to: Layout?) -> Context? {
    withExtendedLifetime((from, to)) {
      Context(agnesi_reorder_create(from?.pointer, to?.pointer, 2, nil))
    }
  }

  /// Memory for an argument: `values`, filled up with zeros to what the context wants.
  func buffer(_ argument: Int32, _ values: [Float] = []) -> Buffer {
    Buffer(bytes: agnesi_context_argument_bytes(pointer, argument), values)
  }

  func layout(_ argument: Int32) -> Layout {
    Layout(agnesi_context_layout(pointer, argument))
  }

  func call(_ buffers: Buffer...) -> Int32 {
    let addresses = buffers.map { $0.address as UnsafeMutableRawPointer? }
    return withExtendedLifetime((self, buffers)) {
      callOnExecutor(agnesi_context_call, UnsafeMutableRawPointer(pointer), addresses)
    }
  }
}

/// A layout, owned.
final class Layout {
  let pointer: OpaquePointer?
  init(_ pointer: OpaquePointer?) { self.pointer = pointer }
  deinit { agnesi_layout_release(pointer) }

  static var any: Layout { Layout(agnesi_layout_any()) }

  func equals(_ other: Layout) -> Bool {
    withExtendedLifetime((self, other)) { agnesi_layout_equal(pointer, other.pointer) }
  }

  var text: String {
    var bytes = [CChar](repeating: 0, count: 64)
    withExtendedLifetime(self) { agnesi_layout_text(pointer, &bytes, bytes.count) }
    return String(decoding: bytes.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}

/// Memory aligned as the executor's arena is.
final class Buffer {
  let address: UnsafeMutableRawPointer
  let bytes: Int

  init(bytes: Int, _ values: [Float] = []) {
    self.bytes = max(bytes, values.count * 4)
    address = .allocate(byteCount: max(self.bytes, 64), alignment: 64)
    address.initializeMemory(as: UInt8.self, repeating: 0, count: max(self.bytes, 64))
    floats.update(from: values, count: values.count)
  }

  deinit { address.deallocate() }

  var floats: UnsafeMutablePointer<Float> { address.assumingMemoryBound(to: Float.self) }

  func values(_ count: Int) -> [Float] {
    Array(UnsafeBufferPointer(start: floats, count: count))
  }
}
