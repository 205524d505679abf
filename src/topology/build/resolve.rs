//! Resolving what names another part of the model: references, literal ids, ids with a known end, names.

use std::sync::Arc;

use ecow::EcoString;

use crate::topology::*;
use crate::value::{Cause, Reference, Step, Unknown, Value, ValueKind};

use super::Builder;
use super::identity::ParsedId;
use super::part::Part;
use super::pattern::Pattern;
use super::source::Source;
use super::view::{Found, Paths, View, why};

/// Nothing legitimate is nested deeper (an id inside a one-element list inside an association …).
const DEPTH_LIMIT: usize = 8;

/// The ARM path of a part: type, then names; unknown names show as `?`.
pub(super) fn path(arm_type: &str, parent: Option<&str>, name: Option<&EcoString>) -> Option<String> {
    if parent.is_none() && name.is_none() {
        return None;
    }
    let name = name.map_or("?", EcoString::as_str);
    Some(match super::source::type_depth(arm_type) {
        1 => format!("{arm_type}/{name}"),
        _ => format!("{arm_type}/{}/{name}", parent.unwrap_or("?")),
    })
}

impl Builder<'_> {
    /// The ARM path of a resource's node; unknown names show as `?`.
    pub(super) fn node_path(&self, arm_type: &str, source: &Source) -> Option<String> {
        let mut path = String::from(arm_type);
        for name in self.names_above(arm_type, source, DEPTH_LIMIT) {
            path.push('/');
            path.push_str(&name);
        }
        path.push('/');
        path.push_str(source.name.known()?);
        Some(path)
    }

    /// The names of the resources that this one is a child of, outermost first.
    fn names_above(&self, arm_type: &str, source: &Source, depth: usize) -> Vec<String> {
        let above = super::source::type_depth(arm_type).saturating_sub(1);
        let written = source.names.as_deref().filter(|names| names.len() == above + 1);
        if above == 0 || written.is_some() {
            let names = written.unwrap_or_default().iter().take(above);
            return names.map(|name| name.known().unwrap_or("?").to_string()).collect();
        }
        self.parent_names(arm_type, source, depth)
            .filter(|names| names.len() == above)
            .unwrap_or_else(|| vec!["?".into(); above])
    }

    /// azurerm names the parent of a child by an attribute: `server_id` or `server_name` for a child of
    /// `Microsoft.Sql/servers`.
    fn parent_names(&self, arm_type: &str, source: &Source, depth: usize) -> Option<Vec<String>> {
        let (parent_type, _) = arm_type.rsplit_once('/')?;
        let ValueKind::Mapping(arguments) = &source.body.kind else { return None };
        let by_id =
            arguments.entries.iter().filter(|(key, _)| key.ends_with("_id")).find_map(|(_, entry)| {
                if let Some(id) = ParsedId::of(&entry.value) {
                    let names = id.names.iter().map(|name| name.known().unwrap_or("?").to_string());
                    return id.arm_type.eq_ignore_ascii_case(parent_type).then(|| names.collect());
                }
                let target = self.target(entry.value.as_reference()?)?;
                let target = self.sources.get(target.index()).filter(|_| depth > 0)?;
                let found = target.arm_type.as_deref()?;
                let name = target.name.known().filter(|_| found.eq_ignore_ascii_case(parent_type))?;
                let mut names = self.names_above(found, target, depth - 1);
                names.push(name.to_string());
                Some(names)
            });
        by_id.or_else(|| {
            let attribute = format!("{}_name", snake_singular(parent_type.rsplit('/').next()?));
            match &arguments.entries.get(attribute.as_str())?.value.kind {
                ValueKind::String(name) => Some(vec![name.to_string()]),
                _ => None,
            }
        })
    }
}

/// What azurerm calls one of these: `virtual_network` for `virtualNetworks`.
fn snake_singular(segment: &str) -> String {
    let mut word = String::with_capacity(segment.len() + 4);
    for letter in segment.strip_suffix('s').unwrap_or(segment).chars() {
        if letter.is_ascii_uppercase() {
            word.push('_');
        }
        word.push(letter.to_ascii_lowercase());
    }
    word
}

/// Parts that links lead to by an id.
pub(super) trait Linkable: Part {
    /// Finds what an id means, or adds it as declared elsewhere.
    fn locate(builder: &mut Builder, from: &Source, id: &ParsedId, place: Place) -> LinkState<Self>;

    /// Finds a child of the resource that a reference leads to: `"${azurerm_virtual_network.v.id}/subnets/db"`.
    fn locate_child(
        builder: &mut Builder,
        from: &Source,
        target: ResourceId,
        rest: &[Pattern],
        spelled: Option<EcoString>,
        place: Place,
    ) -> Option<LinkState<Self>> {
        let _ = (builder, from, target, rest, spelled, place);
        None
    }

    /// Finds what an attribute of a resource of another type leads to (`azurerm_virtual_network.v.subnet[0].id`).
    fn locate_attribute(
        builder: &mut Builder,
        from: &Source,
        reference: &Reference,
        target: ResourceId,
        place: Place,
    ) -> Option<LinkState<Self>> {
        let _ = (builder, from, reference, target, place);
        None
    }
}

macro_rules! linkable {
    ($($part:ty),* $(,)?) => {
        $(impl Linkable for $part {
            fn locate(builder: &mut Builder, from: &Source, id: &ParsedId, place: Place) -> LinkState<Self> {
                let Some(name) = id.names.last() else { return LinkState::Absent };
                let spelled = id.spelled.first().cloned();
                builder.named(from, name, spelled, id.group.as_ref(), id.subscription.as_ref(), place)
            }
        })*
    };
}

linkable!(
    VirtualNetwork,
    SecurityGroup,
    ApplicationSecurityGroup,
    RouteTable,
    PrivateDnsZone,
    DnsResolver,
    ForwardingRuleSet,
    NetworkInterface,
    VirtualMachine,
    ScaleSet,
    PublicIp,
    NatGateway,
    LoadBalancer,
    PrivateEndpoint,
    VirtualHub,
);

impl Linkable for Subnet {
    fn locate(builder: &mut Builder, from: &Source, id: &ParsedId, place: Place) -> LinkState<Self> {
        let (Some(parent), Some(name)) = (id.parent(), id.names.last()) else { return LinkState::Absent };
        let spelled = id.spelled.first().cloned();
        match VirtualNetwork::locate(builder, from, &parent, place) {
            LinkState::To(network) => builder.subnet_named(from, network, name, spelled, place),
            LinkState::Unknown(unknown) => LinkState::Unknown(unknown),
            LinkState::Absent => LinkState::Absent,
        }
    }

    fn locate_child(
        builder: &mut Builder,
        from: &Source,
        target: ResourceId,
        rest: &[Pattern],
        spelled: Option<EcoString>,
        place: Place,
    ) -> Option<LinkState<Self>> {
        let network = builder.part::<VirtualNetwork>(target)?;
        match rest {
            [kind, name] if kind.known() == Some("subnets") && !name.is_empty() => {
                Some(builder.subnet_named(from, network, name, spelled, place))
            }
            _ => None,
        }
    }

    fn locate_attribute(
        builder: &mut Builder,
        from: &Source,
        reference: &Reference,
        target: ResourceId,
        place: Place,
    ) -> Option<LinkState<Self>> {
        let source = builder.source(target);
        // The association's own id is the subnet's id (azurerm 5.2 `internal/services/network`).
        if matches!(
            source.written.as_str(),
            "azurerm_subnet_network_security_group_association"
                | "azurerm_subnet_route_table_association"
                | "azurerm_subnet_nat_gateway_association"
        ) {
            let subnet = source.view().find(super::view::paths!(["subnet_id"], []));
            return match (reference.path.as_slice(), subnet) {
                ([Step::Attribute(id)], Found::Value(value, _))
                    if (id == "id" || id == "subnet_id") && builder.following < DEPTH_LIMIT =>
                {
                    // Associations that name each other in a circle end at the limit.
                    builder.following += 1;
                    let state = builder.resolve_at(from, value, place, 0);
                    builder.following -= 1;
                    Some(state)
                }
                _ => None,
            };
        }
        let network = builder.part::<VirtualNetwork>(target)?;
        let inline = builder.inline_subnets.get(&target).map_or(&[][..], Vec::as_slice);
        let complete = builder.topology[network].incomplete.is_none();
        let steps = reference.path.as_slice();
        let (first, rest) = steps.split_first()?;
        let rest = match first {
            Step::Attribute(name) if name == "subnet" => rest,
            Step::Attribute(name) if name.eq_ignore_ascii_case("properties") => match rest.split_first()? {
                (Step::Attribute(name), rest) if name.eq_ignore_ascii_case("subnets") => rest,
                _ => return None,
            },
            _ => return None,
        };
        let position = rest.iter().find_map(|step| match step {
            Step::Index(index) => usize::try_from(*index).ok(),
            Step::Attribute(_) => None,
        });
        match (inline, position) {
            // azurerm's blocks are a set: one is one, whatever its position.
            ([only], _) if complete => Some(LinkState::To(*only)),
            // ARM's arrays keep their order. Of azurerm's blocks a position is left only where an expression has picked
            // the block by what it says; those that count through the set are not known.
            (_, Some(position)) => inline.get(position).map(|id| LinkState::To(*id)),
            _ => None,
        }
    }
}

impl<'a> Builder<'a> {
    /// The link at a property.
    pub fn link<T: Linkable>(&mut self, from: &Source, view: &View, paths: Paths) -> Link<T> {
        match view.find(paths) {
            Found::Absent => Link { state: LinkState::Absent, place: view.place },
            Found::Unknown(unknown, place) => Link { state: LinkState::Unknown(unknown), place },
            Found::Value(value, place) => Link { state: self.resolve_at(from, value, place, 0), place },
        }
    }

    /// The links of a list property. The second part says why there may be more.
    pub fn links<T: Linkable>(
        &mut self,
        from: &Source,
        view: &View,
        paths: Paths,
    ) -> (Vec<Link<T>>, Option<Arc<Unknown>>) {
        match view.find(paths) {
            Found::Absent => (Vec::new(), None),
            Found::Unknown(unknown, place) => {
                (vec![Link { state: LinkState::Unknown(Arc::clone(&unknown)), place }], Some(unknown))
            }
            Found::Value(value, place) => match value.as_sequence() {
                Some(sequence) => {
                    let mut links = Vec::with_capacity(sequence.items.len());
                    let mut rest = None;
                    for item in sequence.items.iter().filter(|item| !item.is_null()) {
                        if item.repeated {
                            rest.get_or_insert_with(|| super::view::repetition(item));
                        }
                        let site = if place.site.contains(item.span) { item.span } else { place.site };
                        let place = Place { site, origin: item.span.or(place.origin), ..place };
                        links.push(Link { state: self.resolve_at(from, item, place, 0), place });
                    }
                    (links, rest)
                }
                None => {
                    let state = self.resolve_at(from, value, place, 0);
                    let rest = match &state {
                        LinkState::Unknown(unknown) if value.is_unknown() => Some(Arc::clone(unknown)),
                        _ => None,
                    };
                    (vec![Link { state, place }], rest)
                }
            },
        }
    }

    /// What a value that should be an id leads to.
    pub fn resolve_at<T: Linkable>(
        &mut self,
        from: &Source,
        value: &Value,
        place: Place,
        depth: usize,
    ) -> LinkState<T> {
        if depth > DEPTH_LIMIT {
            return LinkState::Unknown(why(value));
        }
        match &value.kind {
            ValueKind::Null => LinkState::Absent,
            ValueKind::Unknown(unknown) => LinkState::Unknown(Arc::clone(unknown)),
            ValueKind::Reference(reference) => self.resolve_reference(from, reference, value, place),
            ValueKind::Sequence(sequence) => match sequence.items.as_slice() {
                [only] if !only.repeated => self.resolve_at(from, only, place, depth + 1),
                [] => LinkState::Absent,
                _ => LinkState::Unknown(why(value)),
            },
            ValueKind::Mapping(mapping) => {
                let id = mapping.entries.iter().find(|(key, _)| key.eq_ignore_ascii_case("id"));
                match id {
                    Some((_, entry)) => self.resolve_at(from, &entry.value, place, depth + 1),
                    None => LinkState::Unknown(why(value)),
                }
            }
            ValueKind::String(text) if text.is_empty() => LinkState::Absent,
            ValueKind::String(_) | ValueKind::Template(_) => {
                if let Some(parsed) = ParsedId::of(value) {
                    if parsed.arm_type.eq_ignore_ascii_case(T::TYPE) {
                        return T::locate(self, from, &parsed, place);
                    }
                    return LinkState::Unknown(not_an_id::<T>(place));
                }
                self.resolve_extended(from, value, place)
            }
            ValueKind::Bool(_) | ValueKind::Number(_) => LinkState::Unknown(not_an_id::<T>(place)),
        }
    }

    /// `"${azurerm_virtual_network.v.id}/subnets/db"`.
    fn resolve_extended<T: Linkable>(&mut self, from: &Source, value: &Value, place: Place) -> LinkState<T> {
        let unknown = || value.first_unknown().unwrap_or_else(|| not_an_id::<T>(place));
        let Some(pattern) = Pattern::of(value) else { return LinkState::Unknown(unknown()) };
        let Some(reference) = pattern.leading_reference() else { return LinkState::Unknown(unknown()) };
        let Some(target) = self.target(reference) else { return LinkState::Unknown(unknown()) };
        let rest = pattern.without_first();
        if rest.is_empty() {
            return self.resolve_reference(from, &Arc::clone(reference), value, place);
        }
        if !names_itself(reference) || !rest.starts_with("/") {
            return LinkState::Unknown(unknown());
        }
        let segments: Vec<Pattern> = rest.segments().into_iter().skip(1).collect();
        let spelled = super::identity::spelled_names(value, 1).pop();
        T::locate_child(self, from, target, &segments, spelled, place)
            .unwrap_or_else(|| LinkState::Unknown(unknown()))
    }

    fn resolve_reference<T: Linkable>(
        &mut self,
        from: &Source,
        reference: &Reference,
        value: &Value,
        place: Place,
    ) -> LinkState<T> {
        let Some(target) = self.target(reference) else { return LinkState::Unknown(why(value)) };
        if names_itself(reference)
            && let Some(id) = self.part::<T>(target)
        {
            return LinkState::To(id);
        }
        T::locate_attribute(self, from, reference, target, place)
            .unwrap_or_else(|| LinkState::Unknown(why(value)))
    }

    /// The resource that a reference means; `None` when it is not in the input or any of several instances.
    pub fn target(&self, reference: &Reference) -> Option<ResourceId> {
        match self.at_address(reference.target.root, &reference.target.address) {
            [one] => Some(*one),
            _ => {
                // An instance whose resource is only known as a whole: `a.b[0]` when `count` is not known.
                let base = super::without_last_key(&reference.target.address);
                match self.at_address(reference.target.root, &base.into()) {
                    [one] => Some(*one),
                    _ => None,
                }
            }
        }
    }
}

/// Whether a reference means the resource itself or its id.
pub(super) fn names_itself(reference: &Reference) -> bool {
    match reference.path.as_slice() {
        [] => true,
        [Step::Attribute(name)] => name.eq_ignore_ascii_case("id"),
        _ => false,
    }
}

/// Why a value leads nowhere.
pub(super) fn not_an_id<T: Part>(place: Place) -> Arc<Unknown> {
    let cause = Cause::Unsupported(EcoString::from(format!("this value as the id of a {}", T::TYPE)));
    Arc::new(Unknown { cause, span: place.site })
}
