//! The picture as a Mermaid flowchart. <https://mermaid.js.org/syntax/flowchart.html>

use std::io::{self, Write};

use crate::chart::{Chart, ConnectionKind, Kind, Part};
use crate::finding::Severity;
use crate::report::cut;

/// Mermaid draws nothing of a longer text (`maxTextSize`).
const BYTES: usize = 50_000;

/// How much of names and details is shown.
#[derive(Clone, Copy)]
struct Room {
    /// Of one line of a label.
    line: usize,
    /// Below the name.
    details: usize,
}

pub(super) fn write(chart: &Chart, out: &mut dyn Write) -> io::Result<()> {
    for room in [Room { line: 80, details: 6 }, Room { line: 40, details: 0 }] {
        let mut text = Vec::new();
        flowchart(chart, room, &mut text)?;
        if text.len() < BYTES {
            return writeln!(out, "```mermaid\n{}```\n", String::from_utf8_lossy(&text));
        }
    }
    writeln!(out, "It is too large to be drawn.\n")
}

fn flowchart(chart: &Chart, room: Room, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "flowchart LR")?;
    let has_subnets = |network| chart.parts.iter().any(|part| part.within == Some(network));
    for (index, part) in chart.parts.iter().enumerate().filter(|(_, part)| part.within.is_none()) {
        if part.kind == Kind::Network && has_subnets(index) {
            writeln!(out, "  subgraph n{index}[\"{}\"]", label(part, room))?;
            for (subnet, part) in chart.parts.iter().enumerate().filter(|(_, p)| p.within == Some(index)) {
                writeln!(out, "    {}", node(subnet, part, room))?;
            }
            writeln!(out, "  end")?;
        } else {
            writeln!(out, "  {}", node(index, part, room))?;
        }
    }
    for connection in &chart.connections {
        let (from, to) = (connection.from, connection.to);
        match connection.kind {
            ConnectionKind::PeeringOneWay => writeln!(out, "  n{from} -->|peers one way| n{to}")?,
            ConnectionKind::Peering => writeln!(out, "  n{from} <-->|peers| n{to}")?,
            ConnectionKind::ZoneLink => writeln!(out, "  n{from} -.->|linked| n{to}")?,
            ConnectionKind::Occupancy => writeln!(out, "  n{from} --- n{to}")?,
        }
    }
    for (severity, style) in [
        (Severity::Error, "stroke:#cf222e,stroke-width:3px"),
        (Severity::Warning, "stroke:#bf8700,stroke-width:3px"),
        (Severity::Note, "stroke:#0969da,stroke-width:3px"),
    ] {
        let parts = chart.parts.iter().enumerate().filter(|(_, part)| part.severity == Some(severity));
        let names: Vec<String> = parts.map(|(index, _)| format!("n{index}")).collect();
        if !names.is_empty() {
            let class = severity.as_str();
            writeln!(out, "  classDef {class} {style}\n  class {} {class}", names.join(","))?;
        }
    }
    Ok(())
}

/// Zones are round at their ends, resources stand in boxes with two lines, networks and subnets are boxes.
fn node(index: usize, part: &Part, room: Room) -> String {
    let (open, close) = match part.kind {
        Kind::Network | Kind::Subnet => ("[", "]"),
        Kind::Zone => ("([", "])"),
        Kind::Resource => ("[[", "]]"),
    };
    format!("n{index}{open}\"{}\"{close}", label(part, room))
}

fn label(part: &Part, room: Room) -> String {
    let lines = std::iter::once(&part.name).chain(part.details.iter().take(room.details));
    let lines: Vec<String> = lines.map(|line| escaped(&cut(line, room.line))).collect();
    lines.join("<br>")
}

/// All but letters, digits and what names are made of goes as a character code, so that a name ends neither the label nor
/// the picture and holds no directive.
fn escaped(text: &str) -> String {
    let mut label = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() {
            continue;
        }
        if character.is_alphanumeric() || matches!(character, ' ' | '-' | '_' | '.' | ',' | '/' | ':') {
            label.push(character);
        } else {
            label.push_str(&format!("#{};", u32::from(character)));
        }
    }
    label
}
