import AgnesiArrays
import Foundation

/// Arrays by name in a file, whatever its format, which its first bytes tell (or its name's end, where they do not).
///
/// | format | names | |
/// |---|---|---|
/// | safetensors | the tensors' | metadata are the texts |
/// | npz | the members', without `.npy` | by number where all are `arr_0`, `arr_1`, …, else in the file's order |
/// | npy | `array` | |
/// | pickle | keys and numbers, joined by `/`: `param values/0` | lists of texts are texts: `synset words` |
/// | caffe | layer and number: `conv1/0`; `data` of a `.binaryproto` | told by the name's end, `.caffemodel` or `.binaryproto` |
/// | onnx | the initializers' | told by the name's end, `.onnx` |
/// | pytorch | the keys of the dictionary that holds the weights | zip and the form before 1.6; 16-bit floats become float32 |
/// | hdf5 | Keras's: `conv1/conv1/kernel:0`, in the layers' order; of a `.keras`, `conv1/vars/0` | kernels are height, width, in, out |
///
/// Reading runs no code and takes a bounded amount of memory, whatever the file says. Arrays are views
/// of the mapped file where it stores them row by row, uncompressed, at multiples of the element's size.
public struct WeightFile: Sendable {
  /// The format of a file.
  public enum Format: String, Sendable, CaseIterable {
    /// Hugging Face's safetensors.
    case safetensors
    /// NumPy's archive of arrays.
    case npz
    /// One array of NumPy's.
    case npy
    /// Python's pickle, of NumPy's arrays: Lasagne's Recipes come so.
    case pickle
    /// `torch.save`, in either form.
    case pytorch
    /// Keras's `.h5` and `.keras`.
    case hdf5
    /// Caffe's `.caffemodel`.
    case caffe
    /// The weights of an ONNX graph.
    case onnx
  }

  /// The file, as the caller named it.
  public let path: String
  /// Its format.
  public let format: Format
  /// The arrays in the file's order.
  public let arrays: [(name: String, array: NDArray)]
  /// What the file says beside its arrays, such as Lasagne's `synset words` and `model name`.
  public let texts: [String: [String]]

  /// The text under which the paths of arrays are listed that are no weights, such as an optimiser's.
  public static let otherArrays = "other arrays"

  private let places: [String: Int]

  /// Reads a file.
  ///
  /// A checkpoint of PyTorch may hold several dictionaries of arrays. Without a `key`, what belongs to
  /// training (`optimizer`, `exp_avg`, `lr_scheduler`, …) is left out. Of the others the one is read that
  /// fills most of a network, where `fit` tells how much each does; else the one under a usual
  /// name (`state_dict`, `model`, `net`, `ema`, `params`, …), or the only one. Where several are as good,
  /// the error lists them.
  ///
  /// - Parameters:
  ///   - path: the file. Where there is no such file, what follows the last `#` is `key`:
  ///     `checkpoint.pth#ema`.
  ///   - key: the keys of the dictionary to read, joined by `/`, or the last of them. In formats
  ///     without dictionaries it stands before the names of the arrays, with `/` or a dot behind it;
  ///     only these are read, without it.
  ///   - fit: how many arrays of a network those of these names and shapes would fill.
  /// - Throws: `FileError` where it cannot be read; `FormatError` where it is in none of the formats, is
  ///   damaged, names code, or where it is not certain which arrays are the weights.
  public init(
    reading path: String, key: String? = nil,
    fit: (([(name: String, shape: [Int])]) -> Int)? = nil
  ) throws {
    var (name, key) = (path, key)
    if key == nil, let mark = path.lastIndex(of: "#"),
      !FileManager.default.fileExists(atPath: path)
    {
      name = String(path[..<mark])
      key = String(path[mark...].dropFirst())
    }
    let file = try MappedFile(name)
    let contents: WeightContents
    (format, contents) = try WeightFormats.read(file, WeightDictionaryChoice(key: key, fit: fit))
    self.path = name
    arrays = contents.arrays
    texts = contents.texts
    places = contents.places
  }

  /// The array of a name.
  public subscript(name: String) -> NDArray? { places[name].map { arrays[$0].array } }
}

/// What a reader finds in a file.
struct WeightContents {
  private(set) var arrays: [(name: String, array: NDArray)] = []
  var texts: [String: [String]]
  private(set) var places: [String: Int] = [:]

  init(texts: [String: [String]] = [:]) { self.texts = texts }

  /// Adds an array; one of the same name, which only Python's dictionaries allow, is replaced.
  mutating func set(_ name: String, _ array: NDArray) {
    if let place = places[name] {
      arrays[place].array = array
    } else {
      places[name] = arrays.count
      arrays.append((name, array))
    }
  }

  /// The arrays whose names begin with `key` and a dot or `/`, without these.
  func below(_ key: String) throws(FormatProblem) -> WeightContents {
    var result = WeightContents(texts: texts)
    var others: [String] = []
    for (name, array) in arrays {
      let rest = name.dropFirst(key.count)
      if name.hasPrefix(key), let mark = rest.first, mark == "." || mark == "/" {
        result.set(String(rest.dropFirst()), array)
      } else {
        others.append(name)
      }
    }
    if result.arrays.isEmpty {
      let first = Set(others.map { String($0.prefix { $0 != "." && $0 != "/" }) }).sorted()
      let shown = first.prefix(12).map(FormatProblem.quoted).joined(separator: ", ")
      throw FormatProblem(
        "no array's name begins with \(FormatProblem.quoted(key)) and a dot or /; the names begin with "
          + shown + (first.count > 12 ? " and \(first.count - 12) more" : ""))
    }
    if !others.isEmpty { result.texts[WeightFile.otherArrays, default: []] += others }
    return result
  }
}
