import Agnesi
import ArgumentParser

/// Random changes to training pictures.
struct AugmentationOptions: ParsableArguments {
  @Flag(help: "Exchange left and right in half of the draws. Think first: a mirrored 2 is no 2.")
  var mirror = false

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Move pictures by up to so many pixels.", valueName: "pixels"))
  var shift = 0

  @Option(
    parsing: .unconditional,
    help: ArgumentHelp("Turn pictures by up to so many degrees.", valueName: "degrees"))
  var rotate = 0.0

  @Option(
    parsing: .unconditional,
    help: "Enlarge pictures or make them smaller by a factor of up to 1 + zoom.")
  var zoom = 0.0

  @Option(
    name: .customLong("color-jitter"), parsing: .unconditional,
    help: ArgumentHelp(
      "Move colours along their principal axes by so many of their deviations; 0.1 is usual.",
      valueName: "deviations"))
  var colorJitter = 0.0

  /// Nil where nothing is asked for.
  var augmentation: Augmentation? {
    let asked = Augmentation(
      shift: shift, mirrors: mirror, rotation: rotate, zoom: zoom, colorDeviation: colorJitter)
    return asked == Augmentation() ? nil : asked
  }
}
