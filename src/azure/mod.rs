//! The knowledge base: what Azure documents about networks, as tables. Each row has its public source and how sure it is.
//!
//! The tables are JSON files in `data/`, one a subject, read once when first asked for. An error in a report needs a row
//! of [`Confidence::High`].

pub mod address_needs;
pub mod conditions;
pub mod delegations;
pub mod error_codes;
pub mod exposure;
pub mod facts;
pub mod flows;
pub mod network_settings;
pub mod occupants;
pub mod ordering;
pub mod private_dns_zones;
pub mod private_endpoint_companions;
pub mod private_endpoint_targets;
pub mod public_address_users;
pub mod public_endpoints;
pub mod regional;
pub mod replacements;
pub mod reserved_ranges;
pub mod reserved_subnets;
pub mod resource_types;
pub mod routes;
pub mod security_groups;
pub mod service_endpoints;
pub mod subnet_sizes;
pub mod tags;

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::DeserializeOwned;

/// How sure a row is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Confidence {
    /// Inference, advice, or one weak hint: backs information only.
    Low,
    /// One source, an older or an indirect one: backs a warning.
    Medium,
    /// Stated by service documentation, provider source or the error text itself: backs an error.
    High,
}

/// Where the rows of a table come from: a key, and under it pages (without scheme), files of public repositories
/// (`owner/name@commit:path`) or public threads.
#[derive(Clone, PartialEq, Debug, Default, Deserialize)]
#[serde(transparent)]
pub struct Sources(BTreeMap<String, Vec<String>>);

impl Sources {
    /// What stands under a key.
    pub fn get(&self, key: &str) -> Option<&[String]> {
        self.0.get(key).map(Vec::as_slice)
    }

    /// The documentation page under a key, as an address to open; `None` where there is only a file or a thread.
    pub fn page(&self, key: &str) -> Option<String> {
        let page = self.0.get(key)?.iter().find(|s| s.starts_with("learn.microsoft.com/"))?;
        Some(format!("https://{}", page.split_whitespace().next().unwrap_or(page)))
    }
}

/// A table of rows that all have the same shape.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table<T> {
    #[allow(dead_code, reason = "the file says what it is for those who open it")]
    about: String,
    rows: Vec<T>,
}

/// Reads the rows of a table that is part of the program.
fn rows<T: DeserializeOwned>(table: &'static str) -> Vec<T> {
    read::<Table<T>>(table).rows
}

/// Reads a table that is part of the program.
fn read<T: DeserializeOwned>(table: &'static str) -> T {
    // The text is compiled in, and every table has a test that reads it: this cannot fail at run time.
    #[allow(clippy::expect_used)]
    serde_json::from_str(table).expect("a table of the knowledge base does not match its type")
}
