//! Effective security: which packets the groups around a machine let pass, and which rule drops the others.
//!
//! Semantics are those that Azure documents for network security groups
//! (learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works): rules in order of priority, the first
//! that matches decides; subnet before interface for what arrives, interface before subnet for what leaves; each level
//! with default rules of its own. Works on plain inputs ([`input`]), exactly and with the unknowns kept apart.

mod compile;
mod evaluate;
pub mod input;
mod outcome;
#[cfg(test)]
mod properties;
mod shadow;
pub mod syntax;
#[cfg(test)]
mod tests;

pub use evaluate::{PathOutcome, evaluate, evaluate_path};
pub use outcome::{Decision, Outcome, RuleRef, Stage, Verdict};
pub use shadow::{ShadowEffect, Shadowed, Shadows, shadowed_rules};
