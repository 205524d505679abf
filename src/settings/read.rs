//! Reading `portolan.toml` by the description of its keys.

use std::path::Path;
use std::sync::Arc;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::keys::{KEYS, Key, Kind, LEVELS, names};
use super::{Level, Settings};
use crate::analyzer::{Exclusion, VariableArgument, nearest};
use crate::date::Date;
use crate::report::Location;
use crate::resource::Diagnostic;
use crate::source::{SourceFile, SourceMap, Span};
use crate::suppression::{Ignore, address_pattern};

type Entry<'a, 'i> = &'a Spanned<DeValue<'i>>;

/// Reads a file.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn read(file: &Arc<SourceFile>, sources: &SourceMap) -> Result<Settings, Vec<Diagnostic>> {
    let mut reader = Reader { file, sources, problems: Vec::new() };
    let table = match DeTable::parse(file.text()) {
        Ok(table) => table,
        Err(problem) => {
            let message = problem.message().lines().next().unwrap_or("not valid TOML").to_string();
            reader.say(message, problem.span().unwrap_or_default(), None);
            return Err(reader.problems);
        }
    };
    reader.check(table.get_ref(), KEYS, table.span());
    let folder =
        file.path().parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let settings = reader.settings(table.get_ref(), folder);
    if reader.problems.is_empty() { Ok(settings) } else { Err(reader.problems) }
}

struct Reader<'f> {
    file: &'f Arc<SourceFile>,
    sources: &'f SourceMap,
    problems: Vec<Diagnostic>,
}

impl Reader<'_> {
    fn span(&self, range: std::ops::Range<usize>) -> Span {
        Span::new(self.file.id(), range.start, range.end)
    }

    fn say(&mut self, message: String, range: std::ops::Range<usize>, similar: Option<&str>) {
        let message = match similar {
            Some(similar) => format!("{message}; did you mean `{similar}`?"),
            None => message,
        };
        let problem = Diagnostic::error("invalid-configuration", message, self.span(range));
        self.problems.push(problem);
    }

    /// Holds a table against the keys that it may have.
    fn check(&mut self, table: &DeTable, keys: &'static [Key], whole: std::ops::Range<usize>) {
        for (name, value) in table {
            match keys.iter().find(|key| key.name == name.get_ref().as_ref()) {
                Some(key) => self.check_value(key, value),
                None => {
                    let similar = nearest(name.get_ref(), keys.iter().map(|key| key.name));
                    self.say(format!("there is no key `{}` here", name.get_ref()), name.span(), similar);
                }
            }
        }
        for key in keys.iter().filter(|key| key.required && value(table, key.name).is_none()) {
            self.say(format!("`{}` is missing here", key.name), whole.clone(), None);
        }
    }

    fn check_value(&mut self, key: &Key, value: Entry) {
        let is_text = |value: &Spanned<DeValue>| value.get_ref().is_str();
        let (fits, wanted) = match &key.kind {
            Kind::Text => (is_text(value), "a text".to_string()),
            Kind::Boolean => (value.get_ref().is_bool(), "`true` or `false`".to_string()),
            Kind::Choice(choices) => {
                let fits = value.get_ref().as_str().is_some_and(|text| choices.contains(&text));
                (fits, format!("one of `{}`", choices.join("`, `")))
            }
            Kind::Date => (date(value).is_some(), "a day like `\"2027-01-31\"`".to_string()),
            Kind::Texts | Kind::Rules => {
                let items = value.get_ref().as_array();
                (items.is_some_and(|items| items.iter().all(is_text)), "a list of texts".to_string())
            }
            Kind::Rule => (is_text(value), "the name of a rule or category".to_string()),
            Kind::ByRule(_) | Kind::Values => (value.get_ref().is_table(), "a table".to_string()),
            Kind::Tables(_) => {
                let items = value.get_ref().as_array();
                let fits = items.is_some_and(|items| items.iter().all(|item| item.get_ref().is_table()));
                (fits, format!("a list of tables, `[[{}]]`", key.name))
            }
        };
        if !fits {
            return self.say(format!("`{}` is not {wanted}", key.name), value.span(), None);
        }
        match &key.kind {
            Kind::Rule => self.check_name(value.get_ref().as_str().unwrap_or_default(), value.span()),
            Kind::Rules => {
                for item in value.get_ref().as_array().into_iter().flat_map(|items| items.iter()) {
                    self.check_name(item.get_ref().as_str().unwrap_or_default(), item.span());
                }
            }
            Kind::ByRule(choices) => {
                for (name, value) in value.get_ref().as_table().into_iter().flat_map(|table| table.iter()) {
                    self.check_name(name.get_ref(), name.span());
                    if !value.get_ref().as_str().is_some_and(|text| choices.contains(&text)) {
                        let message =
                            format!("`{}` is not one of `{}`", name.get_ref(), choices.join("`, `"));
                        self.say(message, value.span(), None);
                    }
                }
            }
            Kind::Tables(keys) => {
                for item in value.get_ref().as_array().into_iter().flat_map(|items| items.iter()) {
                    if let Some(table) = item.get_ref().as_table() {
                        self.check(table, keys, item.span());
                    }
                }
            }
            _ => {}
        }
    }

    fn check_name(&mut self, name: &str, range: std::ops::Range<usize>) {
        if !names().contains(&name) {
            let similar = nearest(name, names().into_iter());
            self.say(format!("there is no rule or category `{name}`"), range, similar);
        }
    }

    /// What a table that fits its description says.
    fn settings(&mut self, table: &DeTable, folder: &Path) -> Settings {
        let flag = |name| value(table, name).and_then(|value| value.get_ref().as_bool());
        let mut settings = Settings {
            file: self.file.display().to_string(),
            paths: texts(table, "paths").iter().map(|path| folder.join(path)).collect(),
            contexts: texts(table, "contexts").iter().map(|path| folder.join(path)).collect(),
            exclusion: None,
            select: value(table, "select").map(|_| texts(table, "select")),
            pedantic: flag("pedantic"),
            possible: flag("possible"),
            fail_on: text(table, "fail-on"),
            baseline: text(table, "baseline").map(|path| folder.join(path)),
            levels: Vec::new(),
            roots: Vec::new(),
            ignores: Vec::new(),
        };
        let patterns = texts(table, "exclude");
        match Exclusion::new(folder, &patterns) {
            Ok(exclusion) if !patterns.is_empty() => settings.exclusion = Some(exclusion),
            Ok(_) => {}
            Err((index, problem)) => {
                let items = value(table, "exclude").and_then(|value| value.get_ref().as_array());
                let span = items.and_then(|items| items.get(index)).map(Spanned::span).unwrap_or_default();
                self.say(format!("this pattern cannot be understood: {problem}"), span, None);
            }
        }
        for (name, level) in
            value(table, "rules").and_then(|value| value.get_ref().as_table()).into_iter().flatten()
        {
            let position =
                level.get_ref().as_str().and_then(|text| LEVELS.iter().position(|level| *level == text));
            if let Some(level) = position.and_then(|position| Level::ALL.get(position)) {
                settings.levels.push((name.get_ref().to_string(), *level));
            }
        }
        for table in tables(table, "root") {
            let files =
                texts(table, "var-files").into_iter().map(|path| VariableArgument::File(folder.join(path)));
            let values = value(table, "vars").and_then(|value| value.get_ref().as_table());
            let values =
                values.into_iter().flatten().map(|(name, value)| argument(name.get_ref(), value.get_ref()));
            let path = folder.join(text(table, "path").unwrap_or_default());
            settings.roots.push((path, files.chain(values).collect()));
        }
        for (index, table) in tables(table, "ignore").enumerate() {
            let ignore = self.ignore(table, index, folder);
            settings.ignores.push(ignore);
        }
        settings
    }

    fn ignore(&mut self, table: &DeTable, index: usize, folder: &Path) -> Ignore {
        let path = text(table, "path").and_then(|pattern| {
            match globset::GlobBuilder::new(&pattern).literal_separator(true).build() {
                Ok(glob) => Some(glob.compile_matcher()),
                Err(problem) => {
                    let span = value(table, "path").map(Spanned::span).unwrap_or_default();
                    self.say(format!("this pattern cannot be understood: {}", problem.kind()), span, None);
                    None
                }
            }
        });
        let rule = value(table, "rule");
        let span = rule.map(Spanned::span).unwrap_or(index..index);
        Ignore {
            rule: text(table, "rule").unwrap_or_default(),
            path,
            folder: folder.to_path_buf(),
            within: false,
            address: text(table, "address").and_then(|pattern| address_pattern(&pattern)),
            reason: text(table, "reason"),
            until: value(table, "until").and_then(date),
            location: Location::of(self.sources, self.span(span)),
        }
    }
}

fn value<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> Option<Entry<'a, 'i>> {
    table.iter().find(|(key, _)| key.get_ref() == name).map(|(_, value)| value)
}

fn text(table: &DeTable, name: &str) -> Option<String> {
    value(table, name)?.get_ref().as_str().map(str::to_string)
}

fn texts(table: &DeTable, name: &str) -> Vec<String> {
    let items = value(table, name).and_then(|value| value.get_ref().as_array());
    let items = items.into_iter().flat_map(|items| items.iter());
    items.filter_map(|item| item.get_ref().as_str().map(str::to_string)).collect()
}

fn tables<'a, 'i>(table: &'a DeTable<'i>, name: &str) -> impl Iterator<Item = &'a DeTable<'i>> {
    let items = value(table, name).and_then(|value| value.get_ref().as_array());
    items.into_iter().flat_map(|items| items.iter()).filter_map(|item| item.get_ref().as_table())
}

/// A day, as a text or as TOML's own.
fn date(value: Entry) -> Option<Date> {
    match value.get_ref() {
        DeValue::String(text) => Date::parse(text),
        DeValue::Datetime(date) => Date::parse(&date.to_string()),
        _ => None,
    }
}

/// A value for a variable: simple ones as the command line gives them, others as JSON.
fn argument(name: &str, value: &DeValue) -> VariableArgument {
    match json(value) {
        serde_json::Value::String(text) => VariableArgument::Text(name.to_string(), text),
        json @ (serde_json::Value::Array(_) | serde_json::Value::Object(_)) => {
            VariableArgument::Json(name.to_string(), json.to_string())
        }
        other => VariableArgument::Text(name.to_string(), other.to_string()),
    }
}

/// TOML as JSON; its parser limits how deep it nests.
fn json(value: &DeValue) -> serde_json::Value {
    match value {
        DeValue::String(text) => text.as_ref().into(),
        DeValue::Boolean(value) => (*value).into(),
        DeValue::Integer(number) => match i64::from_str_radix(number.as_str(), number.radix()) {
            Ok(number) => number.into(),
            Err(_) => number.to_string().into(),
        },
        DeValue::Float(number) => match number.as_str().parse::<f64>() {
            Ok(number) => number.into(),
            Err(_) => number.to_string().into(),
        },
        DeValue::Datetime(date) => date.to_string().into(),
        DeValue::Array(items) => items.iter().map(|item| json(item.get_ref())).collect(),
        DeValue::Table(table) => {
            table.iter().map(|(name, value)| (name.get_ref().to_string(), json(value.get_ref()))).collect()
        }
    }
}
