//! The topology of another repository, as `portolan topology` wrote it there: its evaluated resources, so that they go
//! through the same builders as everything else and join it by identity.
//!
//! What was not known there is not known here, for the same reason, and what was the same unknown there is the same here: the
//! document numbers them. Nothing of it has a place.

mod read;
mod secrets;
mod write;

#[cfg(test)]
mod tests;

pub use read::{is_topology, load};
pub use write::write;

/// The version of the document's form. It grows when a reader of the older form would misread the newer one; what is only
/// added does not change it, and what a reader does not know it passes over.
pub const FORMAT: u32 = 2;

/// What is nested deeper than this in a value is not known. JSON readers stop at 128, and every level may take two.
const DEPTH: usize = 40;

/// The cause of what must not be shown.
const SENSITIVE: &str = "reading a sensitive value";
