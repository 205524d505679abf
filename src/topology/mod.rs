//! The model of the network: virtual networks, subnets, groups, routes, peerings, zones and what lives in them.
//!
//! Built from evaluated [`crate::resource::Resource`]s of any language; knows Azure's resource types in the vocabularies of
//! azurerm, azapi and ARM, but not which language wrote them down, and no rules.

mod build;
mod field;
pub mod json;
mod lookup;
mod model;
mod unsupported;

pub use build::build;
#[cfg(test)]
pub(crate) use build::tests::model as model_of;
pub use field::{Field, Link, LinkState, List, Place, State};
pub use lookup::Values;
pub use model::*;
