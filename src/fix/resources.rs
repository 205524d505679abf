//! Declarations that are added: links of zones, halves of peerings, security rules.

use crate::finding::NewRule;
use crate::topology::{
    Access, Declared, Direction, Header, Id, Peering, PrivateDnsZone, ResourceId, SecurityGroup,
    VirtualNetwork,
};

use super::document::Dialect;
use super::reference::{Declaration, module, relative};
use super::vocabulary::Vocabulary;
use super::write::{Content, Member, member, text};
use super::{Planner, Written};

/// A declaration to be written.
struct New<'d, 'a> {
    /// What it is put behind.
    behind: &'d Declaration<'a>,
    /// The ARM resource whose child it is.
    parent: &'d Declaration<'a>,
    /// The azurerm type and arguments.
    terraform_type: &'static str,
    terraform: Vec<Member>,
    /// The last segment of the ARM type, and what it has beside its name.
    arm_child: &'static str,
    location: Option<&'static str>,
    properties: Vec<Member>,
    /// ARM: the ids of what is made before it, its parent apart.
    after: Vec<String>,
    /// Its name in Azure.
    name: String,
    /// A name for it in the code, of words.
    label: String,
}

impl<'a> Planner<'a> {
    pub(super) fn link(
        &self,
        zone: Id<PrivateDnsZone>,
        network: Id<VirtualNetwork>,
        awaited_by: Option<ResourceId>,
    ) -> Option<Written> {
        let topology = self.topology();
        let zone_part = &topology[zone];
        let zone = self.managed(&zone_part.header)?;
        let network = self.known(&topology[network].header)?;
        // Beside the zone's other links, if there are any.
        let beside = zone_part
            .links
            .iter()
            .filter(|link| topology[**link].header.declared == Declared::Separate)
            .filter_map(|link| self.declaration(topology[*link].header.resource))
            .rfind(|link| link.can_name(&zone) && link.can_name(&network));
        let behind = beside.as_ref().unwrap_or(&zone);
        if !behind.can_name(&network) || !behind.can_name(&zone) {
            return None;
        }
        let network_id = network.id_expression()?;
        let mut terraform = Vec::new();
        if zone.document.dialect == Dialect::Hcl && self.vocabulary(zone.id)? != Vocabulary::Azapi {
            terraform = vec![
                member("resource_group_name", Content::Expression(zone.attribute("resource_group_name")?)),
                member("private_dns_zone_name", Content::Expression(zone.attribute("name")?)),
                member("virtual_network_id", Content::Expression(network_id.clone())),
            ];
        }
        let id = Content::Object(vec![member("id", Content::Expression(network_id.clone()))]);
        let properties =
            vec![member("registrationEnabled", Content::Plain("false".into())), member("virtualNetwork", id)];
        let label = word(&network);
        let (mut written, expression) = self.declare(New {
            behind,
            parent: &zone,
            terraform_type: "azurerm_private_dns_zone_virtual_network_link",
            terraform,
            arm_child: "virtualNetworkLinks",
            location: Some("global"),
            properties,
            after: vec![network_id],
            name: format!("link-{}", dashed(&label)),
            label,
        })?;
        if let Some(waiting) = awaited_by {
            let waiting = self.declaration(waiting).filter(|waiting| waiting.can_name(behind))?;
            let waits = self.wait_for(&waiting, expression)?;
            written.edits.extend(waits.edits);
            written.changed.extend(waits.changed);
        }
        Some(written)
    }

    pub(super) fn peer_back(&self, peering: Id<Peering>, gateway_transit: bool) -> Option<Written> {
        let topology = self.topology();
        let half = &topology[peering];
        if half.header.declared != Declared::Separate {
            return None;
        }
        let half_declaration = self.managed(&half.header).filter(|half| !half.repeated)?;
        let network = self.managed(&topology[half.network.to()?].header)?;
        let remote = self.managed(&topology[half.remote.to()?].header)?;
        if !half_declaration.can_name(&network) || !half_declaration.can_name(&remote) {
            return None;
        }
        let network_id = network.id_expression()?;
        let mut terraform = Vec::new();
        if remote.document.dialect == Dialect::Hcl && self.vocabulary(remote.id)? != Vocabulary::Azapi {
            terraform = vec![
                member("resource_group_name", Content::Expression(remote.attribute("resource_group_name")?)),
                member("virtual_network_name", Content::Expression(remote.attribute("name")?)),
                member("remote_virtual_network_id", Content::Expression(network_id.clone())),
            ];
            if gateway_transit {
                terraform.push(member("allow_gateway_transit", Content::Plain("true".into())));
            }
        }
        let id = Content::Object(vec![member("id", Content::Expression(network_id.clone()))]);
        let mut properties = vec![
            member("remoteVirtualNetwork", id),
            member("allowVirtualNetworkAccess", Content::Plain("true".into())),
        ];
        if gateway_transit {
            properties.push(member("allowGatewayTransit", Content::Plain("true".into())));
        }
        let (from, to) = (word(&remote), word(&network));
        self.declare(New {
            behind: &half_declaration,
            parent: &remote,
            terraform_type: "azurerm_virtual_network_peering",
            terraform,
            arm_child: "virtualNetworkPeerings",
            location: None,
            properties,
            after: vec![network_id],
            name: format!("{}-to-{}", dashed(&from), dashed(&to)),
            label: format!("{from}_to_{to}"),
        })
        .map(|(written, _)| written)
    }

    pub(super) fn add_rule(&self, group: Id<SecurityGroup>, rule: &NewRule) -> Option<Written> {
        let group = &self.topology()[group];
        let separate = group
            .rules
            .known()
            .filter(|own| own.header.declared == Declared::Separate)
            .filter_map(|own| self.declaration(own.header.resource))
            .last();
        let Some(behind) = separate else {
            let part = self.part(&group.header)?;
            let mut terraform = vec![member("name", text(rule.name.as_str()))];
            terraform.extend(terraform_rule(rule));
            let element = Content::Object(vec![
                member("name", text(rule.name.as_str())),
                member("properties", Content::Object(arm_rule(rule))),
            ]);
            return part.merge_properties(
                vec![member("security_rule", Content::Block(terraform))],
                vec![member("securityRules", Content::Element(Box::new(element)))],
            );
        };
        let parent = self.managed(&group.header)?;
        if !behind.can_name(&parent) {
            return None;
        }
        let mut terraform = Vec::new();
        if parent.document.dialect == Dialect::Hcl && self.vocabulary(parent.id)? != Vocabulary::Azapi {
            terraform = terraform_rule(rule);
            terraform.push(member(
                "resource_group_name",
                Content::Expression(parent.attribute("resource_group_name")?),
            ));
            terraform
                .push(member("network_security_group_name", Content::Expression(parent.attribute("name")?)));
        }
        self.declare(New {
            behind: &behind,
            parent: &parent,
            terraform_type: "azurerm_network_security_rule",
            terraform,
            arm_child: "securityRules",
            location: None,
            properties: arm_rule(rule),
            after: Vec::new(),
            name: rule.name.to_string(),
            label: snake(&rule.name),
        })
        .map(|(written, _)| written)
    }

    /// The declaration of a part that is made here as a resource of its own.
    fn managed(&self, header: &Header) -> Option<Declaration<'a>> {
        let separate = header.declared == Declared::Separate;
        self.declaration(header.resource).filter(|_| separate)
    }

    /// The declaration of a part that is made or looked up here.
    fn known(&self, header: &Header) -> Option<Declaration<'a>> {
        let here = matches!(header.declared, Declared::Separate | Declared::LookedUp);
        self.declaration(header.resource).filter(|_| here)
    }

    /// The edits, and how the new declaration is named in `depends_on` or `dependsOn`.
    fn declare(&self, new: New<'_, 'a>) -> Option<(Written, String)> {
        let vocabulary = self.vocabulary(new.parent.id)?;
        let document = &new.behind.document;
        let name;
        let edits = match (document.dialect, vocabulary) {
            (Dialect::Hcl, Vocabulary::Azurerm(_)) => {
                let label = self.free_label(&new, new.terraform_type)?;
                let mut members = vec![member("name", text(new.name.as_str()))];
                if let Some(provider) = new.parent.expression("provider") {
                    members.insert(0, member("provider", Content::Expression(provider)));
                }
                members.extend(new.terraform.iter().cloned());
                name = format!("{}.{label}", new.terraform_type);
                block(&new, new.terraform_type, &label, members)?
            }
            (Dialect::Hcl, Vocabulary::Azapi) => {
                let label = self.free_label(&new, "azapi_resource")?;
                let kind = format!("{}/{}", arm_type(new.parent)?, new.arm_child);
                let version = new.parent.api_version()?;
                let mut members = vec![
                    member("type", text(format!("{kind}@{version}"))),
                    member("name", text(new.name.as_str())),
                    member("parent_id", Content::Expression(new.parent.attribute("id")?)),
                ];
                if let Some(location) = new.location {
                    members.push(member("location", text(location)));
                }
                let properties = member("properties", Content::Object(new.properties.clone()));
                members.push(member("body", Content::Object(vec![properties])));
                name = format!("azapi_resource.{label}");
                block(&new, "azapi_resource", &label, members)?
            }
            (Dialect::Bicep, _) => {
                let symbol = free_symbol(&new);
                name = symbol.clone();
                let kind = format!("{}/{}", new.parent.resource.resource_type, new.arm_child);
                let version = new.parent.api_version()?;
                let mut members = vec![
                    member("parent", Content::Expression(new.parent.symbol.clone()?)),
                    member("name", text(new.name.as_str())),
                ];
                if let Some(location) = new.location {
                    members.push(member("location", text(location)));
                }
                members.push(member("properties", Content::Object(new.properties.clone())));
                document.add_behind(new.behind.outer, |layout, indent| {
                    let body = layout.value(&Content::Object(members), indent);
                    format!("resource {symbol} '{kind}@{version}' = {body}")
                })?
            }
            (Dialect::ArmJson, _) => {
                let kind = format!("{}/{}", new.parent.resource.resource_type, new.arm_child);
                let version = new.parent.api_version()?;
                let mut depends = vec![Content::Expression(new.parent.id_expression()?)];
                depends.extend(new.after.iter().map(|id| Content::Expression(id.clone())));
                depends.dedup();
                let names = new.parent.name_expressions()?.join(", ");
                name = format!("resourceId('{kind}', {names}, '{}')", new.name);
                let mut members = vec![
                    member("type", text(kind)),
                    member("apiVersion", text(version)),
                    member("name", child_name(new.parent, &new.name)?),
                ];
                if let Some(location) = new.location {
                    members.push(member("location", text(location)));
                }
                members.push(member("dependsOn", Content::List(depends)));
                members.push(member("properties", Content::Object(new.properties.clone())));
                // Resources with symbolic names are members of an object.
                let symbolic = document.text().get(new.behind.outer.0..)?.starts_with('"');
                let symbol = free_symbol(&new);
                document.add_behind(new.behind.outer, |layout, indent| {
                    let body = layout.value(&Content::Object(members), indent);
                    if symbolic { format!("\"{symbol}\": {body}") } else { body }
                })?
            }
            _ => return None,
        };
        // It is made as often as its parent is.
        let changed = vec![new.parent.id];
        Some((Written::to(document, edits, changed), name))
    }

    /// A label that no resource of the type has in the module, the wanted one if it is free.
    fn free_label(&self, new: &New<'_, 'a>, terraform_type: &str) -> Option<String> {
        let own = new.behind.resource;
        let taken = |label: &str| {
            self.input.configuration.resources.iter().any(|other| {
                other.key.root == own.key.root
                    && module(other) == module(own)
                    && relative(other)
                        .strip_prefix(terraform_type)
                        .and_then(|rest| rest.strip_prefix('.'))
                        .is_some_and(|rest| rest.split('[').next() == Some(label))
            })
        };
        free(&new.label, taken)
    }
}

fn block(
    new: &New<'_, '_>,
    kind: &str,
    label: &str,
    members: Vec<Member>,
) -> Option<Vec<super::patch::Edit>> {
    new.behind.document.add_behind(new.behind.outer, |layout, indent| {
        let body = layout.value(&Content::Block(members), indent);
        format!("resource \"{kind}\" \"{label}\" {body}")
    })
}

/// A symbolic name that nothing in the file has.
fn free_symbol(new: &New<'_, '_>) -> String {
    let text = new.behind.document.text();
    let wanted = camel(&format!("{}_{}", new.label, singular(new.arm_child)));
    let taken = |symbol: &str| {
        text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
            .any(|word| word.eq_ignore_ascii_case(symbol))
    };
    free(&wanted, taken).unwrap_or(wanted)
}

fn singular(child: &str) -> &str {
    match child {
        "virtualNetworkLinks" => "link",
        "virtualNetworkPeerings" => "peering",
        _ => "rule",
    }
}

fn free(wanted: &str, taken: impl Fn(&str) -> bool) -> Option<String> {
    if !taken(wanted) {
        return Some(wanted.to_string());
    }
    (2..1000).map(|number| format!("{wanted}_{number}")).find(|label| !taken(label))
}

/// The ARM type of an azapi resource or template resource.
fn arm_type(declaration: &Declaration<'_>) -> Option<String> {
    Some(declaration.own("type")?.split('@').next()?.to_string())
}

/// ARM: the full name of a child.
fn child_name(parent: &Declaration<'_>, name: &str) -> Option<Content> {
    let names = parent.name_expressions()?;
    let literal: Option<Vec<&str>> = names
        .iter()
        .map(|name| name.strip_prefix('\'')?.strip_suffix('\'').filter(|name| !name.contains('\'')))
        .collect();
    if let Some(literal) = literal {
        return Some(text(format!("{}/{name}", literal.join("/"))));
    }
    let holes: Vec<String> = (0..names.len()).map(|index| format!("{{{index}}}")).collect();
    Some(Content::Expression(format!("format('{}/{name}', {})", holes.join("/"), names.join(", "))))
}

/// A word for a declaration: its label or symbol, else what its name has of letters.
fn word(declaration: &Declaration<'_>) -> String {
    match declaration.document.dialect {
        Dialect::Hcl | Dialect::TerraformJson => {
            let label = relative(declaration.resource).rsplit('.').next().unwrap_or("");
            label.split('[').next().unwrap_or("").to_string()
        }
        Dialect::Bicep => {
            let symbol = declaration.symbol.as_deref().unwrap_or("");
            snake(symbol.rsplit("::").next().unwrap_or(symbol))
        }
        Dialect::ArmJson => {
            let name = declaration.own("name").unwrap_or_default();
            let inner = name.split('\'').nth(1).unwrap_or(&name);
            snake(inner.rsplit('/').next().unwrap_or(inner))
        }
    }
}

/// `AllowPostgres-5432` as `allow_postgres_5432`.
fn snake(name: &str) -> String {
    let mut word = String::new();
    let mut lower = false;
    for character in name.chars() {
        if character.is_ascii_uppercase() && lower {
            word.push('_');
        }
        lower = character.is_ascii_lowercase() || character.is_ascii_digit();
        if character.is_ascii_alphanumeric() {
            word.push(character.to_ascii_lowercase());
        } else if !word.ends_with('_') && !word.is_empty() {
            word.push('_');
        }
    }
    let word = word.trim_end_matches('_').to_string();
    if word.starts_with(|c: char| c.is_ascii_alphabetic()) { word } else { format!("n{word}") }
}

fn dashed(label: &str) -> String {
    label.replace('_', "-")
}

fn camel(label: &str) -> String {
    let mut word = String::new();
    for (index, part) in label.split('_').filter(|part| !part.is_empty()).enumerate() {
        let mut letters = part.chars();
        match letters.next() {
            Some(first) if index > 0 => word.push(first.to_ascii_uppercase()),
            Some(first) => word.push(first),
            None => {}
        }
        word.push_str(letters.as_str());
    }
    word
}

fn direction(rule: &NewRule) -> Content {
    text(match rule.direction {
        Direction::Inbound => "Inbound",
        Direction::Outbound => "Outbound",
    })
}

fn access(rule: &NewRule) -> Content {
    text(match rule.access {
        Access::Allow => "Allow",
        Access::Deny => "Deny",
    })
}

fn terraform_rule(rule: &NewRule) -> Vec<Member> {
    vec![
        member("priority", Content::Plain(rule.priority.to_string())),
        member("direction", direction(rule)),
        member("access", access(rule)),
        member("protocol", text(rule.protocol.as_str())),
        member("source_port_range", text("*")),
        ports(rule, "destination_port_range"),
        member("source_address_prefix", text(rule.source.as_str())),
        member("destination_address_prefix", text(rule.destination.as_str())),
    ]
}

fn arm_rule(rule: &NewRule) -> Vec<Member> {
    vec![
        member("priority", Content::Plain(rule.priority.to_string())),
        member("direction", direction(rule)),
        member("access", access(rule)),
        member("protocol", text(rule.protocol.as_str())),
        member("sourcePortRange", text("*")),
        ports(rule, "destinationPortRange"),
        member("sourceAddressPrefix", text(rule.source.as_str())),
        member("destinationAddressPrefix", text(rule.destination.as_str())),
    ]
}

fn ports(rule: &NewRule, name: &str) -> Member {
    match rule.ports.as_slice() {
        [port] => member(name, text(port.as_str())),
        ports => {
            let ports = ports.iter().map(|port| text(port.as_str())).collect();
            member(format!("{name}s"), Content::List(ports))
        }
    }
}
