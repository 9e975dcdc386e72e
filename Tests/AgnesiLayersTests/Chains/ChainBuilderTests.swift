import AgnesiExpressions
import AgnesiLayers
import Testing

/// Every form of the result builder, by what is in the chain.
@Suite struct ChainBuilderTests {
  private func units(_ chain: Chain) -> [Int] {
    chain.layers.map { ($0 as? Dense)?.units ?? -1 }
  }

  @Test func empty() { #expect(Chain {}.layers.isEmpty) }

  @Test func statements() {
    let chain = Chain {
      Dense(units: 1)
      Dense(units: 2)
    }
    #expect(units(chain) == [1, 2])
  }

  @Test(arguments: [true, false]) func ifWithoutElse(_ condition: Bool) {
    let chain = Chain {
      Dense(units: 1)
      if condition {
        Dense(units: 2)
        Dense(units: 3)
      }
      Dense(units: 4)
    }
    #expect(units(chain) == (condition ? [1, 2, 3, 4] : [1, 4]))
  }

  @Test(arguments: [0, 1, 2]) func ifWithElse(_ choice: Int) {
    let chain = Chain {
      if choice == 0 {
        Dense(units: 1)
      } else if choice == 1 {
        Dense(units: 2)
        Dense(units: 3)
      } else {
        Dense(units: 4)
      }
    }
    #expect(units(chain) == [[1], [2, 3], [4]][choice])
  }

  @Test(arguments: [0, 1, 2]) func switches(_ choice: Int) {
    let chain = Chain {
      switch choice {
      case 0: Dense(units: 1)
      case 1: Dense(units: 2)
      default: Dense(units: 3)
      }
    }
    #expect(units(chain) == [choice + 1])
  }

  @Test func loops() {
    let chain = Chain {
      for size in [3, 2, 1] {
        Dense(units: size)
        if size == 2 { Dense(units: 20) }
      }
      for _ in 0..<0 { Dense(units: 9) }
    }
    #expect(units(chain) == [3, 2, 20, 1])
  }

  @Test(arguments: [nil, 5]) func layersThatMayBeNil(_ size: Int?) {
    let maybe: (any Layer)? = size.map { Dense(units: $0) }
    let chain = Chain {
      Dense(units: 1)
      maybe
      if let size { Dense(units: size + 1) }
    }
    #expect(units(chain) == (size == nil ? [1] : [1, 5, 6]))
  }

  @Test func listsAndErasedLayers() {
    let list: [any Layer] = [Dense(units: 1), Dense(units: 2)]
    let one: any Layer = Dense(units: 3)
    let chain = Chain {
      list
      one
    }
    #expect(units(chain) == [1, 2, 3])
  }

  @Test func availability() {
    let chain = Chain {
      if #available(macOS 26.0, *) {
        Dense(units: 1)
      }
    }
    #expect(units(chain) == [1])
  }
}
