//! Reading a resource's arguments in whichever vocabulary they are written.

use std::sync::Arc;

use ecow::EcoString;

use crate::resource::Schema;
use crate::source::Span;
use crate::topology::{Field, List, Place, State};
use crate::value::{Cause, Unknown, Value, ValueKind};

/// Where a property stands in each vocabulary: alternatives, the first that is given counts. Dots lead into blocks and
/// objects; of repeated blocks the first one is meant.
#[derive(Clone, Copy, Debug)]
pub(super) struct Paths {
    /// azurerm attributes, of all major versions.
    pub terraform: &'static [&'static str],
    /// ARM properties.
    pub arm: &'static [&'static str],
}

/// `paths!(["address_prefixes", "address_prefix"], ["properties.addressPrefixes"])`: Terraform, ARM.
macro_rules! paths {
    ([$($terraform:literal),* $(,)?], [$($arm:literal),* $(,)?]) => {
        crate::topology::build::view::Paths { terraform: &[$($terraform),*], arm: &[$($arm),*] }
    };
}
pub(super) use paths;

/// The arguments of a resource, or of a block or object inside one.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// The arguments.
    pub body: &'a Value,
    /// Their vocabulary.
    pub schema: Schema,
    /// Where they stand: what is absent is reported here.
    pub place: Place,
    /// What is not written here is unknown for this reason (a data source), not absent.
    pub lookup: Option<&'a Arc<Unknown>>,
}

/// What was found at a path.
pub(super) enum Found<'a> {
    /// Nothing, or null, or an empty text.
    Absent,
    /// A value that is not null, and where it is used.
    Value(&'a Value, Place),
    /// It cannot be said what is there.
    Unknown(Arc<Unknown>, Place),
}

/// An inline block or object of a list, with what is to be minded about it.
#[derive(Clone)]
pub(super) struct Block<'a> {
    /// Its arguments.
    pub view: View<'a>,
    /// Set when it stands for zero or more blocks.
    pub repeated: Option<Arc<Unknown>>,
}

/// Inline blocks.
pub(super) struct Blocks<'a> {
    /// The blocks that are known.
    pub items: Vec<Block<'a>>,
    /// When set, there may be others.
    pub rest: Option<Arc<Unknown>>,
    /// Whether the attribute is given at all (an empty list counts as given).
    pub given: bool,
    /// Where they stand.
    pub place: Place,
}

impl<'a> View<'a> {
    /// The azurerm major version, when the vocabulary is Terraform's and the version is known.
    pub fn azurerm_major(&self) -> Option<u8> {
        match self.schema {
            Schema::Terraform { azurerm_major } => azurerm_major,
            Schema::Arm => None,
        }
    }

    /// Whether the vocabulary is ARM's.
    pub fn is_arm(&self) -> bool {
        matches!(self.schema, Schema::Arm)
    }

    /// What stands at the first of the paths at which something stands.
    pub fn find(&self, paths: Paths) -> Found<'a> {
        let alternatives = if self.is_arm() { paths.arm } else { paths.terraform };
        self.find_any(alternatives.iter().copied())
    }

    /// The same for paths in this view's vocabulary.
    pub fn find_any<'p>(&self, alternatives: impl Iterator<Item = &'p str>) -> Found<'a> {
        let mut empty = None;
        for path in alternatives {
            match self.walk(path) {
                Found::Absent => {}
                // `addressPrefixes: []` next to `addressPrefix: '10.0.0.0/24'` says nothing.
                Found::Value(value, place)
                    if value.as_sequence().is_some_and(|list| list.items.is_empty()) =>
                {
                    empty.get_or_insert(Found::Value(value, place));
                }
                found => return found,
            }
        }
        match (empty, self.lookup) {
            (Some(empty), _) => empty,
            (None, Some(unknown)) => Found::Unknown(Arc::clone(unknown), self.place),
            (None, None) => Found::Absent,
        }
    }

    /// What stands at the first of the attributes at which something stands, without regard to lookups.
    pub fn walk_any(&self, alternatives: &[&str]) -> Found<'a> {
        for path in alternatives {
            match self.walk(path) {
                Found::Absent => {}
                found => return found,
            }
        }
        Found::Absent
    }

    /// Where an empty text stands that was written elsewhere, such as the default of a parameter: something that whoever
    /// deploys is to fill in.
    pub fn left_empty(&self, paths: Paths) -> Option<Place> {
        let alternatives = if self.is_arm() { paths.arm } else { paths.terraform };
        alternatives.iter().find_map(|path| match self.walk_to(path) {
            Found::Value(Value { kind: ValueKind::String(text), .. }, place)
                if text.is_empty() && !place.site.contains(place.origin) =>
            {
                Some(place)
            }
            _ => None,
        })
    }

    fn walk(&self, path: &str) -> Found<'a> {
        match self.walk_to(path) {
            Found::Value(value, _) if matches!(&value.kind, ValueKind::Null) => Found::Absent,
            Found::Value(value, _) if value.as_str() == Some("") => Found::Absent,
            found => found,
        }
    }

    /// What stands at a path, null and the empty text too.
    fn walk_to(&self, path: &str) -> Found<'a> {
        let mut value = self.body;
        let mut site = self.place.site;
        for key in path.split('.') {
            if let ValueKind::Sequence(sequence) = &value.kind {
                let Some(first) = sequence.items.first() else { return Found::Absent };
                if first.repeated {
                    return Found::Unknown(repetition(first), self.at(site, first.span));
                }
                value = first;
            }
            match &value.kind {
                ValueKind::Mapping(mapping) => {
                    let exact = mapping.entries.get(key);
                    let entry = exact.or_else(|| {
                        if !self.is_arm() {
                            return None;
                        }
                        let mut entries = mapping.entries.iter();
                        entries.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, entry)| entry)
                    });
                    match (entry, &mapping.rest) {
                        (Some(entry), _) => {
                            site = entry.span.or(site);
                            value = &entry.value;
                        }
                        (None, Some(rest)) => {
                            return Found::Unknown(Arc::clone(rest), self.at(site, value.span));
                        }
                        (None, None) => return Found::Absent,
                    }
                }
                ValueKind::Unknown(_) | ValueKind::Reference(_) => {
                    return Found::Unknown(why(value), self.at(site, value.span));
                }
                _ => return Found::Absent,
            }
        }
        Found::Value(value, self.at(site, value.span))
    }

    /// Everything at a path, through all blocks and all elements on the way. `[]` after a name is allowed and means
    /// nothing more.
    pub fn every(&self, path: &str) -> Vec<Found<'a>> {
        let keys: Vec<&str> = path.split('.').map(|key| key.strip_suffix("[]").unwrap_or(key)).collect();
        let mut found = Vec::new();
        self.every_below(self.body, &keys, self.place.site, &mut found);
        found
    }

    /// The blocks or objects at a path, through everything on the way; the arguments themselves at the empty path.
    pub fn views(&self, path: &str) -> Vec<View<'a>> {
        if path.is_empty() {
            return vec![*self];
        }
        let mut views = Vec::new();
        for found in self.every(path) {
            if let Found::Value(body @ Value { kind: ValueKind::Mapping(_), .. }, place) = found {
                views.push(View { body, place, ..*self });
            }
        }
        views
    }

    /// Recursion goes one key deeper each time (sequences of sequences end it).
    fn every_below(&self, value: &'a Value, keys: &[&str], site: Span, found: &mut Vec<Found<'a>>) {
        if let ValueKind::Sequence(sequence) = &value.kind {
            for item in &sequence.items {
                if !matches!(item.kind, ValueKind::Sequence(_)) {
                    let site = if site.contains(item.span) { item.span } else { site };
                    self.every_below(item, keys, site, found);
                }
            }
            return;
        }
        match (&value.kind, keys.split_first()) {
            (ValueKind::Null, _) => {}
            (ValueKind::String(text), None) if text.is_empty() => {}
            (_, None) => found.push(Found::Value(value, self.at(site, value.span))),
            (ValueKind::Mapping(mapping), Some((key, rest))) => {
                let entry = mapping.entries.get(*key).or_else(|| {
                    let mut entries = mapping.entries.iter().filter(|_| self.is_arm());
                    entries.find(|(name, _)| name.eq_ignore_ascii_case(key)).map(|(_, entry)| entry)
                });
                match (entry, &mapping.rest) {
                    (Some(entry), _) => self.every_below(&entry.value, rest, entry.span.or(site), found),
                    (None, Some(unknown)) => {
                        found.push(Found::Unknown(Arc::clone(unknown), self.at(site, value.span)));
                    }
                    (None, None) => {}
                }
            }
            (ValueKind::Unknown(_) | ValueKind::Reference(_), Some(_)) => {
                found.push(Found::Unknown(why(value), self.at(site, value.span)));
            }
            _ => {}
        }
    }

    fn at(&self, site: Span, origin: Span) -> Place {
        Place { resource: self.place.resource, site: site.or(self.place.site), origin: origin.or(site) }
    }

    /// A property as a conversion reads it; unknown where the conversion refuses.
    pub fn read<T>(&self, paths: Paths, convert: impl Fn(&Value) -> Option<T>) -> Field<T> {
        let alternatives = if self.is_arm() { paths.arm } else { paths.terraform };
        self.read_any(alternatives.iter().copied(), convert)
    }

    /// The same for paths in this view's vocabulary.
    pub fn read_any<'p, T>(
        &self,
        alternatives: impl Iterator<Item = &'p str>,
        convert: impl Fn(&Value) -> Option<T>,
    ) -> Field<T> {
        match self.find_any(alternatives) {
            Found::Absent => Field { state: State::Absent, place: self.place },
            Found::Unknown(unknown, place) => Field { state: State::Unknown(unknown), place },
            Found::Value(value, place) => Field { state: scalar(value, &convert), place },
        }
    }

    /// A text. Numbers and truth values are written out.
    pub fn text(&self, paths: Paths) -> Field<EcoString> {
        self.read(paths, text_of)
    }

    /// A text out of a fixed set, in the set's spelling; other texts stay as they are.
    pub fn choice(&self, paths: Paths, spellings: &'static [&'static str]) -> Field<EcoString> {
        self.read(paths, |value| {
            let text = text_of(value)?;
            Some(
                spellings
                    .iter()
                    .find(|known| known.eq_ignore_ascii_case(&text))
                    .map_or(text, |known| (*known).into()),
            )
        })
    }

    /// A truth value, also as `"true"`, `"Enabled"` …
    pub fn flag(&self, paths: Paths) -> Field<bool> {
        self.read(paths, flag_of)
    }

    /// A whole number, also as a text.
    pub fn number(&self, paths: Paths) -> Field<i64> {
        self.read(paths, number_of)
    }

    /// A list as a conversion reads its elements. A single value counts as a list of one.
    pub fn list_of<T>(&self, paths: Paths, convert: impl Fn(&Value) -> Option<T>) -> List<T> {
        let mut list = List { items: Vec::new(), rest: None, place: self.place };
        match self.find(paths) {
            Found::Absent => {}
            Found::Unknown(unknown, place) => (list.rest, list.place) = (Some(unknown), place),
            Found::Value(value, place) => {
                list.place = place;
                match &value.kind {
                    ValueKind::Sequence(sequence) => {
                        for item in &sequence.items {
                            if item.is_null() {
                                continue;
                            }
                            if item.repeated {
                                list.rest.get_or_insert_with(|| repetition(item));
                            }
                            // An element that is only a part of an unknown list says nothing of its own.
                            let site = if place.site.contains(item.span) { item.span } else { place.site };
                            let place = self.at(site, item.span);
                            list.items.push(Field { state: scalar(item, &convert), place });
                        }
                    }
                    ValueKind::Unknown(_) | ValueKind::Reference(_) => list.rest = Some(why(value)),
                    ValueKind::Mapping(_) => list.rest = Some(unreadable(value)),
                    _ => list.items.push(Field { state: scalar(value, &convert), place }),
                }
            }
        }
        list
    }

    /// A list of texts.
    pub fn texts(&self, paths: Paths) -> List<EcoString> {
        self.list_of(paths, text_of)
    }

    /// Inline blocks, or the objects of an array.
    pub fn blocks(&self, paths: Paths) -> Blocks<'a> {
        let mut blocks = Blocks { items: Vec::new(), rest: None, given: false, place: self.place };
        match self.find(paths) {
            Found::Absent => {}
            Found::Unknown(unknown, place) => {
                (blocks.rest, blocks.place, blocks.given) = (Some(unknown), place, true)
            }
            Found::Value(value, place) => {
                (blocks.place, blocks.given) = (place, true);
                match &value.kind {
                    ValueKind::Sequence(sequence) => {
                        for item in &sequence.items {
                            self.push_block(&mut blocks, item, place);
                        }
                    }
                    ValueKind::Unknown(_) | ValueKind::Reference(_) => blocks.rest = Some(why(value)),
                    ValueKind::Mapping(_) => self.push_block(&mut blocks, value, place),
                    _ => blocks.rest = Some(unreadable(value)),
                }
            }
        }
        blocks
    }

    fn push_block(&self, blocks: &mut Blocks<'a>, item: &'a Value, place: Place) {
        let repeated = item.repeated.then(|| repetition(item));
        if let Some(why) = &repeated {
            blocks.rest.get_or_insert_with(|| Arc::clone(why));
        }
        match &item.kind {
            ValueKind::Mapping(_) => {
                let site = if place.site.contains(item.span) { item.span } else { place.site };
                let view = View { body: item, place: self.at(site, item.span), ..*self };
                blocks.items.push(Block { view, repeated });
            }
            ValueKind::Null => {}
            _ => {
                blocks.rest.get_or_insert_with(|| why(item));
            }
        }
    }
}

fn scalar<T>(value: &Value, convert: &impl Fn(&Value) -> Option<T>) -> State<T> {
    if value.sensitive {
        // What is never to be shown does not go into fields, from which messages are made.
        let cause = Cause::Unsupported("reading a sensitive value".into());
        return State::Unknown(Arc::new(Unknown { cause, span: value.span }));
    }
    match convert(value) {
        Some(known) => State::Known(known),
        None => State::Unknown(value.first_unknown().unwrap_or_else(|| unreadable(value))),
    }
}

/// Why a value that is unknown, or in parts, is not known.
pub(super) fn why(value: &Value) -> Arc<Unknown> {
    value.first_unknown().unwrap_or_else(|| unreadable(value))
}

fn unreadable(value: &Value) -> Arc<Unknown> {
    Arc::new(Unknown { cause: Cause::Unsupported("a value of this kind here".into()), span: value.span })
}

/// Why it is not known how often an element is there.
pub(super) fn repetition(item: &Value) -> Arc<Unknown> {
    item.first_unknown().unwrap_or_else(|| {
        Arc::new(Unknown { cause: Cause::Computed("the number of elements".into()), span: item.span })
    })
}

/// A wholly known text.
pub(super) fn text_of(value: &Value) -> Option<EcoString> {
    match &value.kind {
        ValueKind::String(text) => Some(text.clone()),
        ValueKind::Number(number) => Some(number.to_string().into()),
        ValueKind::Bool(flag) => Some(if *flag { "true" } else { "false" }.into()),
        _ => None,
    }
}

/// A truth value in any of its spellings.
pub(super) fn flag_of(value: &Value) -> Option<bool> {
    match &value.kind {
        ValueKind::Bool(flag) => Some(*flag),
        ValueKind::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "enabled" | "1" => Some(true),
            "false" | "disabled" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// A whole number, also as a text.
pub(super) fn number_of(value: &Value) -> Option<i64> {
    match &value.kind {
        ValueKind::Number(number) => number.as_i64(),
        ValueKind::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

impl<T> Field<T> {
    /// The same with a documented default where nothing is given.
    pub(super) fn or_default(mut self, default: T) -> Self {
        if self.is_absent() {
            self.state = State::Known(default);
        }
        self
    }

    /// The same with another type of value.
    pub(super) fn map<U>(self, convert: impl FnOnce(T) -> U) -> Field<U> {
        let state = match self.state {
            State::Absent => State::Absent,
            State::Known(value) => State::Known(convert(value)),
            State::Unknown(unknown) => State::Unknown(unknown),
        };
        Field { state, place: self.place }
    }
}
