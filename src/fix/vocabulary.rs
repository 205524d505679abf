//! How a change to the model is written in the vocabulary of a resource.

use std::collections::BTreeSet;
use std::sync::Arc;

use ecow::EcoString;

use crate::azure::delegations;
use crate::finding::Change;
use crate::resource::Schema;
use crate::source::Span;
use crate::topology::{Declared, Header, Place, ResourceId};

use super::document::{Dialect, Document, Entry, Object};
use super::reference::Declaration;
use super::write::{Content, Member, member, text};
use super::{Planner, Written};

/// In whose words a resource is written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Vocabulary {
    /// azurerm, with its major version where it is known.
    Azurerm(Option<u8>),
    /// azapi: ARM's words inside the argument `body`.
    Azapi,
    /// ARM.
    Arm,
}

/// A part of the model in its file.
pub(super) struct Part {
    pub document: Arc<Document>,
    /// The block or object, or the member that holds it.
    pub span: Span,
    pub vocabulary: Vocabulary,
    pub inline: bool,
    pub resource: ResourceId,
}

impl Part {
    /// Adds what ARM's words say.
    fn merge_arm(&self, members: Vec<Member>) -> Option<Written> {
        if self.vocabulary == Vocabulary::Azapi && !self.inline {
            return self.merge(vec![member("body", Content::Object(members))]);
        }
        self.merge(members)
    }

    pub(super) fn merge(&self, members: Vec<Member>) -> Option<Written> {
        let node = self.document.node(self.span)?;
        let edits = self.document.merge(node, &members)?;
        Some(Written::to(&self.document, edits, vec![self.resource]))
    }

    /// Adds to `properties` in ARM's words, or to the arguments in azurerm's.
    pub(super) fn merge_properties(&self, azurerm: Vec<Member>, arm: Vec<Member>) -> Option<Written> {
        match self.vocabulary {
            Vocabulary::Azurerm(_) => self.merge(azurerm),
            Vocabulary::Azapi | Vocabulary::Arm => {
                self.merge_arm(vec![member("properties", Content::Object(arm))])
            }
        }
    }

    /// Whether the part has a member of a name already.
    fn has(&self, name: &str) -> bool {
        let object = self.document.node(self.span).and_then(|node| node.object());
        object.is_some_and(|object| object.entry(name).is_some())
    }
}

impl Planner<'_> {
    /// In whose words a resource is written.
    pub(super) fn vocabulary(&self, id: ResourceId) -> Option<Vocabulary> {
        let resource = self.resource(id)?;
        Some(match resource.schema {
            Schema::Arm => Vocabulary::Arm,
            Schema::Terraform { .. } if resource.resource_type.starts_with("azapi_") => Vocabulary::Azapi,
            Schema::Terraform { azurerm_major } => Vocabulary::Azurerm(azurerm_major),
        })
    }

    /// A part in its file, if it is made here and the file may be edited.
    pub(super) fn part(&self, header: &Header) -> Option<Part> {
        let resource = self.resource(header.resource)?;
        let inline = header.declared == Declared::Inline;
        let span = match header.declared {
            Declared::Separate => resource.span,
            Declared::Inline => header.place.site,
            Declared::LookedUp | Declared::Elsewhere => return None,
        };
        let document = self.document(span.file)?;
        let vocabulary = self.vocabulary(header.resource)?;
        if inline && !resource.span.contains(span) {
            return None;
        }
        Some(Part { document, span, vocabulary, inline, resource: header.resource })
    }

    /// What a change comes to; `None` when it cannot be written down.
    pub(super) fn write(&self, change: &Change) -> Option<Written> {
        let topology = self.topology();
        match change {
            Change::Replace { place, from, to } => self.replace(*place, from, &text(to.as_str())),
            Change::Split { place, from, to } => self.split(*place, from, to),
            Change::Remove { place } => self.remove(*place),
            Change::Drop { resource } => self.drop_resource(*resource),
            Change::Delegate { subnet, service } => self.delegate(&topology[*subnet].header, service),
            Change::Redelegate { delegation, from, to } => self.redelegate(*delegation, from, to),
            Change::AddServiceEndpoint { subnet, endpoint } => {
                self.add_service_endpoint(&topology[*subnet].header, endpoint)
            }
            Change::AllowGatewayTransit { peering } => {
                let part = self.part(&topology[*peering].header)?;
                let yes = || Content::Plain("true".into());
                part.merge_properties(
                    vec![member("allow_gateway_transit", yes())],
                    vec![member("allowGatewayTransit", yes())],
                )
            }
            Change::MakeStandard { address } => {
                let part = self.part(&topology[*address].header)?;
                if let Vocabulary::Azurerm(_) = part.vocabulary {
                    return part.merge(vec![
                        member("allocation_method", text("Static")),
                        member("sku", text("Standard")),
                    ]);
                }
                part.merge_arm(vec![
                    member("sku", Content::Object(vec![member("name", text("Standard"))])),
                    member(
                        "properties",
                        Content::Object(vec![member("publicIPAllocationMethod", text("Static"))]),
                    ),
                ])
            }
            Change::Link { zone, network, awaited_by } => self.link(*zone, *network, *awaited_by),
            Change::PeerBack { peering, gateway_transit } => self.peer_back(*peering, *gateway_transit),
            Change::AddRule { group, rule } => self.add_rule(*group, rule),
            Change::Await { resource, first } => self.wait(*resource, *first),
        }
    }

    /// The literal that a value is, if it is written where it is used.
    fn literal(&self, place: Place) -> Option<(Arc<Document>, Span)> {
        let resource = self.resource(place.resource)?;
        let here = place.site.contains(place.origin) && resource.span.contains(place.origin);
        let document = self.document(place.origin.file).filter(|_| here)?;
        Some((document, place.origin))
    }

    fn replace(&self, place: Place, from: &str, to: &Content) -> Option<Written> {
        let (document, span) = self.literal(place)?;
        let edits = document.replace(document.node(span)?, from, to)?;
        Some(Written::to(&document, edits, vec![place.resource]))
    }

    /// A text that is a list: two elements out of one, or the plural of its name.
    fn split(&self, place: Place, from: &str, to: &[EcoString]) -> Option<Written> {
        let (document, span) = self.literal(place)?;
        let path = document.path(span)?;
        let last = path.last()?;
        let list = Content::List(to.iter().map(|value| text(value.as_str())).collect());
        let mut edits = document.replace(last.node, from, &list)?;
        match last.entry {
            None => {
                // An element: the brackets are there already.
                let edit = edits.first_mut()?;
                edit.text = edit.text.strip_prefix('[')?.strip_suffix(']')?.to_string();
            }
            Some(entry) => {
                let plural = format!(
                    "{}{}",
                    entry.name,
                    if entry.name.ends_with("Prefix") || entry.name.ends_with("prefix") { "es" } else { "s" }
                );
                let parent = path.iter().rev().nth(1).map_or(&document.root, |step| step.node);
                if parent.object()?.entry(&plural).is_some() {
                    return None;
                }
                edits.insert(0, document.rename(entry, &plural)?);
            }
        }
        Some(Written::to(&document, edits, vec![place.resource]))
    }

    fn remove(&self, place: Place) -> Option<Written> {
        let document = self.document(place.site.file)?;
        let path = document.path(place.site)?;
        // An object of which nothing would be left goes as well.
        let mut depth = path.len().checked_sub(1)?;
        loop {
            let entry: &Entry = path.get(depth)?.entry?;
            let parent = match depth.checked_sub(1) {
                Some(outer) => path.get(outer)?.node,
                None => &document.root,
            };
            let parent: &Object = parent.object()?;
            if parent.entries.len() == 1 && depth > 0 && path.get(depth - 1)?.entry.is_some_and(|e| !e.block)
            {
                depth -= 1;
                continue;
            }
            let edits = document.remove(parent, entry)?;
            return Some(Written::to(&document, edits, vec![place.resource]));
        }
    }

    fn delegate(&self, subnet: &Header, service: &EcoString) -> Option<Written> {
        let part = self.part(subnet)?;
        let name = service.rsplit('/').next().unwrap_or(service).to_string();
        if let Vocabulary::Azurerm(major) = part.vocabulary {
            // Inline subnets have delegations since azurerm 4.0.
            if part.inline && major.is_none_or(|major| major < 4) {
                return None;
            }
            let mut inner = vec![member("name", text(service.as_str()))];
            let actions = delegations::find(service).map_or(&[][..], |row| row.actions.as_slice());
            if !actions.is_empty() {
                let actions = actions.iter().map(|action| text(action.as_str())).collect();
                inner.push(member("actions", Content::List(actions)));
            }
            let delegation =
                vec![member("name", text(name)), member("service_delegation", Content::Block(inner))];
            return part.merge(vec![member("delegation", Content::Block(delegation))]);
        }
        let delegation = Content::Object(vec![
            member("name", text(name)),
            member("properties", Content::Object(vec![member("serviceName", text(service.as_str()))])),
        ]);
        let delegations = vec![member("delegations", Content::Element(Box::new(delegation)))];
        part.merge_arm(vec![member("properties", Content::Object(delegations))])
    }

    fn redelegate(&self, delegation: Place, from: &str, to: &str) -> Option<Written> {
        let document = self.document(delegation.site.file)?;
        let block = document.node(delegation.site)?.object()?;
        let azurerm = block.entry("service_delegation");
        let node = match azurerm {
            Some(inner) => &inner.node.object()?.entry("name")?.node,
            None => &block.entry("properties")?.node.object()?.entry("serviceName")?.node,
        };
        // What is permitted to the service is another service's.
        let wanted = delegations::find(to).map_or(&[][..], |row| row.actions.as_slice());
        let mut edits = document.replace(node, from, &text(to))?;
        if let Some(actions) = azurerm.and_then(|inner| inner.node.object()).and_then(|o| o.entry("actions"))
        {
            let super::document::NodeKind::List(items) = &actions.node.kind else { return None };
            let same = items.len() == wanted.len()
                && wanted
                    .iter()
                    .all(|action| items.iter().any(|item| item.literal().is_some_and(|own| own == action)));
            if wanted.is_empty() {
                return None;
            }
            if !same {
                let list = wanted.iter().map(|action| text(action.as_str())).collect();
                edits.push(document.rewrite(&actions.node, &Content::List(list)));
            }
        }
        Some(Written::to(&document, edits, vec![delegation.resource]))
    }

    fn add_service_endpoint(&self, subnet: &Header, endpoint: &EcoString) -> Option<Written> {
        let part = self.part(subnet)?;
        if let Vocabulary::Azurerm(major) = part.vocabulary {
            // Blocks since azurerm 5.0, a list of texts before.
            let blocks = part.has("service_endpoint")
                || !part.has("service_endpoints") && major.is_some_and(|major| major >= 5);
            if part.inline && major.is_none_or(|major| major < 4) {
                return None;
            }
            return part.merge(vec![if blocks {
                member("service_endpoint", Content::Block(vec![member("service", text(endpoint.as_str()))]))
            } else {
                member("service_endpoints", Content::Element(Box::new(text(endpoint.as_str()))))
            }]);
        }
        let element = Content::Object(vec![member("service", text(endpoint.as_str()))]);
        let endpoints = vec![member("serviceEndpoints", Content::Element(Box::new(element)))];
        part.merge_arm(vec![member("properties", Content::Object(endpoints))])
    }

    /// `dependsOn`, `depends_on`.
    fn wait(&self, resource: ResourceId, first: ResourceId) -> Option<Written> {
        let waiting = self.declaration(resource)?;
        let other = self.declaration(first)?;
        if !waiting.can_name(&other) || self.waits(first, resource) {
            return None;
        }
        let expression = match waiting.document.dialect {
            Dialect::Hcl | Dialect::TerraformJson => super::reference::relative(other.resource).to_string(),
            Dialect::Bicep => other.symbol.clone()?,
            Dialect::ArmJson => other.id_expression()?,
        };
        self.wait_for(&waiting, expression)
    }

    /// Whether a resource waits for another one, directly or not.
    fn waits(&self, resource: ResourceId, other: ResourceId) -> bool {
        let mut seen = BTreeSet::new();
        let mut open = vec![resource];
        while let Some(next) = open.pop() {
            if next == other {
                return true;
            }
            if seen.insert(next) {
                open.extend(self.topology()[next].dependencies.iter().copied());
            }
        }
        false
    }

    /// The same for what an expression names.
    pub(super) fn wait_for(&self, waiting: &Declaration<'_>, expression: String) -> Option<Written> {
        let name = match waiting.document.dialect {
            Dialect::Hcl | Dialect::TerraformJson => "depends_on",
            Dialect::Bicep | Dialect::ArmJson => "dependsOn",
        };
        let content = match waiting.document.dialect {
            // A bare address, not an interpolation.
            Dialect::TerraformJson => text(expression),
            _ => Content::Expression(expression),
        };
        let node = waiting.document.node(waiting.resource.span)?;
        let element = member(name, Content::Element(Box::new(content)));
        let edits = waiting.document.merge(node, &[element])?;
        Some(Written::to(&waiting.document, edits, vec![waiting.id]))
    }

    /// Takes a resource out of its file that nothing else names.
    fn drop_resource(&self, id: ResourceId) -> Option<Written> {
        let declaration = self.declaration(id)?;
        let own = &declaration.resource.key;
        let needed = self
            .input
            .configuration
            .resources
            .iter()
            .any(|other| other.key.root == own.root && other.dependencies.contains(&own.address));
        if needed || declaration.document.dialect != Dialect::Hcl {
            return None;
        }
        let edits = declaration.document.drop_block(declaration.outer)?;
        Some(Written::to(&declaration.document, edits, vec![id]))
    }
}
