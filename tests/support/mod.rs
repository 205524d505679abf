//! What the tests over `testdata/rules` share: the document format, and running its cases.

pub mod runner;
pub mod suite;
