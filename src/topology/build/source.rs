//! The input resources in the form in which the builders read them: one vocabulary each, with type, name and scope.

use std::sync::Arc;

use ecow::EcoString;
use rayon::prelude::*;
use rustc_hash::FxHashMap;

use crate::azure::resource_types;
use crate::resource::{Configuration, Mode, Multiplicity, Resource, Schema};
use crate::topology::{Field, Place, ResourceId, State};
use crate::value::{Cause, Entry, Reference, ResourceKey, Sequence, TemplatePart, Unknown, Value, ValueKind};

use super::azapi;
use super::pattern::{Hole, Pattern};
use super::view::{Found, Paths, View, paths, text_of};

/// A resource of the input, prepared.
pub(super) struct Source {
    /// Its node.
    pub id: ResourceId,
    /// Root and address.
    pub key: ResourceKey,
    /// Made here, not only looked up.
    pub managed: bool,
    /// The vocabulary of the body; that of azapi resources is ARM's.
    pub schema: Schema,
    /// The arguments; those of azapi resources in ARM's form.
    pub body: Value,
    /// The ARM type in its usual spelling.
    pub arm_type: Option<EcoString>,
    /// What the builders go by: the ARM type in lower case, or the written type in lower case where it has no ARM type.
    pub what: EcoString,
    /// The type as written, in lower case.
    pub written: EcoString,
    /// ARM: the names along the type's segments. Terraform: the name. `None` where it cannot be told.
    pub names: Option<Vec<Pattern>>,
    /// The last name.
    pub name: Field<EcoString>,
    /// The resource group.
    pub group: Option<Pattern>,
    /// The subscription.
    pub subscription: Option<Pattern>,
    /// azapi: the parent's id.
    pub parent: Option<Value>,
    /// An azapi resource that changes one that exists.
    pub patch: bool,
    /// azapi: the whole id by which it is named.
    pub whole_id: Option<Value>,
    /// Its header.
    pub place: Place,
    /// Why what is not written is unknown, for what is only looked up.
    pub lookup: Option<Arc<Unknown>>,
    /// Why it may not exist.
    pub uncertain: Option<Arc<Unknown>>,
    /// Addresses that come before it.
    pub dependencies: Vec<EcoString>,
    /// The first resource of the input that is the same one, when a template deploys it more than once.
    pub same_as: Option<ResourceId>,
    /// Another deployment of the same resource comes after this one and replaces what it says.
    pub superseded: bool,
}

impl Source {
    /// Its arguments.
    pub fn view(&self) -> View<'_> {
        View { body: &self.body, schema: self.schema, place: self.place, lookup: self.lookup.as_ref() }
    }

    /// Whether the builders read it as this part.
    pub fn is<T: super::part::Part>(&self) -> bool {
        self.what.eq_ignore_ascii_case(T::TYPE)
    }

    /// The last name as a pattern.
    pub fn last_name(&self) -> Option<&Pattern> {
        self.names.as_ref()?.last()
    }

    /// Whether the body is in ARM's vocabulary.
    pub fn is_arm(&self) -> bool {
        matches!(self.schema, Schema::Arm)
    }
}

/// Prepares all resources. A resource's position is that of its node.
pub(super) fn prepare(configuration: &Configuration) -> Vec<Source> {
    let mut sources: Vec<Source> = configuration
        .resources
        .par_iter()
        .enumerate()
        .map(|(index, resource)| one(index, resource))
        .collect();
    name_groups(&mut sources);
    join_redeployments(&mut sources);
    sources
}

/// Finds what a template deploys several times: nested deployments change a resource on the way, and tests deploy a whole
/// template twice. Every deployment but the last is superseded, unless it is not certain that the last is made.
fn join_redeployments(sources: &mut [Source]) {
    type Identity = (u32, EcoString, Pattern, Option<Pattern>, Vec<Pattern>);
    let mut groups: FxHashMap<Identity, Vec<usize>> = FxHashMap::default();
    for (index, source) in sources.iter().enumerate() {
        if let (true, None, Some(group), Some(names)) =
            (source.managed && source.is_arm(), &source.parent, &source.group, &source.names)
        {
            let (group, names) = (group.clone(), names.clone());
            let identity = (source.key.root, source.what.clone(), group, source.subscription.clone(), names);
            groups.entry(identity).or_default().push(index);
        }
    }
    for members in groups.into_values().filter(|members| members.len() > 1) {
        let first = members.first().copied().map(ResourceId::new);
        let certain = |source: &Source| source.uncertain.is_none();
        let last = members.iter().rev().copied().find(|index| sources.get(*index).is_some_and(certain));
        for index in members {
            if let Some(source) = sources.get_mut(index) {
                source.same_as = first;
                source.superseded = certain(source) && last.is_some_and(|last| index < last);
            }
        }
    }
}

/// Where a scope is the id of a resource group that the input declares, the group's name is known.
fn name_groups(sources: &mut [Source]) {
    let wanted: Vec<(usize, Arc<Reference>)> = sources
        .iter()
        .enumerate()
        .filter_map(|(index, source)| {
            let group = source.group.as_ref()?;
            let whole = group.without_first().is_empty();
            Some((index, Arc::clone(group.leading_reference().filter(|_| whole)?)))
        })
        .collect();
    if wanted.is_empty() {
        return;
    }
    let groups: FxHashMap<ResourceKey, Pattern> = sources
        .iter()
        .filter(|source| source.what == "microsoft.resources/resourcegroups")
        .filter_map(|source| Some((source.key.clone(), source.last_name()?.clone())))
        .collect();
    for (index, reference) in wanted {
        if let (Some(name), Some(source)) = (groups.get(&reference.target), sources.get_mut(index)) {
            source.group = Some(name.clone());
        }
    }
}

fn one(index: usize, resource: &Resource) -> Source {
    let id = ResourceId::new(index);
    let place = Place {
        resource: id,
        site: resource.header.or(resource.span),
        origin: resource.header.or(resource.span),
    };
    let managed = resource.mode == Mode::Managed;
    let lookup = (!managed)
        .then(|| Arc::new(Unknown { cause: Cause::Lookup(resource.key.address.clone()), span: place.site }));
    let uncertain = match &resource.multiplicity {
        Multiplicity::One => None,
        Multiplicity::ZeroOrMore(why) => Some(Arc::clone(why)),
    };
    let written: EcoString = resource.resource_type.to_lowercase();
    let mut source = Source {
        id,
        key: resource.key.clone(),
        managed,
        schema: resource.schema,
        body: marks_inside(&resource.body, false, 0).unwrap_or_else(|| resource.body.clone()),
        arm_type: None,
        what: written.clone(),
        written,
        names: None,
        name: Field { state: State::Absent, place },
        group: None,
        subscription: None,
        parent: None,
        patch: false,
        whole_id: None,
        place,
        lookup,
        uncertain,
        dependencies: resource.dependencies.clone(),
        same_as: None,
        superseded: false,
    };
    match resource.schema {
        Schema::Arm => arm(&mut source, resource),
        Schema::Terraform { .. } if source.written.starts_with("azapi_") => azapi_resource(&mut source),
        Schema::Terraform { .. } => terraform(&mut source, resource),
    }
    source
}

const NAME: Paths = paths!(["name"], ["name"]);

fn terraform(source: &mut Source, resource: &Resource) {
    source.arm_type = resource_types::of_terraform(&source.written).map(EcoString::from);
    if let Some(arm_type) = &source.arm_type {
        source.what = arm_type.to_lowercase();
    }
    source.subscription =
        Some(Pattern::hole(Hole::Provider(source.key.root, resource.provider.clone().unwrap_or_default())));
    let name = source.view().text(NAME);
    let pattern = match source.view().find(NAME) {
        Found::Value(value, _) => Pattern::of(value),
        _ => None,
    };
    let group = match source.view().find(paths!(["resource_group_name"], [])) {
        Found::Value(value, _) => Pattern::of(value),
        _ => None,
    };
    source.names = pattern.map(|name| vec![name]);
    source.name = name;
    source.group = group;
}

fn arm(source: &mut Source, resource: &Resource) {
    source.what = bare_type(&resource.resource_type).to_lowercase().into();
    source.arm_type = Some(resource_types::usual_spelling(bare_type(&resource.resource_type)));
    if let Some(scope) = &resource.scope {
        source.subscription = Pattern::of(&scope.subscription);
        source.group = Pattern::of(&scope.resource_group);
    }
    let value = match source.view().find(NAME) {
        Found::Value(value, place) => Some((value.clone(), place)),
        _ => None,
    };
    let Some((value, place)) = value else { return };
    let depth = type_depth(&source.what);
    if let Some(pattern) = Pattern::of(&value) {
        let segments = pattern.segments();
        if segments.len() == depth {
            source.names = Some(segments);
        } else if depth == 1 {
            source.names = Some(vec![pattern]);
        }
    }
    source.name = Field { state: last_segment(&value, depth), place };
}

fn azapi_resource(source: &mut Source) {
    // Actions and operations are not resources of the network.
    if !matches!(source.written.as_str(), "azapi_resource" | "azapi_update_resource") {
        return;
    }
    if source.written == "azapi_update_resource" {
        // It changes what exists: what it does not say is as it was.
        source.patch = true;
        source.managed = false;
        let cause = Cause::Lookup(source.key.address.clone());
        source.lookup.get_or_insert_with(|| Arc::new(Unknown { cause, span: source.place.site }));
    }
    let written_type = match source.view().find_any(["type"].into_iter()) {
        Found::Value(value, _) => text_of(value),
        _ => None,
    };
    let Some(written_type) = written_type else { return };
    source.what = bare_type(&written_type).to_lowercase().into();
    source.arm_type = Some(resource_types::usual_spelling(bare_type(&written_type)));
    let converted = azapi::convert(&source.body, source.place.site);
    source.name = source.view().text(NAME);
    source.names = converted.name.as_ref().and_then(Pattern::of).map(|name| vec![name]);
    source.parent = converted.parent;
    source.body = converted.body;
    source.schema = Schema::Arm;
    if let Some(id) = &converted.resource_id {
        source.parent = None;
        azapi::name_from_id(source, id);
        source.whole_id = converted.resource_id;
    } else if type_depth(&source.what) == 1
        && let Some(group) = source.parent.as_ref().and_then(azapi::group_of)
    {
        (source.subscription, source.group) = group;
    }
}

/// A type without its API version.
pub(super) fn bare_type(written: &str) -> &str {
    written.split('@').next().unwrap_or(written).trim().trim_matches('/')
}

/// How many names a resource of a type has: `Microsoft.Network/virtualNetworks/subnets` has two.
pub(super) fn type_depth(arm_type: &str) -> usize {
    arm_type.split('/').count().saturating_sub(1).max(1)
}

/// The last of the names in a path of names with slashes.
fn last_segment(value: &Value, depth: usize) -> State<EcoString> {
    match &value.kind {
        ValueKind::Template(parts) if depth > 1 => match parts.last() {
            Some(TemplatePart::Literal(text)) if text.contains('/') => {
                State::Known(text.rsplit('/').next().unwrap_or(text).into())
            }
            _ => State::Unknown(super::view::why(value)),
        },
        _ => match text_of(value) {
            Some(text) if depth > 1 => State::Known(text.rsplit('/').next().unwrap_or(&text).into()),
            Some(text) => State::Known(text),
            None => State::Unknown(super::view::why(value)),
        },
    }
}

/// How deep marks are carried; values come from evaluation, which has its own limit.
const DEPTH: usize = 64;

/// The value with everything marked that lies inside of something that must not be shown; `None` where nothing changes.
fn marks_inside(value: &Value, hidden: bool, depth: usize) -> Option<Value> {
    let hidden = hidden || value.sensitive || depth > DEPTH;
    let kind = match &value.kind {
        ValueKind::Sequence(sequence) => {
            let items: Vec<Option<Value>> =
                sequence.items.iter().map(|item| marks_inside(item, hidden, depth + 1)).collect();
            items.iter().any(Option::is_some).then(|| {
                let items = items.into_iter().zip(&sequence.items);
                let items = items.map(|(marked, item)| marked.unwrap_or_else(|| item.clone())).collect();
                ValueKind::Sequence(Arc::new(Sequence { kind: sequence.kind, items }))
            })
        }
        ValueKind::Mapping(mapping) => {
            let mut marked = Vec::new();
            for (name, entry) in &mapping.entries {
                if let Some(value) = marks_inside(&entry.value, hidden, depth + 1) {
                    marked.push((name.clone(), Entry { span: entry.span, value }));
                }
            }
            (!marked.is_empty()).then(|| {
                let mut mapping = mapping.clone();
                Arc::make_mut(&mut mapping).entries.extend(marked);
                ValueKind::Mapping(mapping)
            })
        }
        _ => None,
    };
    if kind.is_none() && value.sensitive == hidden {
        return None;
    }
    Some(Value { kind: kind.unwrap_or_else(|| value.kind.clone()), sensitive: hidden, ..value.clone() })
}
