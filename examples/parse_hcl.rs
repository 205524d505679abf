//! Prints what the HCL reader makes of files: one line each, `path`, `ok` or `error`, and the first diagnostic with its
//! line and column. Reads paths from the command line, or one a line from standard input when there are none.

use std::io::BufRead as _;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use portolan::frontend::terraform::syntax::parse_hcl;
use portolan::resource::Level;
use portolan::source::SourceMap;

fn main() {
    let mut paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    if paths.is_empty() {
        paths.extend(std::io::stdin().lock().lines().map_while(Result::ok).map(PathBuf::from));
    }
    let (mut bytes, mut accepted, mut spent) = (0_usize, 0_usize, Duration::ZERO);
    for path in &paths {
        let Ok(content) = std::fs::read(path) else { continue };
        // One map for each file: the trees of a large set of files need not stay in memory together.
        let file = SourceMap::new().add(path, String::from_utf8_lossy(&content).into_owned());
        let start = Instant::now();
        let parsed = parse_hcl(&file);
        spent += start.elapsed();
        bytes += content.len();
        match parsed.diagnostics.iter().find(|diagnostic| diagnostic.level == Level::Error) {
            None => {
                accepted += 1;
                println!("{}\tok", path.display());
            }
            Some(first) => {
                let at = file.lines().position(file.text(), first.span.start as usize);
                println!("{}\terror\t{},{}: {}", path.display(), at.line, at.column, first.message);
            }
        }
    }
    let rate = bytes as f64 / 1e6 / spent.as_secs_f64().max(1e-9);
    eprintln!("{} files, {accepted} accepted, {bytes} bytes, {rate:.1} MB/s", paths.len());
}
