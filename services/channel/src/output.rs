//! What is printed for people, and what for programs.

use std::borrow::Cow;
use std::io::{self, IsTerminal, Write};

/// Standard output. Styled only where a person sees it.
pub(crate) struct Output {
    writer: Box<dyn Write + Send>,
    styled: bool,
}

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    Strong,
    Faint,
    Incoming,
    Outgoing,
    Alarm,
    /// White on black, whatever the terminal's own colours: a camera has to read it.
    Code,
}

impl Style {
    const fn code(self) -> &'static str {
        match self {
            Self::Strong => "1",
            Self::Faint => "2",
            Self::Incoming => "36",
            Self::Outgoing => "32",
            Self::Alarm => "31",
            Self::Code => "97;40",
        }
    }
}

impl Output {
    /// Standard output; plain when it is no terminal or `NO_COLOR` is set.
    pub(crate) fn stdout() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { writer: Box::new(io::stdout()), styled: io::stdout().is_terminal() && !plain }
    }

    /// Plain text into a writer.
    #[cfg(test)]
    pub(crate) fn plain(writer: impl Write + Send + 'static) -> Self {
        Self { writer: Box::new(writer), styled: false }
    }

    /// Writes a line, at once.
    pub(crate) fn line(&mut self, text: impl AsRef<str>) -> io::Result<()> {
        writeln!(self.writer, "{}", text.as_ref())?;
        self.writer.flush()
    }

    /// For what is no text.
    pub(crate) fn raw(&mut self) -> &mut (dyn Write + Send) {
        &mut *self.writer
    }

    /// Takes the last lines back, where a person sees them.
    pub(crate) fn erase(&mut self, lines: usize) -> io::Result<()> {
        if self.styled && lines > 0 {
            write!(self.writer, "\x1b[{lines}A\x1b[J")?;
        }
        Ok(())
    }

    /// Gives a text a look, if there are looks.
    pub(crate) fn styled<'a>(&self, style: Style, text: &'a str) -> Cow<'a, str> {
        if self.styled {
            Cow::Owned(format!("\x1b[{}m{text}\x1b[0m", style.code()))
        } else {
            Cow::Borrowed(text)
        }
    }
}

/// Text from outside, made safe for a terminal: what would move the cursor, change colours or turn the
/// direction of writing becomes a visible sign; line breaks become spaces.
pub(crate) fn tame(text: &str) -> String {
    let tamed = |c: char| match c {
        '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => char::REPLACEMENT_CHARACTER,
        c if c.is_control() => char::REPLACEMENT_CHARACTER,
        c => c,
    };
    text.chars().map(tamed).collect()
}

/// Rows under a heading, in columns as wide as they need to be.
pub(crate) fn table(heading: &[&str], rows: &[Vec<String>]) -> Vec<String> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        let widest = cells.map(|cell| cell.chars().count()).max();
        widest.unwrap_or(0).max(heading[column].len())
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let line = |cells: Vec<&str>| {
        let padded = cells.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        padded.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    let heading = line(heading.to_vec());
    let rows = rows.iter().map(|row| line(row.iter().map(String::as_str).collect()));
    std::iter::once(heading).chain(rows).collect()
}

/// Where tests read what was printed. Clones share it.
#[cfg(test)]
#[derive(Clone, Default)]
pub(crate) struct Paper(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

#[cfg(test)]
impl Paper {
    pub(crate) fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

#[cfg(test)]
impl Write for Paper {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(text);
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        let evil = "a\x1b[2Jb\u{9b}1mc\u{202e}d\r\ne\u{7}";
        assert_eq!(tame(evil), "a\u{fffd}[2Jb\u{fffd}1mc\u{fffd}d  e\u{fffd}");
        assert_eq!(tame("Zoë 👋🏽 שלום"), "Zoë 👋🏽 שלום");
    }

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let row = |cells: [&str; 2]| cells.map(str::to_owned).to_vec();
        let lines = table(&["ID", "REASON"], &[row(["1", "é"]), row(["1000", "x"])]);
        assert_eq!(lines, ["ID    REASON", "1     é", "1000  x"]);
    }
}
