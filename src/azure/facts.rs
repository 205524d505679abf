//! What the knowledge base knows of a service, from all its tables, each fact with where it is from: `portolan facts`.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::flows::{FlowDirection, FlowEndpoint, RequiredFlow, TagRegion};
use super::{
    Confidence, Sources, address_needs, delegations, flows, network_settings, occupants, private_dns_zones,
    private_endpoint_companions, private_endpoint_targets, regional, reserved_ranges, reserved_subnets,
    routes, service_endpoints, subnet_sizes,
};

/// One fact.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct Fact {
    /// What it is about.
    pub topic: &'static str,
    /// The fact, in words.
    pub fact: String,
    /// Where it is from; never empty.
    pub sources: Vec<String>,
    /// How sure it is: `low`, `medium`, `high`.
    pub confidence: &'static str,
}

/// A service: everything under one ARM type.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Service {
    /// The ARM type.
    pub arm_type: String,
    /// What people call it.
    pub names: BTreeSet<String>,
    /// The azurerm types that make one.
    pub terraform_types: BTreeSet<String>,
    /// What its subnets are delegated to, and the names that they must have.
    pub subnets: BTreeSet<String>,
    /// What is known.
    pub facts: Vec<Fact>,
}

/// All services, in the order of their ARM types.
pub fn services() -> Vec<Service> {
    let mut collected = Collected::default();
    occupants_of(&mut collected);
    flows_of(&mut collected);
    private_links_of(&mut collected);
    for row in service_endpoints::all() {
        let service = collected.service(&row.arm_type);
        service.names.insert(row.name.clone());
        service.terraform_types.extend(row.terraform.iter().map(|rule| rule.resource_type.to_string()));
        let note = row.note.as_ref().map(|note| format!(" ({note})")).unwrap_or_default();
        let fact = format!("its network rules know a subnet by {}{note}", row.endpoints.join(" or "));
        service.say("service endpoint", fact, &row.sources, row.confidence);
    }
    for row in regional::all() {
        collected.service(&row.arm_type).say(
            "region",
            "it is in the region of its network".into(),
            &row.sources,
            row.confidence,
        );
    }
    collected.0.into_values().collect()
}

/// The services that a text names: by ARM type, azurerm type, delegation, subnet name or the name that people use, in any
/// case; else those of which it is a part.
pub fn find(wanted: &str) -> Vec<Service> {
    let wanted = wanted.trim().to_lowercase();
    let all = services();
    let is =
        |service: &Service, fits: &dyn Fn(&str) -> bool| service.keys().any(|key| fits(&key.to_lowercase()));
    let exact: Vec<Service> =
        all.iter().filter(|service| is(service, &|key| key == wanted)).cloned().collect();
    if !exact.is_empty() || wanted.len() < 3 {
        return exact;
    }
    let words: Vec<&str> = wanted.split_whitespace().collect();
    all.into_iter()
        .filter(|service| is(service, &|key| words.iter().all(|word| key.contains(word))))
        .collect()
}

/// Names of services that are like a text.
pub fn similar(wanted: &str) -> Vec<String> {
    let wanted = wanted.to_lowercase();
    let letters: BTreeSet<(char, char)> = pairs(&wanted);
    let mut scored: Vec<(usize, String)> = services()
        .iter()
        .flat_map(|service| service.keys().map(str::to_string).collect::<Vec<_>>())
        .map(|key| (pairs(&key.to_lowercase()).intersection(&letters).count() * 100 / (key.len() + 4), key))
        .filter(|(score, _)| *score >= 30)
        .collect();
    scored.sort_by(|a, b| b.0.cmp(&a.0).then_with(|| a.1.cmp(&b.1)));
    scored.dedup_by(|a, b| a.1.eq_ignore_ascii_case(&b.1));
    scored.into_iter().take(5).map(|(_, key)| key).collect()
}

/// The pairs of letters that follow each other in a text.
fn pairs(text: &str) -> BTreeSet<(char, char)> {
    text.chars().zip(text.chars().skip(1)).collect()
}

impl Service {
    /// Everything that names it.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        std::iter::once(self.arm_type.as_str())
            .chain(self.names.iter().map(String::as_str))
            .chain(self.terraform_types.iter().map(String::as_str))
            .chain(self.subnets.iter().map(String::as_str))
    }

    fn say(&mut self, topic: &'static str, fact: String, sources: &[String], confidence: Confidence) {
        let confidence = match confidence {
            Confidence::Low => "low",
            Confidence::Medium => "medium",
            Confidence::High => "high",
        };
        let fact = Fact { topic, fact, sources: sources.to_vec(), confidence };
        if !self.facts.contains(&fact) {
            self.facts.push(fact);
        }
    }
}

/// Services by their ARM types in lower case.
#[derive(Default)]
struct Collected(BTreeMap<String, Service>);

impl Collected {
    fn service(&mut self, arm_type: &str) -> &mut Service {
        let entry = self.0.entry(arm_type.to_lowercase()).or_default();
        if entry.arm_type.is_empty() {
            entry.arm_type = arm_type.to_string();
        }
        entry
    }
}

fn occupants_of(collected: &mut Collected) {
    for row in occupants::all() {
        let service = collected.service(&row.arm_type);
        service.names.insert(row.name().to_string());
        service
            .terraform_types
            .extend(row.terraform.iter().map(|attribute| attribute.resource_type.to_string()));
        service.subnets.extend(row.delegation.iter().chain(&row.subnet_name).map(|name| name.to_string()));
        if let Some(delegation) = &row.delegation {
            let when = row.delegation_condition.as_ref().map(|when| format!(", {when}")).unwrap_or_default();
            let fact = format!("its subnet is delegated to {delegation}{when}");
            service.say("delegation", fact, &row.sources, row.confidence);
        }
        if row.refuses_delegation {
            let fact = "it is refused in a delegated subnet".to_string();
            service.say("delegation", fact, &row.sources, row.confidence);
        }
        if let Some(sharing) = row.sharing {
            service.say("sharing", shares(sharing).to_string(), &row.sources, row.confidence);
        }
        if let Some(name) = &row.subnet_name {
            service.say("subnet name", format!("its subnet is named `{name}`"), &row.sources, row.confidence);
        }
        if let Some(row) = row.delegation.as_deref().and_then(delegations::find) {
            if let Some(length) = row.minimum_prefix_length {
                let enforced = if row.minimum_is_enforced { "" } else { ", as advice" };
                service.say(
                    "subnet size",
                    format!("a delegated subnet is a /{length} or larger{enforced}"),
                    &row.sources,
                    row.confidence,
                );
            }
            if row.several_instances == Some(false) {
                let fact = "a delegated subnet takes one instance".to_string();
                service.say("sharing", fact, &row.sources, row.confidence);
            }
        }
        for size in subnet_sizes::all().iter().filter(|size| size.kind.as_deref() == Some(&row.kind)) {
            let fact = format!("its subnet is a /{} or larger", size.minimum);
            service.say("subnet size", fact, &size.sources, size.confidence);
        }
        if let Some(size) = row.subnet_name.as_deref().and_then(subnet_sizes::of_name) {
            let fact = format!("its subnet is a /{} or larger", size.minimum);
            service.say("subnet size", fact, &size.sources, size.confidence);
        }
        if let Some(need) = address_needs::of_kind(&row.kind) {
            let available =
                need.highly_available.map(|n| format!(", {n} when highly available")).unwrap_or_default();
            let fact = format!("an instance takes {} addresses{available}", need.each);
            service.say("addresses", fact, &need.sources, need.confidence);
        }
        for ranges in reserved_ranges::of_kind(&row.kind) {
            let fact = format!("its subnet may not use {}", ranges.text);
            service.say("addresses", fact, &ranges.sources, ranges.confidence);
        }
        for reserved in
            reserved_subnets::all().iter().filter(|r| r.occupants.iter().any(|kind| *kind == row.kind))
        {
            let fact = format!(
                "`{}` is kept for {}; a network has {}",
                reserved.name, reserved.service, reserved.count
            );
            service.say("reserved subnet", fact, &reserved.sources, reserved.confidence);
            if let Some(allowed) = reserved.nat_gateway {
                let fact = format!(
                    "a NAT gateway {} be on `{}`",
                    if allowed { "may" } else { "may not" },
                    reserved.name
                );
                service.say("reserved subnet", fact, &reserved.sources, reserved.nat_gateway_confidence());
            }
            for rule in routes::route_facts().for_subnet(&reserved.name) {
                let sources = named(&routes::route_facts().sources, &rule.source);
                service.say("routes", rule.rule.clone(), &sources, rule.confidence);
            }
        }
    }
}

fn shares(sharing: occupants::Sharing) -> &'static str {
    use occupants::Sharing;
    match sharing {
        Sharing::Ordinary => "it shares its subnet with anything that needs none to itself",
        Sharing::Dedicated => "it shares its subnet with its like only",
        Sharing::DedicatedSingle => "it shares its subnet with nothing, not even a second instance",
        Sharing::ApplicationGatewaysOnly => "it shares its subnet with other application gateways only",
        Sharing::GatewaysOnly => "it shares its subnet with the network's other gateways only",
        Sharing::AksApiServerOnly => {
            "it shares its subnet with API servers of other clusters of the network only"
        }
        Sharing::OneAppServicePlan => "it shares its subnet with the apps of one App Service plan",
        Sharing::FlexConsumptionAppsOnly => "it shares its subnet with other Flex Consumption apps only",
    }
}

fn flows_of(collected: &mut Collected) {
    let table = flows::required_flows();
    for row in &table.services {
        for arm_type in &row.arm_types {
            let service = collected.service(arm_type);
            service.names.extend([row.name.clone(), row.id.clone()]);
            service.terraform_types.extend(row.terraform_types.iter().cloned());
            for flow in &row.flows {
                let sources = named(&table.sources, &flow.source);
                service.say("required flow", flow_text(row, flow), &sources, flow.confidence);
            }
            for prohibition in &row.prohibitions {
                let sources = named(&table.sources, &prohibition.source);
                let fact = format!("not allowed: {}", prohibition.what);
                service.say("security group", fact, &sources, prohibition.confidence);
            }
            for rule in routes::route_facts().for_service(&row.id) {
                let sources = named(&routes::route_facts().sources, &rule.source);
                service.say("routes", rule.rule.clone(), &sources, rule.confidence);
            }
        }
    }
}

/// The sources under a key.
fn named(sources: &Sources, key: &str) -> Vec<String> {
    sources.get(key).unwrap_or(&[]).to_vec()
}

fn flow_text(service: &flows::Service, flow: &RequiredFlow) -> String {
    let direction = match flow.direction {
        FlowDirection::Inbound => "inbound",
        FlowDirection::Outbound => "outbound",
    };
    let condition = flow.condition.as_ref().map(|when| format!("; when: {when}")).unwrap_or_default();
    format!(
        "{} ({}): {direction} {} {} from {} to {}, for {}{condition}",
        flow.id,
        service.applies_when,
        flow.protocol,
        flow.ports.join(", "),
        end(&flow.from),
        end(&flow.to),
        flow.purpose,
    )
}

fn end(endpoint: &FlowEndpoint) -> String {
    match endpoint {
        FlowEndpoint::SelfSubnet => "its subnet".into(),
        FlowEndpoint::PeerSubnet { value } | FlowEndpoint::Other { value } => value.clone(),
        FlowEndpoint::Tag { value, region } => match region {
            None => value.clone(),
            Some(TagRegion::Own) => format!("{value} of its region"),
            Some(TagRegion::Paired) => format!("{value} of the paired region"),
            Some(TagRegion::Other) => format!("{value} of other regions"),
        },
        FlowEndpoint::Any => "anywhere".into(),
        FlowEndpoint::Clients => "its clients".into(),
        FlowEndpoint::Ip { value } => value.to_string(),
    }
}

fn private_links_of(collected: &mut Collected) {
    for row in private_dns_zones::all() {
        let service = collected.service(&row.arm_type);
        service.names.insert(row.service.clone());
        for (cloud, zones) in &row.zones {
            let joined = zones.join(if row.all_zones_required { " and " } else { " or " });
            let fact = format!("`{}` resolves through {joined} ({cloud})", row.group_ids.join("`, `"));
            service.say("private endpoint", fact, &row.sources, row.confidence);
        }
    }
    for row in private_endpoint_targets::all() {
        let fact = format!("no private endpoint for one that {}", row.what);
        collected.service(&row.arm_type).say("private endpoint", fact, &row.sources, row.confidence);
    }
    for row in network_settings::all() {
        let fact = format!("not one that {}", row.what);
        collected.service(&row.arm_type).say("network settings", fact, &row.sources, row.confidence);
    }
    for row in private_endpoint_companions::all() {
        let fact = format!("`{}` needs an endpoint for `{}` too: {}", row.group, row.needs, row.because);
        collected.service(&row.arm_type).say("private endpoint", fact, &row.sources, row.confidence);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn every_fact_has_a_source() {
        for service in services() {
            for fact in &service.facts {
                assert!(!fact.sources.is_empty(), "{}: {}", service.arm_type, fact.fact);
                assert!(fact.sources.iter().all(|source| !source.trim().is_empty()), "{}", service.arm_type);
            }
        }
    }

    /// Every table, row by row: what says how sure it is also says where it is from.
    #[test]
    fn every_row_of_every_table_has_a_source() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/azure/data");
        let mut count = 0;
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let table: Value = serde_json::from_str(&std::fs::read_to_string(&path).unwrap()).unwrap();
            let known = table.get("sources").and_then(Value::as_object).cloned().unwrap_or_default();
            walk(&table, &known, &path.display().to_string(), &mut count);
            for row in table.get("rows").and_then(Value::as_array).into_iter().flatten() {
                let of_types = path.ends_with("resource_types.json");
                let sourced = row.get("sources").or_else(|| row.get("source")).is_some();
                assert!(of_types || sourced, "{}: {row}", path.display());
            }
        }
        assert!(count > 800, "{count}");
    }

    fn walk(value: &Value, known: &serde_json::Map<String, Value>, path: &str, count: &mut usize) {
        match value {
            Value::Array(items) => items.iter().for_each(|item| walk(item, known, path, count)),
            Value::Object(entries) => {
                if entries.contains_key("confidence") {
                    *count += 1;
                    let listed = entries.get("sources").and_then(Value::as_array);
                    let keyed = entries.get("source").and_then(Value::as_str);
                    let has_list = listed.is_some_and(|list| !list.is_empty());
                    let has_key = keyed.is_some_and(|key| known.contains_key(key));
                    assert!(has_list || has_key, "{path}: no source: {value}");
                }
                entries.values().for_each(|entry| walk(entry, known, path, count));
            }
            _ => {}
        }
    }

    #[test]
    fn services_are_found_by_every_name() {
        for name in [
            "microsoft.dbforpostgresql/FLEXIBLESERVERS",
            "azurerm_postgresql_flexible_server",
            "PostgreSQL flexible server",
            "postgresql-flexible",
        ] {
            let found = find(name);
            assert_eq!(found.len(), 1, "{name}");
            let topics: BTreeSet<&str> = found[0].facts.iter().map(|fact| fact.topic).collect();
            for topic in ["delegation", "required flow", "private endpoint", "routes", "subnet size"] {
                assert!(topics.contains(topic), "{name}: {topic}");
            }
        }
        assert!(
            find("GatewaySubnet").iter().any(|service| service.arm_type.ends_with("virtualNetworkGateways"))
        );
        assert!(find("bastion").iter().any(|service| service.arm_type.ends_with("bastionHosts")));
        assert!(find("no such thing").is_empty());
        assert!(
            similar("azurerm_postgres_flexible_server")
                .iter()
                .any(|name| name.contains("postgresql_flexible"))
        );
    }
}
