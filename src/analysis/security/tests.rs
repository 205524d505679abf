//! The table of single packets, and whole flows with tags and unknowns.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::Deserialize;

use super::input::*;
use super::syntax::{RuleText, SideText, priority_conflicts};
use super::*;
use crate::azure::Sources;
use crate::azure::tags::service_tags;
use crate::net::{AddressSet, PortSet, Protocol, ProtocolSet, parse_prefix};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    #[allow(dead_code)]
    about: String,
    vectors: Vec<Vector>,
    sources: Sources,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    id: String,
    what: String,
    hops: Vec<HopRow>,
    expect: String,
    by: Option<String>,
    at: Option<String>,
    hop: Option<String>,
    source: String,
    #[allow(dead_code)]
    confidence: crate::azure::Confidence,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct HopRow {
    at: Option<String>,
    subnet: Option<Vec<RuleRow>>,
    nic: Option<Vec<RuleRow>>,
    packet: PacketRow,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleRow {
    name: String,
    priority: i64,
    direction: String,
    access: String,
    protocol: Option<String>,
    from: Option<String>,
    #[serde(default)]
    from_list: Vec<String>,
    #[serde(default)]
    from_groups: Vec<String>,
    from_port: Option<String>,
    #[serde(default)]
    from_ports: Vec<String>,
    to: Option<String>,
    #[serde(default)]
    to_list: Vec<String>,
    #[serde(default)]
    to_groups: Vec<String>,
    to_port: Option<String>,
    #[serde(default)]
    to_ports: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PacketRow {
    direction: String,
    from: IpAddr,
    to: IpAddr,
    protocol: String,
    ports: Option<(u16, u16)>,
    space: Vec<String>,
    #[serde(default)]
    peered: Vec<String>,
    #[serde(default)]
    on_premises: Vec<String>,
    #[serde(default)]
    routed: Vec<String>,
    #[serde(default)]
    tags: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    groups: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    established: bool,
    entry: Option<String>,
    endpoint_policies: Option<String>,
    #[serde(default)]
    admin: Vec<RuleRow>,
}

fn set(texts: &[String]) -> AddressSet {
    texts.iter().map(|text| parse_prefix(text).unwrap()).collect()
}

impl RuleRow {
    fn text(&self) -> RuleText {
        let side = |prefix: &Option<String>,
                    list: &[String],
                    groups: &[String],
                    port: &Option<String>,
                    ports: &[String]| {
            let all = |texts: &[String]| texts.iter().map(|t| t.as_str().into()).collect::<Vec<_>>();
            let alone = list.is_empty() && groups.is_empty();
            SideText {
                prefix: prefix.as_deref().or(alone.then_some("*")).map(Into::into),
                prefixes: all(list),
                groups: all(groups),
                port: port.as_deref().or(ports.is_empty().then_some("*")).map(Into::into),
                ports: all(ports),
            }
        };
        RuleText {
            name: self.name.as_str().into(),
            priority: self.priority,
            direction: self.direction.as_str().into(),
            access: self.access.as_str().into(),
            protocol: self.protocol.as_deref().unwrap_or("*").into(),
            source: side(&self.from, &self.from_list, &self.from_groups, &self.from_port, &self.from_ports),
            destination: side(&self.to, &self.to_list, &self.to_groups, &self.to_port, &self.to_ports),
        }
    }
}

fn group(rows: &[RuleRow], identity: &str) -> SecurityGroup {
    let rules = rows.iter().enumerate().map(|(i, row)| row.text().read(i)).collect();
    SecurityGroup { identity: identity.into(), rules, more_rules: None }
}

impl PacketRow {
    fn flow(&self) -> Flow {
        let party = |address| Party::addresses(AddressSet::single(address));
        let mut flow =
            Flow::new(Direction::parse(&self.direction).unwrap(), party(self.from), party(self.to));
        flow.protocols = ProtocolSet::parse(&self.protocol).unwrap();
        if let Some((from, to)) = self.ports {
            flow.source_ports = PortSet::single(from);
            flow.destination_ports = PortSet::single(to);
        }
        flow.established = self.established;
        flow.entry = self.entry.as_deref().map(|entry| match entry {
            "Basic" => PublicEntry::Basic,
            "Standard" => PublicEntry::Standard,
            other => panic!("{other}"),
        });
        flow.private_endpoint = self
            .endpoint_policies
            .as_deref()
            .map(|policies| Setting::Known(["Enabled", "NetworkSecurityGroupEnabled"].contains(&policies)));
        flow
    }

    fn network(&self) -> Network {
        let mut network = Network::new(set(&self.space));
        network.peered = set(&self.peered);
        network.on_premises = set(&self.on_premises);
        network.routed = set(&self.routed);
        let tags = self.tags.iter();
        network.known_tags =
            tags.map(|(name, list)| (service_tags().resolve(name).name, set(list))).collect();
        let groups = self.groups.iter();
        network.groups = groups
            .map(|(name, list)| (name.as_str().into(), GroupMembers { addresses: set(list), complete: true }))
            .collect();
        network.admin_rules = self.admin.iter().enumerate().map(|(i, row)| row.text().read(i)).collect();
        network
    }
}

/// Where and by what the packet of a hop is decided.
struct Answer {
    verdict: Verdict,
    by: Option<String>,
    at: Option<String>,
}

fn answer(hop: &HopRow) -> Answer {
    let (subnet, nic) = (hop.subnet.as_deref(), hop.nic.as_deref());
    let (subnet, nic) = (subnet.map(|r| group(r, "subnet group")), nic.map(|r| group(r, "interface group")));
    let layer = |group: &'_ Option<SecurityGroup>| group.clone();
    let (subnet, nic) = (layer(&subnet), layer(&nic));
    let layers = Layers {
        subnet: subnet.as_ref().map_or(Layer::Absent, Layer::Group),
        nic: nic.as_ref().map_or(Layer::Absent, Layer::Group),
    };
    let outcome = evaluate(&hop.packet.flow(), &layers, &hop.packet.network()).unwrap();
    let decision = match outcome.verdict {
        Verdict::Allowed => outcome.allowed.first(),
        Verdict::Blocked => outcome.blocked.first(),
        Verdict::PartlyBlocked | Verdict::Undecided => None,
    };
    let at = decision.map(|d| match d.stage {
        Stage::Nic => "nic".to_owned(),
        Stage::Admin => "admin".to_owned(),
        Stage::NoGroup => "none".to_owned(),
        Stage::PrivateEndpoint => "private endpoint".to_owned(),
        stage => stage.to_string(),
    });
    let by = decision.and_then(|d| d.rule.as_ref()).map(|rule| rule.name.to_string());
    Answer { verdict: outcome.verdict, by, at }
}

fn is_refused(rows: &[RuleRow]) -> bool {
    let texts: Vec<RuleText> = rows.iter().map(RuleRow::text).collect();
    !priority_conflicts(&texts).is_empty() || texts.iter().any(|text| !text.defects().is_empty())
}

#[test]
fn single_packets_are_decided_as_documented() {
    let table: Table = serde_json::from_str(include_str!("../../../testdata/security/vectors.json")).unwrap();
    assert_eq!(table.vectors.len(), 140);
    let mut wrong = Vec::new();
    for vector in &table.vectors {
        assert!(table.sources.get(&vector.source).is_some(), "{}", vector.id);
        let rows =
            |hop: &HopRow| [hop.subnet.as_deref(), hop.nic.as_deref()].into_iter().flatten().any(is_refused);
        let refused = vector.hops.iter().any(rows);
        let answers: Vec<Answer> = vector.hops.iter().map(answer).collect();
        // The first hop that does not let it pass decides, else the last.
        let deciding =
            answers.iter().position(|a| a.verdict != Verdict::Allowed).unwrap_or(answers.len() - 1);
        let answer = &answers[deciding];
        let verdict = match (refused, answer.verdict) {
            (true, _) => "invalid",
            (_, Verdict::Allowed) => "allow",
            (_, Verdict::Blocked) => "deny",
            (_, Verdict::PartlyBlocked) => "partly",
            (_, Verdict::Undecided) => "undecided",
        };
        let by = vector.by.is_none() || vector.by == answer.by;
        let at = vector.at.is_none() || vector.at == answer.at;
        let hop = vector.hop.is_none() || vector.hop == vector.hops[deciding].at;
        if verdict != vector.expect || !by || !at || !hop {
            wrong.push(format!(
                "{} ({}): {verdict} by {:?} at {:?}, hop {:?}",
                vector.id, vector.what, answer.by, answer.at, vector.hops[deciding].at
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_rule_of_an_accepted_vector_is_refused() {
    let table: Table = serde_json::from_str(include_str!("../../../testdata/security/vectors.json")).unwrap();
    let accepted = table.vectors.iter().filter(|v| v.expect != "invalid");
    for vector in accepted {
        for hop in &vector.hops {
            let mut rows = [hop.subnet.as_deref(), hop.nic.as_deref()].into_iter().flatten();
            assert!(!rows.any(is_refused), "{}", vector.id);
        }
    }
}

// Whole flows.

const DATABASE: &str = "10.0.7.0/28";

fn prefix(text: &str) -> AddressSet {
    AddressSet::parse(text).unwrap()
}

fn network() -> Network {
    Network::new(prefix("10.0.0.0/16"))
}

fn tcp() -> ProtocolSet {
    ProtocolSet::single(Protocol::Tcp)
}

/// From the database subnet to a tag, port 443.
fn to_tag(tag: &str) -> Flow {
    Flow::new(Direction::Outbound, Party::addresses(prefix(DATABASE)), Party::tag(tag))
        .to_ports(tcp(), PortSet::single(443))
}

/// Within the database subnet.
fn within(direction: Direction) -> Flow {
    let subnet = || Party::addresses(prefix(DATABASE));
    Flow::new(direction, subnet(), subnet()).to_ports(tcp(), PortSet::single(5432))
}

fn rule(name: &str, index: usize, priority: u32, direction: Direction, access: Access) -> SecurityRule {
    SecurityRule::new(name, index, priority, direction, access)
}

fn outbound(name: &str, priority: u32, access: Access, to: &str) -> SecurityRule {
    let rule = rule(name, priority as usize, priority, Direction::Outbound, access);
    SecurityRule { destination: vec![Selector::parse(to)], ..rule }
}

fn inbound(name: &str, priority: u32, access: Access, from: &str) -> SecurityRule {
    let rule = rule(name, priority as usize, priority, Direction::Inbound, access);
    SecurityRule { source: vec![Selector::parse(from)], ..rule }
}

fn of(rules: Vec<SecurityRule>) -> SecurityGroup {
    SecurityGroup { identity: "group".into(), rules, more_rules: None }
}

fn ask(flow: &Flow, group: &SecurityGroup, network: &Network) -> Outcome {
    evaluate(flow, &Layers::subnet(group), network).unwrap()
}

#[test]
fn a_deny_of_the_internet_cuts_every_service_tag() {
    let group = of(vec![outbound("DenyInternet", 200, Access::Deny, "Internet")]);
    for tag in ["Storage", "Storage.WestEurope", "AzureActiveDirectory", "AzureCloud"] {
        let outcome = ask(&to_tag(tag), &group, &network());
        assert_eq!(outcome.verdict, Verdict::Blocked, "{tag}");
        let decision = outcome.first_blocked().unwrap();
        assert_eq!(
            (decision.stage, decision.rule.as_ref().unwrap().name.as_str()),
            (Stage::Subnet, "DenyInternet")
        );
        assert_eq!(outcome.witness().unwrap().to_string(), format!("Tcp 10.0.7.4:50000 -> {tag}:443"));
        assert_eq!(outcome.blocked_ports, PortSet::single(443));
        assert_eq!(decision.packets.to_string(), format!("Tcp 10.0.7.0/28 -> {tag}, port 443"));
    }
}

#[test]
fn a_wider_tag_before_the_deny_keeps_the_flow() {
    let group = |tag: &str| {
        of(vec![outbound("Allow", 100, Access::Allow, tag), outbound("DenyAll", 4096, Access::Deny, "*")])
    };
    for (allowed, asked, verdict) in [
        ("Storage", "Storage", Verdict::Allowed),
        ("Storage", "Storage.WestEurope", Verdict::Allowed),
        ("AzureCloud.westeurope", "Storage.WestEurope", Verdict::Allowed),
        ("AzureCloud", "AzureKeyVault", Verdict::Allowed),
        ("Internet", "Storage", Verdict::Allowed),
        ("*", "Storage", Verdict::Allowed),
        // A region is less than the whole: what lies outside is certainly cut.
        ("Storage.WestEurope", "Storage", Verdict::PartlyBlocked),
        // Whether these have addresses in common is not known here.
        ("AzureCloud", "Storage", Verdict::Undecided),
        ("Storage.NorthEurope", "Storage.WestEurope", Verdict::Undecided),
        ("20.60.0.0/16", "Storage", Verdict::Undecided),
        // These certainly let nothing of it pass.
        ("10.0.0.0/8", "Storage", Verdict::Blocked),
        ("VirtualNetwork", "Storage", Verdict::Blocked),
    ] {
        let outcome = ask(&to_tag(asked), &group(allowed), &network());
        assert_eq!(outcome.verdict, verdict, "{asked} with {allowed} allowed");
        assert_eq!(
            outcome.causes.is_empty(),
            verdict != Verdict::Undecided,
            "{asked} with {allowed} allowed"
        );
    }
}

#[test]
fn a_partial_deny_is_shown_exactly() {
    let mut deny = inbound("DenyHalf", 100, Access::Deny, "10.0.7.8/29");
    deny.destination_ports = Ports::exactly(PortSet::range(5000, 6000));
    let outcome = ask(&within(Direction::Inbound), &of(vec![deny]), &network());
    assert_eq!(outcome.verdict, Verdict::PartlyBlocked);
    assert_eq!(outcome.blocked_packets().to_string(), "Tcp 10.0.7.8/29 -> 10.0.7.0/28, port 5432");
    assert_eq!(outcome.witness().unwrap().to_string(), "Tcp 10.0.7.12:50000 -> 10.0.7.4:5432");
    assert!(outcome.blocked_ports.is_empty(), "some packets to the port pass");
}

#[test]
fn of_a_list_of_ports_each_is_judged() {
    let mut allow = inbound("AllowSome", 100, Access::Allow, "VirtualNetwork");
    allow.destination_ports = Ports::exactly(PortSet::range(11_000, 11_999));
    let group = of(vec![allow, inbound("DenyAll", 200, Access::Deny, "*")]);
    let ports: PortSet = [PortSet::single(5022), PortSet::range(11_000, 11_999)].into_iter().collect();
    let flow = Flow { destination_ports: ports, ..within(Direction::Inbound) };
    let outcome = ask(&flow, &group, &network());
    assert_eq!(outcome.verdict, Verdict::PartlyBlocked);
    assert_eq!(outcome.blocked_ports.to_string(), "5022");
}

#[test]
fn an_unknown_allow_before_a_deny_leaves_it_open_and_one_after_it_does_not() {
    let cause = Cause::new("var.sources has no value");
    let unknown = |priority| SecurityRule {
        source: vec![Selector::Unknown(cause.clone())],
        ..inbound("AllowSome", priority, Access::Allow, "*")
    };
    let deny = || inbound("DenyAll", 300, Access::Deny, "*");
    let open = ask(&within(Direction::Inbound), &of(vec![unknown(200), deny()]), &network());
    assert_eq!(open.verdict, Verdict::Undecided);
    assert_eq!(open.causes, ["var.sources has no value"]);
    let closed = ask(&within(Direction::Inbound), &of(vec![unknown(400), deny()]), &network());
    assert_eq!(closed.verdict, Verdict::Blocked);
}

#[test]
fn unknowns_that_cannot_change_the_answer_do_not() {
    let cause = || Cause::new("unknown");
    // Denied by the first rule or by the second, whatever the first turns out to match.
    let perhaps = SecurityRule {
        source: vec![Selector::Unknown(cause())],
        ..inbound("DenySome", 100, Access::Deny, "*")
    };
    let outcome = ask(
        &within(Direction::Inbound),
        &of(vec![perhaps, inbound("DenyAll", 200, Access::Deny, "*")]),
        &network(),
    );
    assert_eq!(outcome.verdict, Verdict::Blocked);

    // An allow of unknown ports beside a known one: only the known one is certain.
    let mut allow = inbound("Allow", 100, Access::Allow, "*");
    allow.destination_ports = Ports { known: PortSet::single(5432), unknown: Some(cause()) };
    let group = of(vec![allow, inbound("DenyAll", 200, Access::Deny, "*")]);
    assert_eq!(ask(&within(Direction::Inbound), &group, &network()).verdict, Verdict::Allowed);
    let other = Flow { destination_ports: PortSet::single(6432), ..within(Direction::Inbound) };
    assert_eq!(ask(&other, &group, &network()).verdict, Verdict::Undecided);
}

#[test]
fn every_unknown_field_is_followed_through() {
    let cause = || Cause::new("unknown");
    let deny = || inbound("Deny", 300, Access::Deny, "*");
    let blocked = |rules: Vec<SecurityRule>| ask(&within(Direction::Inbound), &of(rules), &network()).verdict;
    let with = |change: &dyn Fn(&mut SecurityRule)| {
        let mut rule = deny();
        change(&mut rule);
        blocked(vec![rule])
    };
    assert_eq!(with(&|_| {}), Verdict::Blocked);
    assert_eq!(with(&|r| r.access = Setting::Unknown(cause())), Verdict::Undecided);
    assert_eq!(with(&|r| r.direction = Setting::Unknown(cause())), Verdict::Undecided);
    assert_eq!(with(&|r| r.protocols = Setting::Unknown(cause())), Verdict::Undecided);
    assert_eq!(with(&|r| r.uncertain = Some(cause())), Verdict::Undecided);
    assert_eq!(with(&|r| r.destination_ports.known = PortSet::single(22)), Verdict::Allowed);
    // A priority only matters beside other rules.
    assert_eq!(with(&|r| r.priority = Setting::Unknown(cause())), Verdict::Blocked);
    let allow = inbound("Allow", 200, Access::Allow, DATABASE);
    let mut unplaced = deny();
    unplaced.priority = Setting::Unknown(cause());
    assert_eq!(blocked(vec![allow.clone(), deny()]), Verdict::Allowed);
    assert_eq!(blocked(vec![allow, unplaced]), Verdict::Undecided);
}

#[test]
fn the_same_unknown_value_is_the_same_on_both_sides_of_the_question() {
    let subnet = || Selector::Unknown(Cause::new("the subnet's prefix").identified("azurerm_subnet.db"));
    let mut allow = inbound("AllowSelf", 100, Access::Allow, "*");
    (allow.source, allow.destination) = (vec![subnet()], vec![subnet()]);
    let group = of(vec![allow, inbound("DenyAll", 200, Access::Deny, "*")]);
    let flow = |selector: Selector| {
        Flow::new(Direction::Inbound, Party::new(selector.clone()), Party::new(selector))
    };
    assert_eq!(ask(&flow(subnet()), &group, &network()).verdict, Verdict::Allowed);
    let other = Selector::Unknown(Cause::new("another subnet's prefix").identified("azurerm_subnet.app"));
    assert_eq!(ask(&flow(other), &group, &network()).verdict, Verdict::Undecided);
    // Nothing of the question depends on the value: the deny takes all.
    let group = of(vec![inbound("DenyAll", 200, Access::Deny, "*")]);
    assert_eq!(ask(&flow(subnet()), &group, &network()).verdict, Verdict::Blocked);
    // A deny of some addresses may or may not take addresses that are not known.
    let group = of(vec![inbound("DenySome", 200, Access::Deny, "10.0.0.0/24")]);
    assert_ne!(ask(&flow(subnet()), &group, &network()).verdict, Verdict::PartlyBlocked);
}

#[test]
fn rules_that_are_not_in_the_files_leave_the_answer_open_where_they_could_stand_first() {
    let mut group = of(vec![inbound("DenyAll", 100, Access::Deny, "*")]);
    group.more_rules = Some(Cause::new("the group is managed elsewhere"));
    // Nothing comes before the smallest priority.
    assert_eq!(ask(&within(Direction::Inbound), &group, &network()).verdict, Verdict::Blocked);
    group.rules = vec![inbound("DenyAll", 101, Access::Deny, "*")];
    let outcome = ask(&within(Direction::Inbound), &group, &network());
    assert_eq!(outcome.verdict, Verdict::Undecided);
    assert_eq!(outcome.causes, ["the group is managed elsewhere"]);
    assert_eq!(ask(&within(Direction::Outbound), &group, &network()).verdict, Verdict::Undecided);
}

#[test]
fn a_rule_that_may_stand_behind_one_that_is_not_in_the_files_is_not_certain_to_decide() {
    let mut deny = rule("Deny", 0, 200, Direction::Inbound, Access::Deny);
    deny.priority = Setting::Unknown(Cause::new("a priority"));
    let mut group = of(vec![deny]);
    let flow = within(Direction::Inbound);
    assert_eq!(ask(&flow, &group, &network()).verdict, Verdict::Blocked);
    group.more_rules = Some(Cause::new("the group is managed elsewhere"));
    assert_eq!(ask(&flow, &group, &network()).verdict, Verdict::Undecided);
}

#[test]
fn levels_that_are_not_known_leave_the_answer_open() {
    let group = of(vec![inbound("DenyAll", 200, Access::Deny, "*")]);
    let flow = within(Direction::Inbound);
    let verdict = |subnet, nic| evaluate(&flow, &Layers { subnet, nic }, &network()).unwrap().verdict;
    let cause = || Cause::new("unknown");
    assert_eq!(verdict(Layer::Maybe(&group, cause()), Layer::Absent), Verdict::Undecided);
    assert_eq!(verdict(Layer::Unknown(cause()), Layer::Absent), Verdict::Undecided);
    assert_eq!(verdict(Layer::Unknown(cause()), Layer::Group(&group)), Verdict::Blocked);
    assert_eq!(verdict(Layer::Group(&group), Layer::Unknown(cause())), Verdict::Blocked);
    // The same group that may hang at both levels.
    assert_eq!(verdict(Layer::Group(&group), Layer::Maybe(&group, cause())), Verdict::Blocked);
}

#[test]
fn what_virtual_network_holds_is_followed_through() {
    let group = of(vec![]);
    let from = |party: Party| Flow::new(Direction::Inbound, party, Party::addresses(prefix(DATABASE)));
    let partner = from(Party::addresses(prefix("10.9.0.0/24")));
    let mut network = network();
    assert_eq!(ask(&partner, &group, &network).verdict, Verdict::Blocked);
    network.more = Some(Cause::new("a peering leads to a network that is not in the files"));
    assert_eq!(ask(&partner, &group, &network).verdict, Verdict::Undecided);
    // The Internet is never part of it, unless a default route may count it in.
    assert_eq!(ask(&from(Party::tag("Internet")), &group, &network).verdict, Verdict::Blocked);
    network.more = None;
    network.routed = prefix("0.0.0.0/0");
    let outcome = ask(&from(Party::tag("Internet")), &group, &network);
    assert_eq!(outcome.verdict, Verdict::Undecided);
    assert_eq!(outcome.causes, ["a default route may put every address into VirtualNetwork"]);
    let deny = of(vec![outbound("DenyInternet", 200, Access::Deny, "Internet")]);
    assert_eq!(ask(&to_tag("Storage"), &deny, &network).verdict, Verdict::Undecided);
}

#[test]
fn membership_in_application_security_groups_decides_where_it_is_known() {
    let mut allow = inbound("AllowWeb", 100, Access::Allow, "Internet");
    allow.destination = vec![Selector::Group("web".into())];
    let group = of(vec![allow]);
    let flow = |party: Party| {
        Flow::new(Direction::Inbound, Party::tag("Internet"), party).to_ports(tcp(), PortSet::single(443))
    };
    let machine = || Party::addresses(prefix("10.0.1.4"));
    let ask_for = |party| ask(&flow(party), &group, &network());
    assert_eq!(ask_for(machine().member_of(["web".into()])).verdict, Verdict::Allowed);
    assert_eq!(ask_for(machine().member_of([])).verdict, Verdict::Blocked);
    let open = ask_for(machine());
    assert_eq!(open.verdict, Verdict::Undecided);
    assert_eq!(open.causes, ["the members of web are not all known"]);
}

#[test]
fn exposure_through_a_tag_is_partly_certain() {
    let group = of(vec![inbound("AllowAzure", 100, Access::Allow, "AzureCloud")]);
    let flow = Flow::new(Direction::Inbound, Party::tag("Internet"), Party::addresses(prefix("10.0.1.4")));
    let outcome = ask(&flow, &group, &network());
    // Azure gets in, and the Internet is more than Azure.
    assert_eq!(outcome.verdict, Verdict::PartlyBlocked);
    assert_eq!(outcome.allowed.len(), 1);
}

#[test]
fn a_path_is_judged_at_both_ends() {
    let flow = Flow::new(
        Direction::Outbound,
        Party::addresses(prefix("10.0.1.0/24")),
        Party::addresses(prefix("10.1.3.0/24")),
    );
    let (spoke, hub) = (of(vec![]), of(vec![inbound("DenySpoke", 100, Access::Deny, "10.0.0.0/16")]));
    let mut from = network();
    from.peered = prefix("10.1.0.0/16");
    let mut to = Network::new(prefix("10.1.0.0/16"));
    to.peered = prefix("10.0.0.0/16");
    let path = evaluate_path(&flow, (&Layers::subnet(&spoke), &from), (&Layers::subnet(&hub), &to)).unwrap();
    assert_eq!((path.leaving.verdict, path.arriving.verdict), (Verdict::Allowed, Verdict::Blocked));
}

#[test]
fn a_thousand_entangled_rules_end_in_an_answer() {
    let rules = |count: u32| {
        (0..count)
            .map(|i| {
                let access = if i % 3 == 0 { Access::Deny } else { Access::Allow };
                let mut rule = inbound("r", 100 + i, access, "*");
                rule.source = (0..4)
                    .map(|j| {
                        Selector::Addresses(prefix(&format!("10.{}.{}.0/24", i % 7, (i * 37 + j * 11) % 256)))
                    })
                    .collect();
                let ports = PortSet::range(1000 + (i * 7 % 500) as u16, 1600 + (i * 13 % 900) as u16);
                rule.destination_ports = Ports::exactly(ports);
                rule
            })
            .collect()
    };
    let from = |source: &str| {
        Flow::new(Direction::Inbound, Party::addresses(prefix(source)), Party::addresses(prefix(DATABASE)))
    };
    // A question such as rules ask is answered exactly; one about everything at once may be refused, but ends.
    assert_eq!(ask(&from("10.3.0.0/20"), &of(rules(1000)), &network()).verdict, Verdict::PartlyBlocked);
    let everything = evaluate(&from("10.0.0.0/8"), &Layers::subnet(&of(rules(300))), &network());
    assert!(everything.is_err() || everything.is_ok_and(|o| o.verdict == Verdict::PartlyBlocked));
}
