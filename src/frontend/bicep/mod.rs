//! Bicep: source files to evaluated resources, natively, so that findings stand on Bicep lines.

pub mod syntax;
