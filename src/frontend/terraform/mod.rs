//! Terraform: HCL and its JSON form, evaluated without a provider.

mod body;
mod calls;
mod configuration;
mod console;
mod dependencies;
mod discover;
mod evaluate;
mod evaluator;
pub mod functions;
mod limits;
mod load;
mod module;
mod module_calls;
mod operators;
mod overrides;
mod paths;
mod providers;
mod repetition;
mod resources;
mod scope;
mod suppressions;
pub mod syntax;
mod template;
mod traversal;
pub mod types;
mod variables;

pub use configuration::load;
pub use console::{answer_json, evaluate_expression};
pub use discover::{Discovery, discover, discover_except, one_root};
pub use suppressions::suppressions;
pub use variables::{Options, VariableArgument, arguments_of};
