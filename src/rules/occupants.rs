//! What the rules on delegation and sharing ask of a subnet's occupants.

use crate::azure::occupants::{self, Occupant};
use crate::topology::{Id, Occupancy, ResourceNode, Subnet, Topology};
use crate::value::ResourceKey;

const API_MANAGEMENT: &str = "Microsoft.ApiManagement/service";

/// What subnets of the newer tiers of API Management are delegated to: for integration, and for injection.
/// Sources: <https://learn.microsoft.com/azure/api-management/integrate-vnet-outbound>,
/// <https://learn.microsoft.com/azure/api-management/inject-vnet-v2>.
const NEWER_API_MANAGEMENT: [&str; 2] = ["Microsoft.Web/serverFarms", "Microsoft.Web/hostingEnvironments"];

/// An occupant of a subnet with its row of the knowledge base.
#[derive(Clone, Copy)]
pub struct Resident<'a> {
    /// The use of the subnet.
    pub occupancy: &'a Occupancy,
    /// The resource that uses it.
    pub resource: &'a ResourceNode,
    /// What is known of its kind.
    pub row: &'static Occupant,
}

impl Resident<'_> {
    /// Whether it certainly exists after deployment and is made here.
    pub fn is_certain(&self) -> bool {
        self.resource.uncertain.is_none() && self.resource.mode == crate::resource::Mode::Managed
    }

    /// What it is and what it is called: "PostgreSQL flexible server `psql-orders`".
    pub fn label(&self) -> String {
        match self.resource.name.known() {
            Some(name) => format!("{} `{name}`", self.row.name()),
            None => format!("{} `{}`", self.row.name(), self.resource.key.address),
        }
    }

    /// Whether a delegation to a service is meant for this occupant.
    pub fn fits(&self, service: &str) -> bool {
        let same = |name: &str| name.eq_ignore_ascii_case(service);
        self.row.delegation.as_deref().is_some_and(same)
            || same(&self.row.arm_type)
            || belongs(&self.row.arm_type, service)
            || (self.row.arm_type.eq_ignore_ascii_case(API_MANAGEMENT)
                && !self.is_classic_api_management()
                && NEWER_API_MANAGEMENT.iter().any(|own| same(own)))
    }

    /// Whether it is an API Management service of a tier that is injected as machines. Tiers that are not known do not count.
    pub fn is_classic_api_management(&self) -> bool {
        if !self.row.arm_type.eq_ignore_ascii_case(API_MANAGEMENT) {
            return false;
        }
        // azurerm joins tier and units: `Premium_2`.
        let tier = self.resource.values(&["sku_name"], &["sku.name"]);
        let tier = tier.found.first().and_then(|(value, _)| value.as_str()).unwrap_or("");
        let tier = tier.split('_').next().unwrap_or("");
        ["Developer", "Premium"].iter().any(|classic| classic.eq_ignore_ascii_case(tier))
    }
}

/// Whether an ARM type lies below the type that a service is named after: `Microsoft.Network/dnsResolvers/inboundEndpoints`
/// below `Microsoft.Network/dnsResolvers`.
fn belongs(arm_type: &str, service: &str) -> bool {
    arm_type.len() > service.len()
        && arm_type.is_char_boundary(service.len())
        && arm_type[..service.len()].eq_ignore_ascii_case(service)
        && arm_type[service.len()..].starts_with('/')
}

/// What an App Service plan is recognised by.
#[derive(PartialEq)]
pub enum Plan {
    /// A resource of the input.
    Resource(ResourceKey),
    /// Another one, by its name.
    Named(String),
}

/// How far an integration names its app, and a slot the app that it is of.
const STEPS: usize = 3;

/// The plan that an app, a slot or a network integration of one runs on; `None` where it is not known.
pub fn plan_of(topology: &Topology, resource: &ResourceNode, depth: usize) -> Option<Plan> {
    if depth > STEPS {
        return None;
    }
    let own = resource.values(&["service_plan_id", "app_service_plan_id"], &["properties.serverFarmId"]);
    if let Some((value, _)) = own.found.first() {
        if let Some(reference) = value.as_reference() {
            return Some(Plan::Resource(reference.target.clone()));
        }
        let name = value.as_str()?.rsplit('/').next()?.to_ascii_lowercase();
        return (!name.is_empty()).then_some(Plan::Named(name));
    }
    let of_app = resource.values(&["app_service_id"], &[]);
    let target = &of_app.found.first()?.0.as_reference()?.target;
    let app = topology.resources.iter().find(|other| other.key == *target)?;
    plan_of(topology, app, depth + 1)
}

/// The occupants of a subnet, each use once, in the order of the model.
pub fn of_subnet<'a>(topology: &'a Topology, subnet: &Subnet) -> Vec<Resident<'a>> {
    subnet.occupancies.iter().filter_map(|id| resident(topology, *id)).collect()
}

/// An occupancy with its row; `None` for a kind that is not in the table.
pub fn resident(topology: &Topology, id: Id<Occupancy>) -> Option<Resident<'_>> {
    let occupancy = &topology[id];
    let row = occupants::of_kind(&occupancy.kind)?;
    Some(Resident { occupancy, resource: &topology[occupancy.resource], row })
}
