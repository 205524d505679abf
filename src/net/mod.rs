//! Sets of addresses, ports, protocols and packets, and exact operations on them. Nothing here knows Azure or any
//! configuration language.
//!
//! A [`PacketSet`] is a union of boxes over source, destination, protocol and ports. What is not known by address (a
//! service tag, a group of interfaces, a field without a value) takes part as a [`Symbol`]: a condition beside the
//! addresses. An empty set is empty whatever the symbols stand for; a set with conditions *may* have packets.
//! Every operation is bounded by a [`Budget`] and answers [`TooComplex`] beyond it.

pub mod address;
pub mod interval;
pub mod packet;
pub mod port;
pub mod protocol;
pub mod show;
pub mod symbol;
#[cfg(test)]
mod tests;

pub use address::{AddressSet, parse_prefix};
pub use packet::{Budget, PacketBox, PacketSet, TooComplex};
pub use port::PortSet;
pub use protocol::{Protocol, ProtocolSet};
pub use show::{Host, Packet};
pub use symbol::{Condition, Conditions, Subject, Symbol, SymbolKind};
