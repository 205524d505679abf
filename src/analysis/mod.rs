//! Questions on the topology that several rules ask: who resolves which names, what security lets through, where routes
//! lead. Knows the model and the knowledge base; no rules, no reports.

pub mod addresses;
pub mod attachments;
pub mod conditions;
pub mod entries;
pub mod filters;
pub mod hosts;
pub mod nameless;
pub mod names;
pub mod peers;
pub mod public_addresses;
pub mod reach;
pub mod routes;
pub mod security;
