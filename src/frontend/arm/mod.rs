//! Azure Resource Manager templates in JSON, and what Bicep shares with them: the expression tree, the template model,
//! and their evaluation.

pub mod expression;
pub mod model;
