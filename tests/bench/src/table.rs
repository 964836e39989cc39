//! The table that is printed.

use crate::args::Args;
use crate::machine::{self, Machine};
use crate::postgres;
use crate::stats::millis;
use anyhow::ensure;
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt::Write as _;

/// One line of the table.
#[derive(Debug, Clone, Default, Serialize)]
pub(crate) struct Line {
    pub(crate) row: u8,
    what: String,
    measured: String,
    reference: String,
    ratio: Option<f64>,
    reach: String,
    /// Unset: there is nothing to reach, or nothing was measured.
    reached: Option<bool>,
    /// Why nothing was measured.
    skipped: Option<String>,
    numbers: BTreeMap<String, f64>,
}

impl Line {
    pub(crate) fn new(row: u8, what: impl Into<String>) -> Self {
        Self { row, what: what.into(), ..Self::default() }
    }

    pub(crate) fn measured(mut self, text: impl Into<String>) -> Self {
        self.measured = text.into();
        self
    }

    pub(crate) fn reference(mut self, text: impl Into<String>) -> Self {
        self.reference = text.into();
        self
    }

    pub(crate) const fn ratio(mut self, ratio: f64) -> Self {
        self.ratio = Some(ratio);
        self
    }

    pub(crate) fn reach(mut self, text: impl Into<String>, reached: bool) -> Self {
        (self.reach, self.reached) = (text.into(), Some(reached));
        self
    }

    pub(crate) fn skipped(mut self, why: impl Into<String>) -> Self {
        self.skipped = Some(why.into());
        self
    }

    pub(crate) fn number(mut self, name: &str, value: f64) -> Self {
        self.numbers.insert(name.to_owned(), value);
        self
    }

    fn markdown(&self) -> String {
        let none = |text: &str| if text.is_empty() { "–".to_owned() } else { text.to_owned() };
        let measured = match &self.skipped {
            Some(why) => format!("not measured: {why}"),
            None => none(&self.measured),
        };
        let ratio = self.ratio.map_or("–".to_owned(), |ratio| match ratio {
            _ if ratio >= 10.0 => format!("{ratio:.0}×"),
            _ => format!("{ratio:.1}×"),
        });
        let verdict = match self.reached {
            Some(true) => "yes",
            Some(false) => "**no**",
            None => "–",
        };
        let (reference, reach) = (none(&self.reference), none(&self.reach));
        let Self { row, what, .. } = self;
        format!("| {row} | {what} | {measured} | {reference} | {ratio} | {reach} | {verdict} |\n")
    }
}

/// All lines of a run.
#[derive(Debug, Default)]
pub(crate) struct Table {
    pub(crate) lines: Vec<Line>,
    /// What each row measured, in words.
    pub(crate) notes: BTreeMap<u8, &'static str>,
}

const HEAD: &str = "\
| # | what | product | reference, same run | ratio | to reach | reached |
|---|---|---|---|---|---|---|
";

impl Table {
    pub(crate) fn markdown(&self, machine: &Machine, args: &Args) -> String {
        let mut text = about(machine, args) + HEAD;
        for line in &self.lines {
            text += &line.markdown();
        }
        text += "\nWhat the rows measure:\n\n";
        for (row, note) in &self.notes {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{row}. {note}");
        }
        text
    }

    pub(crate) fn json(&self, machine: &Machine) -> serde_json::Value {
        serde_json::json!({ "machine": machine, "lines": self.lines })
    }

    /// A row that says nothing is a fault of the bench, unless it says why.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        ensure!(!self.lines.is_empty(), "no such row");
        for line in &self.lines {
            let spoke = line.skipped.is_some() || !line.numbers.is_empty();
            let sound = line.numbers.values().all(|number| number.is_finite() && *number >= 0.0);
            ensure!(spoke && sound, "row {} ({}) has no number", line.row, line.what);
        }
        Ok(())
    }
}

fn about(machine: &Machine, args: &Args) -> String {
    let Machine { processor, cores, memory_gib, kernel, load_before, flush } = machine;
    let (p50, p99) = (millis(flush.p50), millis(flush.p99));
    let postgres = postgres::version().unwrap_or_else(|_| "none".to_owned());
    let quick =
        if args.quick { " **Quick run: small sizes, the numbers mean little.**" } else { "" };
    let after = machine::load();
    format!(
        "Machine: {processor}, {cores} cores, {memory_gib} GiB, Linux {kernel}; PostgreSQL {postgres}. \
         A flush (fdatasync) takes {p50} ms (p50), {p99} ms (p99). Load average {load_before} before \
         the run, {after} after it. The senders, the streams' clients and the database share these \
         cores with the product.{quick}\n\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_without_a_number_is_a_fault() {
        let of = |line: Line| Table { lines: vec![line], ..Table::default() }.check().is_ok();
        assert!(of(Line::new(1, "a").number("n", 1.0)));
        assert!(of(Line::new(1, "a").skipped("why")));
        assert!(!of(Line::new(1, "a").measured("5")));
        assert!(!of(Line::new(1, "a").number("n", f64::NAN)));
        assert!(Table::default().check().is_err());
    }

    #[test]
    fn a_line_shows_what_was_reached() {
        let line =
            Line::new(3, "rate").measured("20/s").reference("5/s").ratio(4.0).reach("≥ 2×", true);
        assert_eq!(line.markdown(), "| 3 | rate | 20/s | 5/s | 4.0× | ≥ 2× | yes |\n");
    }
}
