//! Network and application security groups.

use std::sync::Arc;

use ecow::EcoString;

use super::Header;
use crate::topology::{Field, Link, List};
use crate::value::Unknown;

/// A network security group with all its rules, inline and separate.
#[derive(Clone, Debug)]
pub struct SecurityGroup {
    /// Who and where.
    pub header: Header,
    /// Its rules without Azure's default rules. `rest` is set when more may exist (an unknown `dynamic` block, a group
    /// that is only looked up).
    pub rules: List<SecurityRule>,
}

/// A rule of a network security group.
#[derive(Clone, Debug)]
pub struct SecurityRule {
    /// Who and where.
    pub header: Header,
    /// 100 to 4096.
    pub priority: Field<i64>,
    /// Whose traffic.
    pub direction: Field<Direction>,
    /// Allow or deny.
    pub access: Field<Access>,
    /// `Tcp`, `Udp`, `Icmp`, `Esp`, `Ah`, `*`.
    pub protocol: Field<EcoString>,
    /// From where.
    pub source: RuleEndpoint,
    /// To where.
    pub destination: RuleEndpoint,
}

/// One side of a security rule.
#[derive(Clone, Debug)]
pub struct RuleEndpoint {
    /// Prefixes, addresses, service tags or `*`, from the singular and the plural attribute together.
    pub prefixes: List<EcoString>,
    /// Application security groups.
    pub groups: Vec<Link<ApplicationSecurityGroup>>,
    /// Set when there may be more application security groups than these, with the reason.
    pub more_groups: Option<Arc<Unknown>>,
    /// Set in the singular attribute (for messages and for checks on field combinations).
    pub single_prefix: Field<EcoString>,
    /// Ports, ranges or `*`, from the singular and the plural attribute together.
    pub ports: List<EcoString>,
    /// Set in the singular attribute.
    pub single_port: Field<EcoString>,
}

/// Inbound or outbound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
#[allow(missing_docs)]
pub enum Direction {
    Inbound,
    Outbound,
}

/// Allow or deny.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[allow(missing_docs)]
pub enum Access {
    Allow,
    Deny,
}

/// An application security group.
#[derive(Clone, Debug)]
pub struct ApplicationSecurityGroup {
    /// Who and where.
    pub header: Header,
}
