//! ## What it checks
//!
//! That the network security group of a subnet lets pass what the services in the subnet need: replication and log archival of
//! database servers, management traffic of gateways, Bastion, API Management, AKS, directory services and so on. The whole group is
//! evaluated, default rules included, in order of priority and as sets of packets: an allow that stands behind a deny does not
//! help, and a deny that an earlier allow covers does no harm.
//!
//! ## What Azure does
//!
//! It depends on the service: some are rejected when they are made, others deploy and then fail or lose a feature. The finding
//! says which, and shows one packet that dies and the rule that drops it. It is an error where the service or a feature that is
//! switched on cannot work, and a warning where the documents only recommend the flow.
//!
//! ## Example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "postgresql"
//!     service_delegation {
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "db" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   private_dns_zone_id           = azurerm_private_dns_zone.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.db]
//! }
//!
//! resource "azurerm_network_security_group" "db" {
//!   name                = "nsg-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "deny-internet"
//!     priority                   = 4000
//!     direction                  = "Outbound"
//!     access                     = "Deny"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "Internet"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "db" {
//!   subnet_id                 = azurerm_subnet.db.id
//!   network_security_group_id = azurerm_network_security_group.db.id
//! }
//! ```
//!
//! ## Corrected example
//!
//! ```hcl
//! resource "azurerm_virtual_network" "main" {
//!   name                = "vnet-main"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!   address_space       = ["10.0.0.0/16"]
//! }
//!
//! resource "azurerm_subnet" "db" {
//!   name                 = "snet-db"
//!   resource_group_name  = "rg"
//!   virtual_network_name = azurerm_virtual_network.main.name
//!   address_prefixes     = ["10.0.1.0/24"]
//!
//!   delegation {
//!     name = "postgresql"
//!     service_delegation {
//!       name = "Microsoft.DBforPostgreSQL/flexibleServers"
//!     }
//!   }
//! }
//!
//! resource "azurerm_private_dns_zone" "db" {
//!   name                = "orders.private.postgres.database.azure.com"
//!   resource_group_name = "rg"
//! }
//!
//! resource "azurerm_private_dns_zone_virtual_network_link" "db" {
//!   name                  = "link-main"
//!   resource_group_name   = "rg"
//!   private_dns_zone_name = azurerm_private_dns_zone.db.name
//!   virtual_network_id    = azurerm_virtual_network.main.id
//! }
//!
//! resource "azurerm_postgresql_flexible_server" "orders" {
//!   name                          = "psql-orders"
//!   resource_group_name           = "rg"
//!   location                      = "westeurope"
//!   sku_name                      = "GP_Standard_D2s_v3"
//!   delegated_subnet_id           = azurerm_subnet.db.id
//!   private_dns_zone_id           = azurerm_private_dns_zone.db.id
//!   public_network_access_enabled = false
//!   depends_on                    = [azurerm_private_dns_zone_virtual_network_link.db]
//! }
//!
//! resource "azurerm_network_security_group" "db" {
//!   name                = "nsg-db"
//!   resource_group_name = "rg"
//!   location            = "westeurope"
//!
//!   security_rule {
//!     name                       = "allow-storage"
//!     priority                   = 200
//!     direction                  = "Outbound"
//!     access                     = "Allow"
//!     protocol                   = "Tcp"
//!     source_port_range          = "*"
//!     destination_port_range     = "443"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "Storage"
//!   }
//!
//!   security_rule {
//!     name                       = "deny-internet"
//!     priority                   = 4000
//!     direction                  = "Outbound"
//!     access                     = "Deny"
//!     protocol                   = "*"
//!     source_port_range          = "*"
//!     destination_port_range     = "*"
//!     source_address_prefix      = "*"
//!     destination_address_prefix = "Internet"
//!   }
//! }
//!
//! resource "azurerm_subnet_network_security_group_association" "db" {
//!   subnet_id                 = azurerm_subnet.db.id
//!   network_security_group_id = azurerm_network_security_group.db.id
//! }
//! ```
//!
//! ## When it is undecided
//!
//! When a rule, a range or a setting that matters is not known; when only a part of the addresses behind a service tag is blocked;
//! when the group may have rules that are not seen. Rules that a service adds by itself are not missed.
//!
//! ## References
//!
//! - <https://learn.microsoft.com/azure/virtual-network/network-security-group-how-it-works>
//! - <https://learn.microsoft.com/azure/postgresql/network/concepts-networking-private>
//! - <https://learn.microsoft.com/azure/application-gateway/configuration-infrastructure>
//! - <https://learn.microsoft.com/azure/bastion/bastion-nsg>

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Context, Reporter, Rule, allow_flow, support};
use crate::analysis::conditions::{self, Truth};
use crate::analysis::filters;
use crate::analysis::security::input::{Direction, Flow, Layers, Network, Party, SecurityRule, Selector};
use crate::analysis::security::{self, Outcome, Verdict};
use crate::azure::Confidence;
use crate::azure::flows::{Damage, FlowDirection, FlowEndpoint, Level, RequiredFlow, Service, TagRegion};
use crate::azure::tags::{self, service_tags};
use crate::finding::{Category, Severity};
use crate::net::{AddressSet, PortSet};
use crate::resource::Mode;
use crate::topology::{Id, ResourceNode, SecurityGroup, Subnet, Topology};
use crate::value::{Cause, Unknown};

/// See the module's documentation.
pub static RULE: Rule = Rule {
    name: "nsg-blocks-required-flow",
    category: Category::Nsg,
    severity: Severity::Error,
    summary: "effective security cuts a flow that a service in the subnet needs",
    error_codes: &[
        "CniDownloadTimeoutVMExtensionError",
        "K8SAPIServerConnFailVMExtensionError",
        "K8SDownloadTimeoutVMExtensionError",
        "OutboundConnFailVMExtensionError",
        "ApplicationGatewaySubnetInboundTrafficBlockedByNetworkSecurityGroup",
        "ApplicationGatewaySubnetOutboundTrafficBlockedByNetworkSecurityGroup",
        "message: does not have necessary rules for Azure Bastion Subnet",
        "NetworkSecurityGroupNotCompliantForAzureBastionSubnet",
        "AADDS104",
        "ManagementApiRequestFailed",
    ],
    fix: Some("allows a flow that is mandatory, above the rule that drops it"),
    pedantic: false,
    source: include_str!("nsg_blocks_required_flow.rs"),
    check,
};

/// Services that manage rules of their own put them at the front: only a user's rule at the very front comes before them.
const MANAGED_PRIORITY: i64 = 100;

fn check(context: &Context, reporter: &mut Reporter) {
    let topology = context.topology;
    let subnets: Vec<_> =
        topology.all::<Subnet>().filter(|(_, subnet)| !subnet.occupancies.is_empty()).collect();
    reporter.each(&subnets, |(id, subnet), reporter| {
        if let Some(group) = subnet.security_group.to() {
            check_subnet(context, reporter, *id, group);
        } else if let Some(unknown) = subnet.security_group.unknown() {
            reporter.undecided(subnet.security_group.place, unknown);
        }
    });
}

/// What the flows of one subnet are judged in.
struct Surroundings<'a> {
    topology: &'a Topology,
    subnet: &'a Subnet,
    group_id: Id<SecurityGroup>,
    group: &'a SecurityGroup,
    rules: Arc<security::input::SecurityGroup>,
    network: Arc<Network>,
    own_addresses: AddressSet,
    own_unknown: Option<Arc<Unknown>>,
}

fn check_subnet(context: &Context, reporter: &mut Reporter, id: Id<Subnet>, group: Id<SecurityGroup>) {
    let topology = context.topology;
    let subnet = &topology[id];
    let Some(network) = context.guards().network(id) else { return };
    let surroundings = Surroundings {
        topology,
        subnet,
        group_id: group,
        group: &topology[group],
        rules: context.guards().group(group),
        network,
        own_addresses: filters::addresses(&subnet.prefixes).0,
        own_unknown: subnet.prefixes.unknown().cloned(),
    };
    // A flow that several resources of one service need is judged once, for the first that needs it.
    let mut judged: BTreeSet<&str> = BTreeSet::new();
    for occupancy in subnet.occupancies.iter().map(|occupancy| &topology[*occupancy]) {
        let resource = &topology[occupancy.resource];
        if resource.mode != Mode::Managed {
            continue;
        }
        for service in conditions::services_of(resource) {
            match conditions::is_service(topology, resource, service) {
                Truth::Yes => {}
                Truth::Unknown(why) => {
                    reporter.undecided(resource.place, &why);
                    continue;
                }
                Truth::No | Truth::NotInFiles => continue,
            }
            for flow in &service.flows {
                if judged.contains(flow.id.as_str()) || !is_decidable(flow) {
                    continue;
                }
                match conditions::all_hold(topology, resource, &flow.when) {
                    Truth::Yes => {
                        judged.insert(&flow.id);
                        surroundings.judge(reporter, resource, service, flow);
                    }
                    Truth::Unknown(why) => reporter.undecided(resource.place, &why),
                    Truth::No | Truth::NotInFiles => {}
                }
            }
        }
    }
}

/// Whether a row says enough to judge by, and matters enough to speak of.
fn is_decidable(flow: &RequiredFlow) -> bool {
    let said = flow.condition.is_none() || !flow.when.is_empty() || flow.level == Level::Mandatory;
    flow.decidable && said && flow.level >= Level::Recommended && flow.confidence >= Confidence::Medium
}

impl Surroundings<'_> {
    /// Whether some private endpoint leads to this sub-resource, or may.
    fn has_endpoint(&self, group: &str) -> bool {
        let connections = self.topology.private_endpoints.iter().flat_map(|endpoint| &endpoint.connections);
        connections.into_iter().any(|connection| {
            let ids = &connection.group_ids;
            ids.rest.is_some()
                || ids.items.iter().any(|id| match id.known() {
                    Some(id) => id.eq_ignore_ascii_case(group),
                    None => true,
                })
        })
    }

    fn judge(
        &self,
        reporter: &mut Reporter,
        resource: &ResourceNode,
        service: &Service,
        required: &RequiredFlow,
    ) {
        let Some(ports) = required.port_set() else { return };
        // Traffic inside the network, which a flow to a private endpoint is, does not leave by the service's public addresses.
        if let Some(group) = &required.private_endpoint
            && self.has_endpoint(group)
        {
            return;
        }
        let (Some(source), Some(destination)) =
            (self.party(resource, &required.from), self.party(resource, &required.to))
        else {
            return;
        };
        let own = |end: &FlowEndpoint| matches!(end, FlowEndpoint::SelfSubnet);
        if let (true, Some(unknown)) = (own(&required.from) || own(&required.to), &self.own_unknown) {
            reporter.undecided(self.subnet.prefixes.place, unknown);
            return;
        }
        let direction = match required.direction {
            FlowDirection::Inbound => Direction::Inbound,
            FlowDirection::Outbound => Direction::Outbound,
        };
        let flow = Flow::new(direction, source, destination).to_ports(required.protocols(), ports.clone());
        let rules = self.without_other_tags(required);
        let outcome = match security::evaluate(&flow, &Layers::subnet(&rules), &self.network) {
            Ok(outcome) => outcome,
            Err(_) => {
                let cause = Cause::Limit("the group's rules are too many to decide this".into());
                let why = Arc::new(Unknown { cause, span: self.group.header.place.site });
                reporter.undecided(self.group.header.place, &why);
                return;
            }
        };
        match outcome.verdict {
            Verdict::Allowed if self.only_by_default(required, &outcome) => {
                self.report(reporter, resource, service, required, &outcome, &ports);
            }
            Verdict::Allowed => reporter.satisfied(),
            Verdict::Blocked => self.report(reporter, resource, service, required, &outcome, &ports),
            // Every port of the list is needed; some of the addresses of a tag are not.
            Verdict::PartlyBlocked if !outcome.blocked_ports.is_empty() => {
                let blocked = outcome.blocked_ports.clone();
                self.report(reporter, resource, service, required, &outcome, &blocked);
            }
            Verdict::PartlyBlocked if required.whole => {
                self.report(reporter, resource, service, required, &outcome, &ports);
            }
            Verdict::PartlyBlocked | Verdict::Undecided => {
                let text =
                    outcome.causes.first().cloned().unwrap_or_else(|| "only part of it is blocked".into());
                let why = Arc::new(Unknown { cause: Cause::Error(text), span: self.group.header.place.site });
                reporter.undecided(self.group.header.place, &why);
            }
        }
    }

    /// A validator that wants a rule of the user's, and a flow that only a default rule lets pass.
    fn only_by_default(&self, required: &RequiredFlow, outcome: &Outcome) -> bool {
        required.explicit_rule_needed
            && required.default_rule.is_some()
            && self.rules.more_rules.is_none()
            && outcome
                .allowed
                .iter()
                .any(|decision| decision.rule.as_ref().is_some_and(|rule| rule.index.is_none()))
    }

    /// The group without what its allows say about the tags of other services. Whose addresses a tag has is not known here, but no
    /// tag covers all of one that it is not documented to contain: such an allow does not let the whole flow pass.
    fn without_other_tags(&self, required: &RequiredFlow) -> Arc<security::input::SecurityGroup> {
        let group = Arc::clone(&self.rules);
        let (end, inbound) = match required.direction {
            FlowDirection::Inbound => (&required.from, true),
            FlowDirection::Outbound => (&required.to, false),
        };
        let FlowEndpoint::Tag { value, .. } = end else { return group };
        let table = service_tags();
        let needed = table.resolve(value);
        let is_service = |name: &tags::TagName| {
            name.parent
                .as_deref()
                .and_then(|parent| table.get(parent))
                .is_some_and(|tag| tag.kind == tags::TagKind::Service && tag.name != tags::AZURE_CLOUD)
        };
        if !is_service(&needed) {
            return group;
        }
        let is_other = |selector: &Selector| {
            let Selector::Tag(text) = selector else { return false };
            let named = table.resolve(text);
            let related = |a: &tags::TagName, b: &tags::TagName| {
                a.parent == b.parent || table.containing(a).contains(&b.name)
            };
            is_service(&named) && !related(&needed, &named) && !related(&named, &needed)
        };
        let is_allow = |rule: &SecurityRule| rule.access.known() == Some(&security::input::Access::Allow);
        let names_other = |rule: &SecurityRule| {
            let selectors = if inbound { &rule.source } else { &rule.destination };
            is_allow(rule) && selectors.iter().any(is_other)
        };
        if !group.rules.iter().any(names_other) {
            return group;
        }
        let mut group = Arc::unwrap_or_clone(group);
        group.rules.retain_mut(|rule| {
            if !is_allow(rule) {
                return true;
            }
            let selectors = if inbound { &mut rule.source } else { &mut rule.destination };
            let had_any = !selectors.is_empty();
            selectors.retain(|selector| !is_other(selector));
            !had_any || !selectors.is_empty()
        });
        Arc::new(group)
    }

    fn party(&self, resource: &ResourceNode, endpoint: &FlowEndpoint) -> Option<Party> {
        Some(match endpoint {
            FlowEndpoint::SelfSubnet => Party::addresses(self.own_addresses.clone()).member_of([]),
            FlowEndpoint::Tag { value, region } => {
                let location = resource.location.known();
                let regional = match (region, location) {
                    (Some(TagRegion::Own), Some(location)) => service_tags().regional(value, location),
                    (Some(TagRegion::Paired | TagRegion::Other), _) => return None,
                    _ => None,
                };
                Party::tag(regional.unwrap_or_else(|| value.as_str().into()))
            }
            FlowEndpoint::Any => Party::new(Selector::Any),
            FlowEndpoint::Ip { value } => Party::addresses(AddressSet::single(*value)),
            FlowEndpoint::PeerSubnet { .. } | FlowEndpoint::Clients | FlowEndpoint::Other { .. } => {
                return None;
            }
        })
    }

    fn report(
        &self,
        reporter: &mut Reporter,
        resource: &ResourceNode,
        service: &Service,
        required: &RequiredFlow,
        outcome: &Outcome,
        ports: &PortSet,
    ) {
        let decision =
            outcome.blocked.iter().find(|decision| !decision.packets.limited_to_ports(ports).is_empty());
        let decider = decision.and_then(|decision| decision.rule.as_ref());
        let rule = decider.and_then(|rule| filters::rule_of(self.group, rule));
        let late =
            rule.and_then(|rule| rule.priority.known()).is_none_or(|priority| *priority > MANAGED_PRIORITY);
        if late && (service.security_group.rules_managed_by_service || required.managed) {
            // The service adds the rule itself, before those of its users.
            reporter.satisfied();
            return;
        }
        let certain_damage =
            matches!(required.if_blocked.kind, Damage::Rejected | Damage::Broken | Damage::Unhealthy);
        let severity = if certain_damage
            && required.level > Level::Recommended
            && required.confidence == Confidence::High
        {
            Severity::Error
        } else {
            Severity::Warning
        };
        let topology = self.topology;
        let direction = match required.direction {
            FlowDirection::Inbound => "inbound",
            FlowDirection::Outbound => "outbound",
        };
        let name = resource.name.known().map_or(resource.key.address.clone(), Clone::clone);
        let message = format!(
            "{} `{name}` needs {direction} {} port {} {}, which {} does not let pass in subnet {}",
            service.name,
            required.protocols(),
            ports,
            other_end(required),
            support::label(topology, &self.group.header),
            support::label(topology, &self.subnet.header),
        );
        let (place, of) = match rule {
            Some(rule) => (rule.access.place, &rule.header.resource_id),
            None => (self.subnet.security_group.place, &self.group.header.resource_id),
        };
        let mut finding = reporter.finding_with(severity, message, place).of(of);
        finding = match (rule, decider) {
            (Some(rule), _) => finding.related_part("this rule drops it", &rule.header),
            (None, Some(default)) => {
                finding.witness(format!("no rule of the group allows it; {} drops it", default.name))
            }
            (None, None) => {
                finding.witness("no rule of the group allows it; Azure wants an explicit one here")
            }
        };
        finding = finding
            .related_part("the group", &self.group.header)
            .related("is attached to the subnet here", self.subnet.security_group.place)
            .related(format!("{} needs the flow", service.name), resource.place);
        if let Some(packet) = decision.and_then(|decision| decision.packets.limited_to_ports(ports).witness())
        {
            finding = finding.witness(format!("packet: {packet}"));
        }
        finding = finding
            .witness(format!("it is for {}; without it: {}", required.purpose, required.if_blocked.symptom));
        let before = rule
            .and_then(|rule| rule.priority.known())
            .map(|priority| format!(" with a priority below {priority}"));
        finding = finding
            .advice(format!(
                "Allow this flow{} in {}.",
                before.unwrap_or_default(),
                support::label(topology, &self.group.header)
            ))
            .fix((required.level > Level::Recommended).then_some(()).and_then(|()| {
                allow_flow::fix(topology, self.group_id, self.subnet, resource, required, rule)
            }))
            .certain_if(
                resource.uncertain.is_none()
                    && self.subnet.header.is_certain()
                    && self.group.header.is_certain()
                    && rule.is_none_or(|rule| rule.header.is_certain()),
            );
        reporter.violated(finding);
    }
}

/// The other end of a flow, for a message.
fn other_end(required: &RequiredFlow) -> String {
    let (word, end) = match required.direction {
        FlowDirection::Inbound => ("from", &required.from),
        FlowDirection::Outbound => ("to", &required.to),
    };
    let what = match end {
        FlowEndpoint::SelfSubnet => "its own subnet".to_string(),
        FlowEndpoint::Tag { value, .. } => format!("the service tag {value}"),
        FlowEndpoint::Any => "anywhere".into(),
        FlowEndpoint::Ip { value } => value.to_string(),
        FlowEndpoint::PeerSubnet { value } | FlowEndpoint::Other { value } => value.clone(),
        FlowEndpoint::Clients => "its clients".into(),
    };
    format!("{word} {what}")
}
