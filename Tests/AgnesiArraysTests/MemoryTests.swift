import AgnesiArrays
import TestSupport
import Testing

@Suite struct MemoryTests {
  private func check(_ demand: Memory.Demand, left: Int) -> String {
    Memory.$assumed.withValue(left) { errorText { try Memory.check(demand) } }
  }

  @Test func whatIsMoreThanThereIsIsRefused() {
    let weights = Memory.Demand("parameter \"w\"", .float32, [100, 100])
    #expect(check(weights, left: 40_000) == "nothing was thrown")
    #expect(
      check(weights, left: 39_999)
        == "parameter \"w\": float32[100, 100] would take 40.0 kB, 40.0 kB of memory are left")
    #expect(
      check(Memory.Demand("matmul", .float32, [1 << 40, 1 << 40]), left: 1 << 34)
        == "matmul: float32[1099511627776, 1099511627776] would take more than 9.22 EB, "
        + "17.2 GB of memory are left")
  }

  @Test func severalThingsNameTheLargest() {
    let demands = [
      Memory.Demand("parameter \"a\"", .float32, [1000]),
      Memory.Demand("parameter \"b\"", .float64, [1000]),
    ]
    Memory.$assumed.withValue(12_000) {
      #expect(throws: Never.self) { try Memory.check(demands, of: "2 parameters", for: "step") }
    }
    Memory.$assumed.withValue(11_999) {
      #expect(
        errorText { try Memory.check(demands, of: "2 parameters", for: "step") } == """
          step: 2 parameters would take 12.0 kB, 12.0 kB of memory are left
            the largest is parameter "b": float64[1000], 8.00 kB
          """)
      let endless = demands + [Memory.Demand("sum", "a lot", bytes: nil)]
      #expect(
        errorText { try Memory.check(endless, of: "all", for: "step") } == """
          step: all would take more than 9.22 EB, 12.0 kB of memory are left
            the largest is sum: a lot, more than 9.22 EB
          """)
      // Counts that fit one by one and not together.
      let halves = [Memory.Demand](repeating: .init("half", "much", bytes: 5 << 60), count: 2)
      #expect(throws: MemoryError.self) { try Memory.check(halves, of: "all", for: "step") }
    }
  }

  @Test func sizesAsTexts() {
    let texts = [0, 999, 1000, 9_994, 9_996, 99_949, 99_951, 999_499, 999_501, 40_000_000_000]
    #expect(
      texts.map(Memory.text) == [
        "0 bytes", "999 bytes", "1.00 kB", "9.99 kB", "10.0 kB", "99.9 kB", "100 kB", "999 kB",
        "1.00 MB", "40.0 GB",
      ])
  }

  @Test func productsEndWhereNumbersDo() {
    #expect([3, 4, 5].product == 60)
    #expect([Int]().product == 1)
    #expect([1 << 40, 1 << 40].product == .max)
    #expect([1 << 40, 1 << 40, 0].product == 0)
    #expect((1 << 40).saturatingProduct(1 << 40) == .max)
    #expect(Int.max.saturatingSum(1) == .max)
  }

  @Test func viewsThatNoMemoryHoldsCanBeLookedAt() {
    let view = NDArray(scalar: 1 as Float).broadcast(to: [1 << 40, 1 << 40])
    #expect(view.count == .max && view.byteCount == .max && !view.isContiguous)
  }

  /// An initialiser cannot throw: it says what was missing before it ends the process.
  @Test func anArrayThatCannotBe() async {
    let result = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = NDArray(zeros: [1 << 31, 1 << 29])
    }
    let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
    #expect(text.contains("array: float32[2147483648, 536870912] would take 4.61 EB"), "\(text)")
  }

  /// The product of the sizes overflows; ``NDArray/init(checkingFilled:shape:)`` says so and goes on.
  @Test func anArrayThatNobodyCanCount() async {
    let whole = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = NDArray(filled: 1, shape: [1 << 40, 1 << 40])
    }
    let real = await #expect(
      processExitsWith: .failure, observing: [\.standardErrorContent]
    ) {
      _ = NDArray(filled: 1.5, shape: [1 << 40, 1 << 40])
    }
    for result in [whole, real] {
      let text = String(decoding: result?.standardErrorContent ?? [], as: UTF8.self)
      let reason = "shape [1099511627776, 1099511627776] holds more elements than there can be"
      #expect(text.contains("array: \(reason)"), "\(text)")
    }
  }
}

@Suite struct SystemMemoryTests {
  private func reading(_ files: [String: String]) -> SystemMemory.Reading {
    SystemMemory.Reading { files[$0] }
  }

  private let machine = "MemTotal: 100 kB\nMemAvailable:   70 kB\nSwapFree: 5 kB\n"

  @Test func theMachine() {
    #expect(reading(["/proc/meminfo": machine]).machine == 75 * 1024)
    #expect(reading(["/proc/meminfo": "MemTotal: 100 kB"]).machine == nil)
    #expect(reading([:]).machine == nil)
  }

  /// The limit may be that of a group above; what is cached can be had.
  @Test func groupsOfTheSecondVersion() {
    let group = "/sys/fs/cgroup/a/b"
    var files = [
      "/proc/self/cgroup": "0::/a/b\n", "\(group)/memory.max": "max\n",
      "\(group)/memory.current": "300\n", "/sys/fs/cgroup/a/memory.max": "1000\n",
      "/sys/fs/cgroup/a/memory.current": "900\n",
      "/sys/fs/cgroup/a/memory.stat": "anon 500\ninactive_file 100\nactive_file 50\n",
    ]
    #expect(reading(files).groups == 250)
    files["/proc/meminfo"] = machine
    #expect(reading(files).groups == 250 + 5 * 1024)
    files["/sys/fs/cgroup/a/memory.swap.max"] = "0\n"
    #expect(reading(files).groups == 250)
    files["/sys/fs/cgroup/a/memory.max"] = "max\n"
    #expect(reading(files).groups == nil)
  }

  /// In a container the path is the host's, and only the root is seen.
  @Test func groupsOfTheFirstVersion() {
    let root = "/sys/fs/cgroup/memory"
    var files = [
      "/proc/self/cgroup": "5:devices:/x\n4:memory:/host/path\n0::/\n",
      "\(root)/memory.limit_in_bytes": "5000", "\(root)/memory.usage_in_bytes": "4000",
      "\(root)/memory.stat": "total_inactive_file 700\ntotal_active_file 300",
    ]
    #expect(reading(files).groups == 2000)
    files["\(root)/memory.limit_in_bytes"] = "9223372036854771712"
    #expect(reading(files).groups == nil)
  }

  #if os(Linux)
    @Test func thisMachineTells() throws {
      let available = try #require(Memory.available)
      #expect(available > 1 << 20 && available < 1 << 50)
    }
  #endif
}
