import AgnesiExpressions

/// The tables of rules, one file each.
package enum Rewrites {}
