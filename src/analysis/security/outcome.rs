//! The answer of an evaluation: what passes, what dies where, and how sure that is.

use std::fmt;

use ecow::{EcoString, eco_format};

use super::input::Access;
use crate::azure::security_groups::security_group_facts;
use crate::net::{
    Budget, Condition, Packet, PacketBox, PacketSet, PortSet, Subject, Symbol, SymbolKind, TooComplex,
};

/// A rule that decided.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RuleRef {
    /// Its name.
    pub name: EcoString,
    /// The caller's number; `None` for a default rule.
    pub index: Option<usize>,
}

/// Where it was decided.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Stage {
    /// The packets answer others that were let through.
    FlowRecord,
    /// A security admin rule of a network manager.
    Admin,
    /// The private endpoint's subnet does not apply groups to endpoints.
    PrivateEndpoint,
    /// Traffic with the platform, which groups leave alone.
    Platform,
    /// The subnet's group.
    Subnet,
    /// The interface's group.
    Nic,
    /// There is no group at either level.
    NoGroup,
    /// A Standard public address is closed where no group opens it.
    PublicAddress,
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Stage::FlowRecord => "flow record",
            Stage::Admin => "security admin rules",
            Stage::PrivateEndpoint => "private endpoint policies",
            Stage::Platform => "platform",
            Stage::Subnet => "subnet",
            Stage::Nic => "network interface",
            Stage::NoGroup => "no security group",
            Stage::PublicAddress => "public address",
        })
    }
}

/// Packets, and what decided about them.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Where.
    pub stage: Stage,
    /// Which rule; `None` where no rule was asked or the group is not known.
    pub rule: Option<RuleRef>,
    /// Allowed or denied.
    pub access: Access,
    /// The packets.
    pub packets: PacketSet,
}

/// Whether a flow passes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Verdict {
    /// Every packet certainly passes.
    Allowed,
    /// No packet certainly passes: every one dies, whatever the unknowns are.
    Blocked,
    /// Some packets certainly die; others pass, or may pass.
    PartlyBlocked,
    /// It depends on something that is not known.
    Undecided,
}

/// The answer about one flow.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// In one word.
    pub verdict: Verdict,
    /// The packets asked about.
    pub flow: PacketSet,
    /// The packets that certainly die, by the rule that drops them, those of rules without unknowns first.
    pub blocked: Vec<Decision>,
    /// The packets that die under some assumption.
    pub possibly_blocked: Vec<Decision>,
    /// The packets that pass, some of them perhaps only under an assumption.
    pub allowed: Vec<Decision>,
    /// Destination ports of which not a single packet passes, whatever the unknowns are. A flow to a list of ports usually
    /// needs each of them.
    pub blocked_ports: PortSet,
    /// Why it is not decided wholly: one sentence part for each unknown, sorted.
    pub causes: Vec<EcoString>,
}

impl Outcome {
    /// What certainly dies first, if anything does.
    pub fn first_blocked(&self) -> Option<&Decision> {
        self.blocked.first()
    }

    /// One packet that certainly dies.
    pub fn witness(&self) -> Option<Packet> {
        self.first_blocked().and_then(|decision| decision.packets.witness())
    }

    /// All packets that certainly die.
    pub fn blocked_packets(&self) -> PacketSet {
        all_packets(&self.blocked).simplified()
    }

    /// Judges decisions about a flow.
    pub(super) fn judge(
        flow: PacketSet,
        decisions: Vec<Decision>,
        budget: &mut Budget,
    ) -> Result<Self, TooComplex> {
        let (denied, allowed): (Vec<_>, Vec<_>) =
            decisions.into_iter().partition(|d| d.access == Access::Deny);
        let assumed = flow.symbols();
        let is_open = |c: &Condition| c.symbol.kind() == SymbolKind::Unknown && !assumed.contains(&c.symbol);
        let may_pass = all_packets(&allowed).without(is_open);
        let wholly = may_pass.is_empty();

        // Rules without unknowns first: where they deny the same packets, they are the better explanation.
        let mut ordered: Vec<&Decision> = denied.iter().collect();
        ordered.sort_by_key(|d| d.packets.symbols().iter().any(|s| s.kind() == SymbolKind::Unknown));
        let mut settled = may_pass.clone();
        let mut blocked = Vec::new();
        let mut uncertain = PacketSet::empty();
        for decision in ordered {
            let certain = decision.packets.without(is_open).subtract(&settled, budget)?;
            settled = settled.union(certain.clone());
            let (real, doubtful): (Vec<_>, Vec<_>) =
                certain.boxes().iter().cloned().partition(|b| wholly || certainly_exists(b, &flow));
            uncertain = uncertain.union(PacketSet::from_boxes(doubtful));
            if !real.is_empty() {
                blocked
                    .push(Decision { packets: PacketSet::from_boxes(real).simplified(), ..decision.clone() });
            }
        }
        let blocked_set = all_packets(&blocked);
        let mut possibly_blocked = Vec::new();
        for decision in &denied {
            let packets = decision.packets.subtract(&blocked_set, budget)?;
            if !packets.is_empty() {
                possibly_blocked.push(Decision { packets: packets.simplified(), ..decision.clone() });
            }
        }
        let verdict = if denied.is_empty() {
            Verdict::Allowed
        } else if wholly {
            Verdict::Blocked
        } else if !blocked.is_empty() {
            Verdict::PartlyBlocked
        } else {
            Verdict::Undecided
        };
        let blocked_ports = if denied.is_empty() {
            PortSet::empty()
        } else {
            flow.destination_ports().subtract(&may_pass.destination_ports())
        };
        let causes = causes(&possibly_blocked, &flow);
        Ok(Self { verdict, flow, blocked, possibly_blocked, allowed, blocked_ports, causes })
    }
}

fn all_packets(decisions: &[Decision]) -> PacketSet {
    decisions.iter().fold(PacketSet::empty(), |all, d| all.union(d.packets.clone()))
}

/// Whether there certainly are packets in a part of a flow. A part that is set off by addresses and ports alone has some;
/// one that is set off by tags has some only where the tags are known not to cover each other.
fn certainly_exists(part: &PacketBox, flow: &PacketSet) -> bool {
    flow.boxes().iter().any(|whole| {
        [Subject::Source, Subject::Destination].into_iter().all(|side| side_exists(part, whole, side))
            && part.conditions().iter().all(|c| c.subject != Subject::Packet || whole.conditions().entail(c))
    })
}

fn side_exists(part: &PacketBox, whole: &PacketBox, side: Subject) -> bool {
    let of =
        |b: &'_ PacketBox| if side == Subject::Source { b.source().clone() } else { b.destination().clone() };
    let (addresses, all) = (of(part), of(whole));
    if !addresses.is_subset(&all) {
        return false;
    }
    let added = || part.conditions().iter().filter(|c| c.subject == side && !whole.conditions().entail(c));
    let held: Vec<&Condition> = whole.conditions().iter().filter(|c| c.subject == side && c.holds).collect();
    let kept = whole.conditions().iter().filter(|c| c.subject == side).all(|c| part.conditions().entail(c));
    if !kept {
        return false;
    }
    let unlisted = held.iter().filter(|c| c.symbol.kind() != SymbolKind::Group).collect::<Vec<_>>();
    match unlisted.as_slice() {
        [] => {
            // All of the Internet has addresses that no Azure service has.
            let public = security_group_facts().public();
            let is_internet =
                addresses == all && addresses.is_subset(&public) && addresses.v4().count() > 1 << 31;
            added().all(|c| !c.holds && c.symbol.kind() == SymbolKind::Tag && is_internet)
        }
        // Where the addresses are is not known, but every regional tag leaves a part of its parent out, and so do all
        // of them together.
        [tag] => {
            addresses == all
                && added().all(|c| {
                    let region_of = c.symbol.name().strip_prefix(tag.symbol.name().as_str());
                    !c.holds
                        && c.symbol.kind() == SymbolKind::Tag
                        && tag.symbol.kind() == SymbolKind::Tag
                        && region_of.is_some_and(|rest| rest.starts_with('.'))
                        && c.symbol.implies(&tag.symbol)
                })
        }
        _ => false,
    }
}

/// What the packets that may die depend on.
fn causes(possible: &[Decision], flow: &PacketSet) -> Vec<EcoString> {
    let assumed = flow.symbols();
    let symbols = possible.iter().flat_map(|d| d.packets.symbols());
    let mut open: Vec<_> = symbols.filter(|symbol| !assumed.contains(symbol)).collect();
    if open.is_empty() && !possible.is_empty() {
        // A part of a tag or of an unknown set, told apart by addresses: whether there are any is not known.
        open = assumed;
    }
    let mut causes: Vec<EcoString> = open.iter().map(cause).collect();
    causes.sort_unstable();
    causes.dedup();
    causes
}

fn cause(symbol: &Symbol) -> EcoString {
    match symbol.kind() {
        SymbolKind::Unknown => symbol.label().clone(),
        SymbolKind::Tag => {
            eco_format!("the addresses of the service tag {symbol} change and are not known here")
        }
        SymbolKind::Group => eco_format!("the members of {symbol} are not all known"),
    }
}
