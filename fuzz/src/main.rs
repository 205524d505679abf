//! Changes files at random and runs a target on them: `mutate TARGET SECONDS FOLDER`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longer than this is worth a look.
const SLOW: Duration = Duration::from_secs(5);

/// A small generator (xorshift64*), the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % limit.max(1)
    }
}

/// What is put into texts: brackets, quotes, calls, numbers at the ends of their ranges.
const PIECES: [&str; 40] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "\"",
    "'",
    "${",
    "'''",
    "<<EOT\n",
    "\\",
    "\\u{",
    ",",
    ":",
    "=",
    ".",
    "?",
    "!",
    "::",
    "null",
    "-1",
    "9223372036854775807",
    "1e999",
    "[copyIndex()]",
    "[parameters('a')]",
    "[variables('a')]",
    "[reference('a')]",
    "[resourceId('A.B/c', 'd')]",
    "[range(0, 10000)]",
    "[json('{')]",
    "\"copy\": {\"name\": \"a\", \"count\": 9999},",
    "for x in y: ",
    "if (true) ",
    "existing ",
    "...",
    "\u{feff}",
    "é",
    "\u{0}",
    "/*",
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [target, seconds, folder] = arguments.as_slice() else {
        eprintln!("mutate TARGET SECONDS FOLDER");
        std::process::exit(2);
    };
    let Some((_, extension, run)) = portolan_fuzz::TARGETS.iter().find(|(name, ..)| name == target) else {
        eprintln!("no target {target}");
        std::process::exit(2);
    };
    let mut files = Vec::new();
    find(Path::new(folder), extension, &mut files);
    files.sort();
    let mut random = Random(0x9E37_79B9_7F4A_7C15);
    let until = Instant::now() + Duration::from_secs(seconds.parse().unwrap_or(60));
    let (mut runs, mut failures) = (0_u64, 0);
    while Instant::now() < until && !files.is_empty() {
        let path = &files[random.below(files.len())];
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let mut text: Vec<char> = text.chars().take(20_000).collect();
        if target == "expression" {
            // A string of the file that is an expression.
            let all: String = text.iter().collect();
            let found: Vec<&str> =
                all.split('"').filter(|part| part.starts_with('[') && part.ends_with(']')).collect();
            if found.is_empty() {
                continue;
            }
            text = found[random.below(found.len())].chars().collect();
        }
        for _ in 0..=random.below(6) {
            change(&mut text, &mut random);
        }
        let text: String = text.into_iter().collect();
        let start = Instant::now();
        let ended = std::panic::catch_unwind(|| run(text.as_bytes())).is_ok();
        runs += 1;
        if !ended || start.elapsed() > SLOW {
            failures += 1;
            let name = format!("{target}-{failures}.txt");
            println!(
                "{} {:?} {} -> {name}",
                if ended { "slow" } else { "panic" },
                start.elapsed(),
                path.display()
            );
            let _ = std::fs::write(std::env::temp_dir().join(name), text);
        }
    }
    println!("{target}: {runs} runs over {} files, {failures} failures", files.len());
}

fn change(text: &mut Vec<char>, random: &mut Random) {
    let at = random.below(text.len() + 1);
    let end = (at + random.below(60)).min(text.len());
    match random.below(5) {
        0 => drop(text.drain(at..end)),
        1 => {
            let copy = text[at..end].to_vec();
            let to = random.below(text.len() + 1);
            text.splice(to..to, copy);
        }
        2 => text.truncate(at.max(text.len() / 4)),
        3 if end > at => text.swap(at, end - 1),
        _ => {
            let piece = PIECES[random.below(PIECES.len())];
            text.splice(at..at, piece.chars());
        }
    }
}

fn find(folder: &Path, extension: &str, files: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            find(&path, extension, files);
        } else if path.extension().is_some_and(|own| own == extension) {
            files.push(path);
        }
    }
}
