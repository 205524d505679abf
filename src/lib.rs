//! Portolan reads Azure infrastructure-as-code and says, before anything is deployed, what Azure would reject at
//! deploy time or silently black-hole afterwards. It never talks to Azure.
//!
//! Data flows one way: files → [`frontend`] → [`resource`]s → [`topology`] → [`analysis`] → [`rules`] →
//! [`finding`]s → [`report`]. `docs/architecture.md` states what each layer knows and must not know.

pub mod analysis;
pub mod analyzer;
pub mod azure;
pub mod baseline;
pub mod changes;
pub mod chart;
pub mod cli;
pub mod date;
pub mod finding;
pub mod fix;
pub mod frontend;
pub mod net;
pub mod report;
pub mod resource;
pub mod rules;
pub mod settings;
pub mod source;
pub mod suppression;
pub mod topology;
pub mod value;
