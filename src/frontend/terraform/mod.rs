//! Terraform: HCL and its JSON form, evaluated without a provider.

pub mod functions;
pub mod syntax;
pub mod types;
