//! Where output goes, and whether it has colours.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use anyhow::Context as _;
use clap::ValueEnum;

use crate::resource::Diagnostic;
use crate::source::SourceMap;

use super::Failure;

/// When to use colours.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug, ValueEnum)]
pub(super) enum ColorChoice {
    /// On a terminal, unless NO_COLOR is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl ColorChoice {
    /// Whether output to a stream is coloured.
    pub(super) fn applies_to(self, stream: &impl anstream::stream::RawStream) -> bool {
        match self {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => anstream::AutoStream::choice(stream) != anstream::ColorChoice::Never,
        }
    }
}

/// Writes to standard output. When the reader has gone away (`| head`), that is not a failure.
pub(super) fn to_stdout(text: &[u8]) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    match out.write_all(text).and_then(|()| out.flush()) {
        Err(problem) if problem.kind() != io::ErrorKind::BrokenPipe => {
            Err(problem).context("cannot write to standard output")
        }
        _ => Ok(()),
    }
}

/// Writes a file, whole or not at all as far as the file system allows.
pub(super) fn to_file(path: &Path, text: &[u8]) -> Result<(), Failure> {
    let write = || -> io::Result<()> {
        let mut file = File::create(path)?;
        file.write_all(text)?;
        file.flush()
    };
    write().with_context(|| format!("cannot write `{}`", path.display()))
}

/// Says on standard error why the program stops.
pub(super) fn complain(failure: &Failure, color: ColorChoice) {
    let text = crate::report::printable(&format!("{failure:#}"));
    let (on, off) = if color.applies_to(&io::stderr()) { ("\u{1b}[1;31m", "\u{1b}[0m") } else { ("", "") };
    // There is nobody left to tell when standard error is closed.
    let _ = writeln!(io::stderr().lock(), "{on}error{off}: {text}");
}

/// Says something on standard error.
pub(super) fn say(text: &str) {
    let text = crate::report::printable(text);
    // As above.
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// A diagnostic on one line, with its place before it.
pub(super) fn with_place(sources: &SourceMap, diagnostic: &Diagnostic) -> String {
    match (sources.display(diagnostic.span), sources.position(diagnostic.span)) {
        (Some(file), Some(at)) => format!("{file}:{}:{}: {}", at.line, at.column, diagnostic.message),
        _ => diagnostic.message.clone(),
    }
}
