/// The tables of rules, one file each.
///
/// Those that `gradient(of:withRespectTo:)` applies too stand in this module, the others with the
/// compiler.
package enum Rewrites {}
