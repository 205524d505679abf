//! Flows that managed services need from the security groups around them.

use std::net::IpAddr;
use std::sync::OnceLock;

use serde::Deserialize;

use super::{Confidence, Sources};
use crate::net::{PortSet, ProtocolSet};

/// The table.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredFlows {
    /// What the table holds.
    pub about: String,
    /// The services, in the order of the file.
    pub services: Vec<Service>,
    /// Where the rows come from.
    pub sources: Sources,
}

/// A service that lives in, or is reached from, a subnet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// Name of the row; stable.
    pub id: String,
    /// As Azure names it.
    pub name: String,
    /// Whether it can still be made.
    pub status: Status,
    /// Terraform types that make it.
    pub terraform_types: Vec<String>,
    /// ARM types that make it.
    pub arm_types: Vec<String>,
    /// When a resource of these types is this service, in words.
    pub applies_when: String,
    /// The same as conditions that must all hold; `None` where files do not tell.
    pub when: Option<Vec<When>>,
    /// The attribute that names its subnet.
    pub subnet: Option<ServiceSubnet>,
    /// What it says of security groups.
    pub security_group: GroupPolicy,
    /// What else it forbids.
    #[serde(default)]
    pub prohibitions: Vec<ServiceProhibition>,
    /// What readers of older pages may expect otherwise.
    pub recently_changed: Option<String>,
    /// Key of [`RequiredFlows::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
    /// What it needs.
    pub flows: Vec<RequiredFlow>,
}

/// Where a service is in its life.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// In use.
    Current,
    /// In use, with a successor.
    Legacy,
    /// Announced to end.
    Retiring,
    /// Ended: its rows explain leftovers and demand nothing.
    Retired,
}

/// A condition on the configuration of a resource, once for each vocabulary. An attribute that is not known leaves it
/// undecided.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct When {
    /// For Terraform; `None` if it cannot be seen there (or always holds).
    pub terraform: Option<Test>,
    /// For ARM and Bicep.
    pub arm: Option<Test>,
    /// Another condition, in words, that is as good.
    pub or: Option<String>,
    /// What else there is to say.
    pub note: Option<String>,
}

/// One test.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Test {
    /// Which.
    pub test: TestKind,
    /// The resource that has the attribute, if it is not the service itself: a type or words.
    pub of: Option<String>,
    /// Attribute paths, any of which will do. Dots; no block indices in Terraform, `[]` for arrays in ARM, `*` for any name.
    #[serde(default)]
    pub paths: Vec<String>,
    /// Values to compare with; booleans as `true` and `false`. Without regard to case.
    #[serde(default)]
    pub values: Vec<String>,
    /// The value that counts where the attribute is not set.
    pub unset_means: Option<String>,
}

/// What is tested.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TestKind {
    /// The attribute or block is there.
    Set,
    /// It is not there.
    Unset,
    /// Its value is one of these; not if unset.
    In,
    /// Its value is none of these, or it is unset.
    NotIn,
    /// Its value starts with one of these.
    PrefixIn,
    /// The list holds one of these.
    ContainsAny,
    /// The resource is of one of these types.
    TypeIs,
    /// A resource as in `of` exists and names this one.
    ResourceExists,
}

/// The attribute that names a service's subnet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceSubnet {
    /// In Terraform; several with commas.
    pub terraform: Option<String>,
    /// In ARM; several with commas.
    pub arm: Option<String>,
    /// The delegation, or words where there is none.
    pub delegation: Option<String>,
    /// The name that the subnet must have.
    pub fixed_name: Option<String>,
}

/// What a service says of security groups on its subnet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupPolicy {
    /// Where the groups are that its flows pass.
    #[serde(rename = "where")]
    pub place: String,
    /// Whether there may be one.
    pub allowed: Allowed,
    /// What [`Allowed::Conditional`] depends on.
    pub allowed_when: Option<String>,
    /// Whether there must be one.
    pub required: bool,
    /// Whether the service adds rules of its own: their absence from files is no defect.
    pub rules_managed_by_service: bool,
    /// The code with which Azure refuses one, where known.
    pub error_code: Option<String>,
    /// What else there is to say.
    pub note: Option<String>,
}

/// Whether something is allowed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Allowed {
    /// It is.
    Yes,
    /// It is not.
    No,
    /// It depends.
    Conditional,
}

/// Something that a service forbids in the group or subnet.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ServiceProhibition {
    /// What.
    pub what: String,
    /// What happens.
    pub consequence: Option<String>,
    /// The code with which Azure refuses it, where known.
    pub error_code: Option<String>,
    /// Key of [`RequiredFlows::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

/// A flow that a service needs.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RequiredFlow {
    /// `service.flow`; stable.
    pub id: String,
    /// As seen from the service's subnet.
    pub direction: FlowDirection,
    /// From where.
    pub from: FlowEndpoint,
    /// To where.
    pub to: FlowEndpoint,
    /// `Tcp`, `Udp` or `*`.
    pub protocol: String,
    /// Ports, ranges, `*`, or words. Each is needed, unless the purpose says otherwise.
    pub ports: Vec<String>,
    /// Ports by the subresource that the flow reaches.
    #[serde(default)]
    pub ports_by_subresource: Vec<SubresourcePorts>,
    /// What it is for.
    pub purpose: String,
    /// How badly it is needed.
    pub level: Level,
    /// When it is needed, in words; always, if absent.
    pub condition: Option<String>,
    /// The same as conditions that must all hold.
    #[serde(default)]
    pub when: Vec<When>,
    /// Whether files tell if the condition holds. A row of which they do not may only back advice.
    #[serde(default = "yes")]
    pub decidable: bool,
    /// What happens without it.
    pub if_blocked: IfBlocked,
    /// The default rules that let it pass in a group without rules; `None` if none does or no group is asked.
    pub default_rule: Option<String>,
    /// Whether a group must have a rule for it: it is blocked otherwise, or a validator wants to see it.
    pub explicit_rule_needed: bool,
    /// Whether the service adds the rule itself.
    #[serde(default)]
    pub managed: bool,
    /// Whether all of it is needed: what looks at the group wants no part of it denied.
    #[serde(default)]
    pub whole: bool,
    /// Whether the same is needed the other way.
    #[serde(default)]
    pub also_inbound: bool,
    /// What will do instead, in words.
    #[serde(default)]
    pub alternatives: Vec<String>,
    /// The sub-resource of a private endpoint that the flow goes to where there is one.
    pub private_endpoint: Option<String>,
    /// What else there is to say.
    pub note: Option<String>,
    /// Key of [`RequiredFlows::sources`].
    pub source: String,
    /// How sure the row is.
    pub confidence: Confidence,
}

fn yes() -> bool {
    true
}

/// Ports of the targets of private endpoints.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SubresourcePorts {
    /// The subresources, in words.
    pub of: String,
    /// Their ports.
    pub ports: Vec<String>,
}

/// Inbound or outbound.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
pub enum FlowDirection {
    /// To the service.
    Inbound,
    /// From the service.
    Outbound,
}

/// One end of a required flow.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum FlowEndpoint {
    /// The service's subnet.
    SelfSubnet,
    /// Another subnet.
    PeerSubnet {
        /// Which, in words.
        value: String,
    },
    /// A service tag.
    Tag {
        /// Its name without region.
        value: String,
        /// Of which region; everywhere if absent.
        region: Option<TagRegion>,
    },
    /// Anything.
    Any,
    /// Whoever uses the service: depends on the design.
    Clients,
    /// One address.
    Ip {
        /// It.
        value: IpAddr,
    },
    /// Something else.
    Other {
        /// What, in words.
        value: String,
    },
}

/// Of which region a tag is meant.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TagRegion {
    /// The resource's own.
    Own,
    /// The one that is paired with it.
    Paired,
    /// One or several that files do not tell.
    Other,
}

/// How badly a flow is needed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// Safe to leave closed.
    Optional,
    /// Needed for sound operation; the service starts without it.
    Recommended,
    /// Mandatory when its condition holds.
    FeatureDependent,
    /// The service does not work without it.
    Mandatory,
}

/// What happens when a flow is blocked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct IfBlocked {
    /// In one word.
    pub kind: Damage,
    /// What its user sees.
    pub symptom: String,
    /// The code that Azure answers with, where known.
    pub error_code: Option<String>,
}

/// The damage of a blocked flow.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Damage {
    /// Azure refuses, or creation ends in failure.
    Rejected,
    /// It may deploy; the service or a feature of it fails.
    Broken,
    /// Side functions fail: logs, time, updates.
    Degraded,
    /// It may work, but Microsoft does not support it.
    Unsupported,
    /// Back ends count as down.
    Unhealthy,
}

/// The table.
pub fn required_flows() -> &'static RequiredFlows {
    static TABLE: OnceLock<RequiredFlows> = OnceLock::new();
    TABLE.get_or_init(|| super::read(include_str!("data/required_flows.json")))
}

impl RequiredFlows {
    /// A service by its id.
    pub fn service(&self, id: &str) -> Option<&Service> {
        self.services.iter().find(|service| service.id == id)
    }

    /// The services that a Terraform type can make, whatever its configuration.
    pub fn of_terraform_type<'a>(&'a self, terraform_type: &'a str) -> impl Iterator<Item = &'a Service> {
        self.services.iter().filter(move |s| s.terraform_types.iter().any(|t| t == terraform_type))
    }

    /// The services that an ARM type can make, whatever its configuration; in any case.
    pub fn of_arm_type<'a>(&'a self, arm_type: &'a str) -> impl Iterator<Item = &'a Service> {
        self.services.iter().filter(move |s| s.arm_types.iter().any(|t| t.eq_ignore_ascii_case(arm_type)))
    }
}

impl RequiredFlow {
    /// Its protocols.
    pub fn protocols(&self) -> ProtocolSet {
        ProtocolSet::parse(&self.protocol).unwrap_or(ProtocolSet::EMPTY)
    }

    /// Its ports; `None` if another resource says which.
    pub fn port_set(&self) -> Option<PortSet> {
        let ports = self.ports.iter().map(|text| PortSet::parse(text));
        ports.collect::<Option<Vec<_>>>().map(|ports| ports.into_iter().collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::azure::tags::service_tags;

    #[test]
    fn every_row_is_read_and_makes_sense() {
        let table = required_flows();
        let mut ids = BTreeSet::new();
        let flows = || table.services.iter().flat_map(|s| &s.flows);
        assert!(table.services.len() >= 46 && flows().count() >= 280);
        for service in &table.services {
            assert!(ids.insert(&service.id), "{}", service.id);
            assert!(table.sources.get(&service.source).is_some(), "{}", service.id);
            for prohibition in &service.prohibitions {
                assert!(table.sources.get(&prohibition.source).is_some(), "{}", service.id);
            }
            for flow in &service.flows {
                assert!(ids.insert(&flow.id), "{}", flow.id);
                assert!(flow.id.starts_with(&format!("{}.", service.id)), "{}", flow.id);
                assert!(table.sources.get(&flow.source).is_some(), "{}", flow.id);
                assert!(!flow.protocols().is_empty() && !flow.ports.is_empty(), "{}", flow.id);
                let has_digit = |text: &String| text.starts_with(|c: char| c.is_ascii_digit() || c == '*');
                assert_eq!(flow.ports.iter().all(has_digit), flow.port_set().is_some(), "{}", flow.id);
                for row in &flow.ports_by_subresource {
                    assert!(row.ports.iter().all(|p| PortSet::parse(p).is_some()), "{}", row.of);
                }
                for end in [&flow.from, &flow.to] {
                    let FlowEndpoint::Tag { value, .. } = end else { continue };
                    assert_eq!(
                        service_tags().get(value).map(|t| t.name.as_str()),
                        Some(value.as_str()),
                        "{}",
                        flow.id
                    );
                }
                let own = if flow.direction == FlowDirection::Inbound { &flow.to } else { &flow.from };
                assert!(!matches!(own, FlowEndpoint::Clients), "{}", flow.id);
                assert!(flow.condition.is_some() || flow.level != Level::FeatureDependent, "{}", flow.id);
            }
        }
    }

    #[test]
    fn every_condition_can_be_tested() {
        let table = required_flows();
        let conditions = table.services.iter().flat_map(|service| {
            service.when.iter().flatten().chain(service.flows.iter().flat_map(|flow| &flow.when))
        });
        let mut count = 0;
        for when in conditions {
            count += 1;
            assert!(when.terraform.is_some() || when.arm.is_some());
            for test in when.terraform.iter().chain(&when.arm) {
                let needs_values =
                    !matches!(test.test, TestKind::Set | TestKind::Unset | TestKind::ResourceExists);
                assert_eq!(needs_values, !test.values.is_empty(), "{test:?}");
                match test.test {
                    TestKind::ResourceExists => assert!(test.of.is_some(), "{test:?}"),
                    TestKind::TypeIs => {}
                    _ => assert!(!test.paths.is_empty(), "{test:?}"),
                }
                assert!(test.paths.iter().all(|path| !path.contains([' ', '=', '|'])), "{test:?}");
            }
        }
        assert!(count > 60, "{count}");
    }

    #[test]
    fn services_are_found_by_type() {
        let table = required_flows();
        let ids = |services: Vec<&Service>| services.into_iter().map(|s| s.id.clone()).collect::<Vec<_>>();
        assert_eq!(
            ids(table.of_terraform_type("azurerm_postgresql_flexible_server").collect()),
            ["postgresql-flexible"]
        );
        assert_eq!(
            ids(table.of_arm_type("microsoft.sql/managedinstances").collect()),
            ["sql-managed-instance"]
        );
        let storage = table
            .service("postgresql-flexible")
            .and_then(|s| s.flows.iter().find(|f| f.id.contains("storage")));
        assert!(
            matches!(storage.map(|f| &f.to), Some(FlowEndpoint::Tag { value, .. }) if value == "Storage")
        );
    }
}
