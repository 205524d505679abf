//! Terraform: HCL and its JSON form, evaluated without a provider.

pub mod syntax;
