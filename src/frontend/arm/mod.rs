//! Azure Resource Manager templates in JSON, and what Bicep shares with them: the expression tree, the template model,
//! and their evaluation.

pub mod evaluate;
pub mod expression;
pub mod json;
mod load;
pub mod lower;
pub mod model;
mod suppressions;

pub use load::{
    Options, discover, evaluate_expression, is_parameter_file, is_template, load_template, parameter_file,
};
pub use suppressions::suppressions;

#[cfg(test)]
mod tests;
