import Agnesi
import ArgumentParser

/// What `--clip` says: a norm, or `none`.
struct GradientClip: ExpressibleByArgument {
  let setting: TrainingSettings.Clip

  init?(argument: String) {
    if argument.lowercased() == "none" {
      setting = .none
    } else if let number = Double(argument) {
      setting = .norm(number)
    } else {
      return nil
    }
  }
}
