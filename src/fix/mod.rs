//! From the changes that rules offer, in terms of the model, to edits of source files.
//!
//! [`plan`] finds the text edits of every fix; a fix that cannot be written down without touching more than its subject has
//! none. [`apply`] makes a new text of a file, [`unified`] shows what is different, [`save`] puts it on disk.

mod apply;
mod diff;
mod disk;
mod document;
mod guard;
mod patch;
mod reference;
mod remove;
mod resources;
mod vocabulary;
mod write;

use std::collections::HashMap;
use std::sync::{Arc, OnceLock};

use rayon::prelude::*;

use crate::finding::{Confidence, Finding, Fix};
use crate::resource::{Configuration, Resource};
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::topology::{ResourceId, Topology};

use document::Document;
use patch::Edit;

pub use apply::apply;
pub use diff::unified;
pub use disk::{Changed, save};
pub use guard::Guard;

/// What fixes are planned from.
pub struct Input<'a> {
    /// The files.
    pub sources: &'a SourceMap,
    /// What the frontends made of them.
    pub configuration: &'a Configuration,
    /// The model.
    pub topology: &'a Topology,
    /// Which files may be edited.
    pub guard: &'a Guard,
}

/// A fix as edits of files.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Planned {
    /// What it does.
    pub title: String,
    /// The edits, which do not overlap, by file in the order of their places.
    pub edits: Vec<SpanEdit>,
}

/// A range of a file, and what is to stand there instead.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SpanEdit {
    /// The range; empty for what is only added.
    pub span: Span,
    /// The new text.
    pub text: String,
}

/// The edits of each finding's fix; `None` for findings without a fix, and where a fix cannot be written down.
pub fn plan(input: &Input, findings: &[Finding]) -> Vec<Option<Planned>> {
    if findings.iter().all(|finding| finding.fix.is_none()) {
        return vec![None; findings.len()];
    }
    let planner = Planner::new(input);
    let drafts: Vec<Option<Draft>> = findings
        .par_iter()
        .map(|finding| {
            let fix = finding.fix.as_ref().filter(|_| finding.confidence == Confidence::Certain)?;
            planner.draft(finding.rule, fix)
        })
        .collect();
    let mut wanted: HashMap<(&str, ResourceId), Vec<&Draft>> = HashMap::new();
    for draft in drafts.iter().flatten() {
        for changed in &draft.changed {
            wanted.entry((draft.rule, *changed)).or_default().push(draft);
        }
    }
    let agreed: Vec<bool> = drafts
        .iter()
        .map(|draft| draft.as_ref().is_some_and(|draft| planner.holds_for_all(draft, &wanted)))
        .collect();
    drafts
        .into_iter()
        .zip(agreed)
        .map(|(draft, agreed)| draft.filter(|_| agreed).map(|draft| draft.planned))
        .collect()
}

/// A fix before it is known whether it holds for every instance of the code that it changes.
struct Draft {
    rule: &'static str,
    planned: Planned,
    /// The resources whose code is changed.
    changed: Vec<ResourceId>,
}

struct Planner<'a> {
    input: &'a Input<'a>,
    /// Files as edits see them, read when they are first needed.
    documents: HashMap<FileId, OnceLock<Option<Arc<Document>>>>,
    /// The resources that each piece of code makes.
    instances: HashMap<Span, Vec<ResourceId>>,
}

impl<'a> Planner<'a> {
    fn new(input: &'a Input<'a>) -> Self {
        let mut instances: HashMap<Span, Vec<ResourceId>> = HashMap::new();
        for (index, resource) in input.configuration.resources.iter().enumerate() {
            instances.entry(resource.span).or_default().push(ResourceId::new(index));
        }
        let documents = input.sources.files().iter().map(|file| (file.id(), OnceLock::new())).collect();
        Self { input, documents, instances }
    }

    fn topology(&self) -> &'a Topology {
        self.input.topology
    }

    /// The resource as the frontend gave it.
    fn resource(&self, id: ResourceId) -> Option<&'a Resource> {
        self.input.configuration.resources.get(id.index())
    }

    /// A file, if it may be edited.
    fn document(&self, file: FileId) -> Option<Arc<Document>> {
        let read = || {
            let source: Option<Arc<SourceFile>> = self.input.sources.get(file);
            let source = source.filter(|source| self.input.guard.permits(source))?;
            Document::read(&source).map(Arc::new)
        };
        self.documents.get(&file)?.get_or_init(read).clone()
    }

    fn draft(&self, rule: &'static str, fix: &Fix) -> Option<Draft> {
        let mut edits: Vec<(FileId, Edit)> = Vec::new();
        let mut changed = Vec::new();
        for change in &fix.changes {
            let written = self.write(change)?;
            edits.extend(written.edits);
            changed.extend(written.changed);
        }
        if edits.is_empty() {
            return None;
        }
        // By path, because files are numbered as they were loaded. Stable: what is added at one place stays in its order.
        let path = |file: &FileId| self.input.sources.get(*file).map(|source| source.display().to_string());
        edits.sort_by_cached_key(|(file, edit)| (path(file), edit.start));
        edits.dedup();
        let overlap = edits.windows(2).any(|pair| match pair {
            [(a, first), (b, second)] => a == b && second.start < first.end,
            _ => false,
        });
        if overlap {
            return None;
        }
        changed.sort_unstable();
        changed.dedup();
        let edits = edits
            .into_iter()
            .map(|(file, edit)| SpanEdit { span: Span::new(file, edit.start, edit.end), text: edit.text })
            .collect();
        Some(Draft { rule, planned: Planned { title: fix.title.clone(), edits }, changed })
    }

    /// Code that makes several resources (a loop, a module that is called more than once) is changed only when the same
    /// change is wanted for each of them.
    fn holds_for_all(&self, draft: &Draft, wanted: &HashMap<(&str, ResourceId), Vec<&Draft>>) -> bool {
        draft.changed.iter().all(|id| {
            let Some(span) = self.resource(*id).map(|resource| resource.span) else { return false };
            let siblings = self.instances.get(&span).map_or(&[][..], Vec::as_slice);
            siblings.iter().filter(|other| *other != id).all(|other| {
                let of_other = wanted.get(&(draft.rule, *other)).into_iter().flatten();
                of_other.into_iter().any(|other| other.planned.edits == draft.planned.edits)
            })
        })
    }
}

/// What a change comes to.
struct Written {
    edits: Vec<(FileId, Edit)>,
    changed: Vec<ResourceId>,
}

impl Written {
    /// Edits of one file.
    fn to(document: &Document, edits: Vec<Edit>, changed: Vec<ResourceId>) -> Self {
        let file = document.file.id();
        Self { edits: edits.into_iter().map(|edit| (file, edit)).collect(), changed }
    }
}
