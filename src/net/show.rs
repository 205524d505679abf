//! Sets of packets for a reader: single packets as examples, and sets in compact form.

use std::fmt;
use std::net::IpAddr;

use super::address::AddressSet;
use super::packet::{PacketBox, PacketSet};
use super::protocol::Protocol;
use super::symbol::{Condition, Subject, Symbol, SymbolKind};

/// A source port such as clients use.
const EPHEMERAL: u16 = 50_000;

/// One packet, as concrete as what is known allows.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Where it comes from.
    pub source: Host,
    /// Where it goes.
    pub destination: Host,
    /// Its protocol.
    pub protocol: Protocol,
    /// Its source port, if its protocol has ports.
    pub source_port: Option<u16>,
    /// Its destination port, if its protocol has ports.
    pub destination_port: Option<u16>,
}

/// One end of a [`Packet`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its address; `None` where only a tag is known.
    pub address: Option<IpAddr>,
    /// The tags and groups it belongs to by assumption.
    pub symbols: Vec<Symbol>,
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(address) = self.address {
            return match address {
                IpAddr::V4(address) => write!(f, "{address}"),
                IpAddr::V6(address) => write!(f, "[{address}]"),
            };
        }
        for (i, symbol) in self.symbols.iter().enumerate() {
            write!(f, "{}{symbol}", if i > 0 { " and " } else { "" })?;
        }
        if self.symbols.is_empty() { f.write_str("any") } else { Ok(()) }
    }
}

/// `Tcp 10.0.7.4:50000 -> 10.0.7.5:5432`.
impl fmt::Display for Packet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.protocol, self.source)?;
        if let Some(port) = self.source_port {
            write!(f, ":{port}")?;
        }
        write!(f, " -> {}", self.destination)?;
        if let Some(port) = self.destination_port {
            write!(f, ":{port}")?;
        }
        Ok(())
    }
}

/// `Tcp 10.0.1.0/24 -> Storage, port 443`; several boxes with semicolons; `nothing` if empty.
impl fmt::Display for PacketSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_empty() {
            return f.write_str("nothing");
        }
        for (i, b) in self.simplified().boxes().iter().enumerate() {
            write!(f, "{}{b}", if i > 0 { "; " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for PacketBox {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.protocols())?;
        self.write_side(f, Subject::Source, self.source())?;
        if !self.source_ports().is_full() {
            write!(f, " (source port {})", self.source_ports())?;
        }
        f.write_str(" -> ")?;
        self.write_side(f, Subject::Destination, self.destination())?;
        if !self.destination_ports().is_full() {
            write!(f, ", port {}", self.destination_ports())?;
        }
        for (i, condition) in self.conditions().iter().filter(|c| is_assumption(c)).enumerate() {
            let unless = if condition.holds { "" } else { "not " };
            write!(f, "{} {unless}({})", if i == 0 { ", if" } else { " and" }, condition.symbol)?;
        }
        Ok(())
    }
}

/// Whether a condition is no tag or group of a side.
fn is_assumption(condition: &Condition) -> bool {
    condition.subject == Subject::Packet || condition.symbol.kind() == SymbolKind::Unknown
}

impl PacketBox {
    /// The tags and groups of a side, with its addresses where these say more; then what is left out.
    fn write_side(&self, f: &mut fmt::Formatter<'_>, side: Subject, addresses: &AddressSet) -> fmt::Result {
        /// Beside a tag, more prefixes than these only repeat what public space is.
        const FEW: usize = 4;
        let conditions = || self.conditions().iter().filter(move |c| c.subject == side && !is_assumption(c));
        let mut held = conditions().filter(|c| c.holds).peekable();
        if held.peek().is_none() {
            write!(f, "{addresses}")?;
        } else {
            for (i, condition) in held.enumerate() {
                write!(f, "{}{}", if i > 0 { " and " } else { "" }, condition.symbol)?;
            }
            let whole = addresses.complement().limited_to_families_of(addresses).is_empty();
            if !whole && addresses.prefixes().take(FEW + 1).count() <= FEW {
                write!(f, " in {addresses}")?;
            }
        }
        for (i, condition) in conditions().filter(|c| !c.holds).enumerate() {
            write!(f, "{}{}", if i == 0 { " except " } else { ", " }, condition.symbol)?;
        }
        Ok(())
    }

    /// One packet of it.
    pub(super) fn example(&self) -> Packet {
        let named = |subject| {
            let positive = self.conditions().iter().filter(|c| c.subject == subject && c.holds);
            positive.filter(|c| c.symbol.kind() != SymbolKind::Unknown).map(|c| c.symbol.clone()).collect()
        };
        let (from, to): (Vec<Symbol>, Vec<Symbol>) = (named(Subject::Source), named(Subject::Destination));
        // One family on both sides: IPv4 where it can be.
        let v4 = !self.source().v4().is_empty() && !self.destination().v4().is_empty();
        let family = if v4 { AddressSet::all_v4() } else { AddressSet::all_v6() };
        // The addresses behind a tag are not known, so none is made up.
        let tagged = |symbols: &[Symbol]| symbols.iter().any(|s| s.kind() == SymbolKind::Tag);
        let source = (!tagged(&from)).then(|| self.source().intersect(&family).example(None)).flatten();
        let destination =
            (!tagged(&to)).then(|| self.destination().intersect(&family).example(source)).flatten();
        // A box is never without protocols; TCP comes first where it is among them.
        let protocol = self.protocols().iter().next().unwrap_or(Protocol::Other);
        let has_ports = protocol.has_ports();
        let source_port = if self.source_ports().contains(EPHEMERAL) {
            Some(EPHEMERAL)
        } else {
            self.source_ports().first()
        };
        let destination_port =
            if self.destination_ports().is_full() { Some(443) } else { self.destination_ports().first() };
        Packet {
            source: Host { address: source, symbols: from },
            destination: Host { address: destination, symbols: to },
            protocol,
            source_port: source_port.filter(|_| has_ports),
            destination_port: destination_port.filter(|_| has_ports),
        }
    }
}
