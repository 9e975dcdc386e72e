import AgnesiArrays
import AgnesiExpressions
import AgnesiLoops
import Foundation
import TestSupport
import Testing

/// What integers mean: two's complement, exact to the last digit.
@Suite struct WholeNumberTests {
  private let big = (1 << 53) + 1

  private func value(_ tensor: Tensor) throws -> NDArray { try referenceValues([tensor])[0] }

  @Test func constantsKeepEveryDigit() throws {
    #expect(try value(.constant(big, .int64)) == NDArray(scalar: big))
    let x = Tensor.constant(NDArray([big, -big]))
    #expect(try value(x + big) == NDArray([2 * big, 0]))
    #expect(try value(x .== big) == NDArray([true, false]))
    #expect(try value(x .== (big - 1)) == NDArray([false, false]))
    #expect(Tensor.constant(big, .int64).listing().contains("9007199254740993"))
  }

  @Test func integersWrapAround() throws {
    let bytes = Tensor.constant(NDArray([100, -128, 127] as [Int8]))
    #expect(try value(bytes + bytes) == NDArray([-56, 0, -2] as [Int8]))
    #expect(try value(bytes * bytes) == NDArray([16, 0, 1] as [Int8]))
    #expect(try value(-bytes) == NDArray([-100, -128, -127] as [Int8]))
    #expect(try value(abs(bytes)) == NDArray([100, -128, 127] as [Int8]))
    #expect(try value(bytes.sum()) == NDArray(scalar: 99 as Int8))
    let words = Tensor.constant(NDArray([Int64.max, 1]))
    #expect(try value(words.sum()) == NDArray(scalar: Int64.min))
    #expect(try value(words.cumulativeSum(axis: 0)) == NDArray([Int64.max, .min]))
    let unsigned = Tensor.constant(NDArray([UInt64.max, 2]))
    #expect(try value(unsigned.product()) == NDArray(scalar: UInt64.max - 1))
    #expect(try value(unsigned.max()) == NDArray(scalar: UInt64.max))
    #expect(try value(unsigned.argMin()) == NDArray(scalar: 1 as Int64))
    #expect(try value(unsigned.sorted()) == NDArray([2, UInt64.max]))
  }

  @Test func quotients() throws {
    let x = Tensor.constant(NDArray([Int64.min, Int64.min, 7, -7, 7, -7, 5, .max]))
    let y = Tensor.constant(NDArray([-1, 0, 2, 2, -2, -2, 0, .min] as [Int64]))
    #expect(
      try value(x.floorDivided(by: y)) == NDArray([Int64.min, 0, 3, -4, -4, 3, 0, -1]))
    #expect(try value(x.modulo(y)) == NDArray([0, 0, 1, 1, -1, -1, 0, -1] as [Int64]))
  }

  @Test func powers() throws {
    let x = Tensor.constant(NDArray([0, 0, 1, -1, -1, 2, 3, -3] as [Int64]))
    let y = Tensor.constant(NDArray([-1, 0, -5, -5, -4, -1, 40, 41] as [Int64]))
    let third = (0..<40).reduce(1 as Int64) { product, _ in product &* 3 }
    let odd = (0..<41).reduce(1 as Int64) { product, _ in product &* -3 }
    #expect(try value(power(x, y)) == NDArray([0, 1, 1, -1, 1, 0, third, odd] as [Int64]))
    let minusOne = Tensor.constant(NDArray([-1] as [Int64]))
    #expect(try value(power(minusOne, big)) == NDArray([-1] as [Int64]))
    #expect(try value(power(minusOne, big - 1)) == NDArray([1] as [Int64]))
  }

  @Test func orderOfLargeNumbers() throws {
    let x = Tensor.constant(NDArray([big - 1, big, big - 1]))
    #expect(try value(x.argMax()) == NDArray(scalar: 1 as Int64))
    #expect(try value(x.argMin()) == NDArray(scalar: 0 as Int64))
    #expect(try value(x.sorted()) == NDArray([big - 1, big - 1, big]))
    #expect(try value(x.topK(1).values) == NDArray([big]))
  }

  @Test func smallestOfNothing() throws {
    let nothing = Tensor.constant(NDArray([] as [Int64]))
    #expect(try value(nothing.min()) == NDArray(scalar: Int64.max))
    #expect(try value(nothing.max()) == NDArray(scalar: Int64.min))
    #expect(
      try value(Tensor.constant(NDArray([] as [UInt64])).min()) == NDArray(scalar: UInt64.max))
  }

  @Test func scatteredSums() throws {
    let x = Tensor.constant(NDArray([big, 1]))
    let places = Tensor.constant(NDArray([0, 0] as [Int32]))
    #expect(try value(x.scatterAdded(places, x)) == NDArray([2 * big + 1, 1]))
  }

  @Test func aMeanOfHalves() throws {
    for dtype in [DType.float16, .bfloat16] {
      let x = Tensor.constant(NDArray(filled: 40_000, shape: [3], dtype))
      #expect(try value(x.mean()) == NDArray(filled: 40_000, shape: [], dtype))
    }
  }

  @Test func numbersThatTheDTypeDoesNotHave() {
    let bytes = Tensor.input("bytes", [2], .uint8)
    #expect(
      mistakeText(bytes + 300) == """
        constant: 300 is no number of uint8, which a tensor beside it has
          operand  "bytes" uint8[2]
          hint: convert the tensor with cast(to: .int64)
        """)
    #expect(mistakeText(bytes .> -1).hasPrefix("constant: -1 is no number of uint8"))
    #expect((bytes + 255).failure == nil)
  }

  @Test func boolsHaveNoSum() {
    let flags = Tensor.input("flags", [2], .bool)
    #expect(mistakeText(flags + flags).hasPrefix("add: needs numbers, got bool"))
    #expect(mistakeText(flags - flags).hasPrefix("subtract: needs numbers, got bool"))
  }

  /// A product of masks is where both hold.
  @Test func boolsHaveAProduct() throws {
    let (a, b) = (
      Tensor.constant(NDArray([true, true, false])), Tensor.constant(NDArray([true, false, false]))
    )
    #expect(try computed(a * b) == [1, 0, 0])
    #expect((a * b).dtype == .bool)
  }

  // MARK: Files

  @Test func savedConstantsKeepEveryDigit() throws {
    let arrays = [
      NDArray([Int64.min, -1, Int64(big), .max]), NDArray([UInt64.max, 0]),
      NDArray([true, false]), NDArray([1.5 as Float, -2]), NDArray([-3 as Int8]),
    ]
    for array in arrays {
      let data = try JSONEncoder().encode(Constant(array))
      #expect(try JSONDecoder().decode(Constant.self, from: data) == Constant(array))
    }
  }

  /// Files of earlier versions hold floating numbers throughout.
  @Test func olderFilesAreRead() throws {
    let cases: [(String, NDArray)] = [
      (#"{"dtype":"int64","shape":[2],"values":[3,-4]}"#, NDArray([3, -4] as [Int64])),
      (#"{"dtype":"int64","shape":[1],"values":[1.0]}"#, NDArray([1] as [Int64])),
      (
        #"{"dtype":"int64","shape":[2],"values":[9.2233720368547758e+18,1]}"#,
        NDArray([Int64.max, 1])
      ),
      (
        #"{"dtype":"uint64","shape":[1],"values":[1.8446744073709552e+19]}"#,
        NDArray([UInt64.max])
      ),
      (#"{"dtype":"bool","shape":[2],"values":[0,1]}"#, NDArray([false, true])),
    ]
    for (text, array) in cases {
      let read = try JSONDecoder().decode(Constant.self, from: Data(text.utf8))
      #expect(read.array == array, "\(text)")
    }
    #expect(throws: DecodingError.self) {
      let text = #"{"dtype":"int64","shape":[3],"values":[3,-4]}"#
      _ = try JSONDecoder().decode(Constant.self, from: Data(text.utf8))
    }
  }
}
